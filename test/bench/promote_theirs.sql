\set turn 1 - :turn
\set v 2 * :client_id + 1 + :turn
UPDATE bench.pointer SET version = :v WHERE id = 1;
