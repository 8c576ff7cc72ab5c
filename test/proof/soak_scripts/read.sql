\set m random(1, 12)
SELECT version FROM modelreg.production('other.serve-' || :m::text);
SELECT version FROM modelreg.previous('other.serve-' || :m::text);
SELECT version, stage FROM modelreg.resolve('models:/other.serve-' || :m::text || '/Production');
