\set m random(1, 40)
BEGIN;
SAVEPOINT s;
SELECT modelreg.register_version('soak.train-' || :m::text, metrics => '{"auc": 0.1}');
ROLLBACK TO s;
SELECT modelreg.register_version('soak.train-' || :m::text, metrics => '{"auc": 0.2}');
COMMIT;
BEGIN;
SELECT modelreg.register_version('soak.train-' || :m::text, metrics => '{"auc": 0.3}');
ROLLBACK;
