\set v random(1, 8)
UPDATE bench.pointer SET version = :v WHERE id = 1;
