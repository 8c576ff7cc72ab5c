\set e random(1, 6)
\set k random(1, 1000000)
SELECT version FROM modelreg.route('other.live-' || :e::text, 'user-' || :k::text);
SELECT etag FROM modelreg.serving_config('other.live-' || :e::text);
SELECT version, share FROM modelreg.serving('other.live-' || :e::text, now() + :k::bigint % 2000 * interval '1 ms');
SELECT count(*) FROM modelreg.trace_prediction('other.live-' || :e::text, 'user-' || :k::text, now());
