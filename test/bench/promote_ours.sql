\set v random(1, 8)
SELECT modelreg.promote('bench.model-1', :v, 'Production');
