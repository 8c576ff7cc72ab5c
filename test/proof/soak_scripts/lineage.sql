\set m random(1, 40)
\set v random(1, 3)
SELECT count(*) FROM modelreg.upstream('models:/soak.train-' || :m::text || '/' || :v::text);
