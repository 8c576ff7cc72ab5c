\set m random(1, 12)
\set v random(1, 16)
SELECT modelreg.set_alias('other.serve-' || :m::text, 'champion', :v::int, reason => 'better');
SELECT version FROM modelreg.get_by_alias('other.serve-' || :m::text, 'champion');
