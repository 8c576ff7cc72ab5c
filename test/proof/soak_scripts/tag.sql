\set m random(1, 12)
\set v random(1, 16)
\set n random(1, 5)
SELECT modelreg.set_tag('other.serve-' || :m::text, 'key-' || :n::text, 'value-' || random(), version => :v::int);
SELECT modelreg.remove_tag('other.serve-' || :m::text, 'key-' || :n::text, version => :v::int);
