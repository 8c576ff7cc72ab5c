\set turn 1 - :turn
\set v 2 * :client_id + 1 + :turn
SELECT modelreg.promote('bench.model-1', :v, 'Production');
