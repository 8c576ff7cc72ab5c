-- A part of a history of decisions and registrations, made by the verbs themselves: :events events about the models :first to
-- :last, a thousand at a time.
SET client_min_messages = warning;
SET synchronous_commit = off;
CREATE TEMP TABLE step AS
	SELECT i, format('bench.model-%s', :first + i % (:last - :first + 1)) AS model, i / 1000 AS batch FROM generate_series(0, :events - 1) AS i;
CREATE INDEX ON step (batch);
SELECT format('SELECT count(CASE i / 500 %% 10 WHEN 0 THEN modelreg.register_version(model) WHEN 1 THEN modelreg.promote(model, 1 + i / 5000 %% 2, ''Production'')
	ELSE modelreg.set_alias(model, ''champion'', 1 + i / 500 %% 2) END) FROM step WHERE batch = %s', batch)
	FROM generate_series(0, (:events - 1) / 1000) AS batch
\gexec
