SELECT modelreg.register_version('bench.model-' || :m, run => U&'run\003abench.train',
	artifacts => '[{"name": "weights", "uri": "s3://models/w", "digest": "sha256\u003a9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "size": 4},
		{"name": "preprocessing", "uri": "s3://models/p", "digest": "sha256\u003a60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752", "size": 5}]',
	signature => '{"inputs": [{"name": "x", "type": "double"}]}', params => '{"lr": 0.1, "depth": 6}', metrics => '{"ndcg@10": 0.42}',
	description => 'nightly');
