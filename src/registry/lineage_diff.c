/*
 * lineage_diff.c
 *		lineage_diff(): in what two versions differ.
 *
 * What is so of each is put down as facts, an aspect after the other, and
 * these are compared.  What the caller may not read of the upstream counts
 * only as one row per role that it differs.
 */
#include "postgres.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"

#include "artifact/artifact_tables.h"
#include "audit/audit.h"
#include "base/args.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/row.h"
#include "lineage/lineage.h"
#include "lineage/lineage_tables.h"
#include "registry/facts.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"
#include "registry/stored_json.h"
#include "registry/upstream_facts.h"
#include "types/digest.h"

PG_FUNCTION_INFO_V1(modelreg_lineage_diff);

/* Columns of the result. */
enum
{
	OUT_ASPECT, OUT_KIND, OUT_ROLE, OUT_ITEM, OUT_PART, OUT_CHANGE,
	OUT_OLD_VALUE, OUT_NEW_VALUE, OUT_COLUMNS
};

typedef struct Version
{
	int64		model;
	int32		version;
	int64		node;
	MrStoredJson params;
	MrStoredJson signature;
} Version;

/* One node gave way to another, of the same name. */
typedef struct Successor
{
	MrFact		before;
	int64		after;
} Successor;

typedef struct Diff
{
	ReturnSetInfo *rsinfo;
	Snapshot	snapshot;
	const char *aspect;
	bool		differs;		/* of this aspect anything was reported */
	const char *last_role;		/* of the row that unreadable nodes have */
	bool		gone;
	bool		come;
	Successor  *successors;
	int64		nsuccessors;
	int64		room;
} Diff;

static void
put_row(Diff *diff, const MrFact *of, const char *change, const char *old_value,
		const char *new_value)
{
	Datum		values[OUT_COLUMNS];
	bool		nulls[OUT_COLUMNS];

	mr_set_text(values, nulls, OUT_ASPECT, diff->aspect);
	mr_set_text(values, nulls, OUT_KIND, of->kind);
	mr_set_text(values, nulls, OUT_ROLE, of->role);
	mr_set_text(values, nulls, OUT_ITEM, of->item);
	mr_set_text(values, nulls, OUT_PART, of->part);
	mr_set_text(values, nulls, OUT_CHANGE, change);
	mr_set_text(values, nulls, OUT_OLD_VALUE, old_value);
	mr_set_text(values, nulls, OUT_NEW_VALUE, new_value);
	tuplestore_putvalues(diff->rsinfo->setResult, diff->rsinfo->setDesc, values, nulls);
}

static const char *
name_change(bool gone, bool come)
{
	return gone && come ? "changed" : gone ? "removed" : "added";
}

static void
report(const MrFact *before, const MrFact *after, void *arg)
{
	Diff	   *diff = arg;

	diff->differs = true;
	put_row(diff, before != NULL ? before : after,
			name_change(before != NULL, after != NULL),
			before == NULL ? NULL : before->value,
			after == NULL ? NULL : after->value);
}

static void
compare(Diff *diff, const char *aspect, MrFacts *before, MrFacts *after)
{
	diff->aspect = aspect;
	diff->differs = false;
	mr_facts_compare(before, after, report, diff);
}

/* Nodes: of those that gave way to another the schemas are compared too. */
static void
report_node(const MrFact *before, const MrFact *after, void *arg)
{
	Diff	   *diff = arg;
	Successor  *successor;

	report(before, after, arg);
	if (before == NULL || after == NULL || before->item == NULL)
		return;
	diff->successors = mr_grow(diff->successors, diff->nsuccessors, &diff->room,
							   sizeof(Successor));
	successor = &diff->successors[diff->nsuccessors++];
	successor->before = *before;
	successor->after = after->node;
}

/* Of unreadable nodes not even the number is told. */
static void
put_unreadable(Diff *diff)
{
	MrFact		of = {.role = diff->last_role};

	diff->aspect = "unreadable";
	if (diff->gone || diff->come)
		put_row(diff, &of, name_change(diff->gone, diff->come), NULL, NULL);
	diff->gone = diff->come = false;
}

static void
report_unreadable(const MrFact *before, const MrFact *after, void *arg)
{
	Diff	   *diff = arg;
	const char *role = before != NULL ? before->role : after->role;

	if (role != diff->last_role)
		put_unreadable(diff);
	diff->last_role = role;
	diff->gone |= before != NULL;
	diff->come |= after != NULL;
}

static void
compare_upstream(Diff *diff, const Version *before, const Version *after)
{
	MrUpstream	a = {0};
	MrUpstream	b = {0};

	mr_upstream_compare(before->node, after->node, diff->snapshot, &a, &b);
	diff->aspect = "upstream";
	mr_facts_compare(&a.nodes, &b.nodes, report_node, diff);
	mr_facts_compare(&a.unreadable, &b.unreadable, report_unreadable, diff);
	put_unreadable(diff);
}

typedef bool (*Take) (MrFacts *facts, const MrFact *pattern, JsonbContainer *json);

static MrFact
whole_fact(const MrFact *of, const MrStoredJson *json)
{
	MrFact		whole = *of;

	if (json->json != NULL)
		whole.value = mr_json_canonical_cstring(json->json);
	return whole;
}

/* Compare what two JSONs are taken apart into; false when that says nothing. */
static bool
compare_taken(Diff *diff, const MrFact *of, Jsonb *before, Jsonb *after, Take take)
{
	MrFacts		a = {0};
	MrFacts		b = {0};

	if (!take(&a, of, &before->root) || !take(&b, of, &after->root))
		return false;
	compare(diff, diff->aspect, &a, &b);
	return diff->differs;
}

/*
 * Compare two JSONs.  What one side does not have, what cannot be taken
 * apart, and what differs in nothing that was, such as in an order, is one row
 * without item or part.
 */
static void
compare_json(Diff *diff, const char *aspect, const MrFact *of,
			 const MrStoredJson *before, const MrStoredJson *after, Take take)
{
	bool		both = before->json != NULL && after->json != NULL;
	MrFact		a = whole_fact(of, before);
	MrFact		b = whole_fact(of, after);

	diff->aspect = aspect;
	if (before->redacted || after->redacted)
		put_row(diff, of, "redacted", NULL, NULL);
	else if (both && (strcmp(a.value, b.value) == 0 ||
					  compare_taken(diff, of, before->json, after->json, take)))
		return;
	else if (a.value != NULL || b.value != NULL)
		report(a.value == NULL ? NULL : &a, b.value == NULL ? NULL : &b, diff);
}

static int
compare_successors(const void *a, const void *b)
{
	const Successor *x = a;
	const Successor *y = b;

	if (x->before.node != y->before.node)
		return x->before.node < y->before.node ? -1 : 1;
	return x->after < y->after ? -1 : x->after > y->after;
}

/* Each pair once, in how many roles it may be used. */
static void
compare_schemas(Diff *diff)
{
	if (diff->nsuccessors > 0)
		qsort(diff->successors, diff->nsuccessors, sizeof(Successor), compare_successors);
	for (int64 i = 0; i < diff->nsuccessors; i++)
	{
		const Successor *pair = &diff->successors[i];
		MrFact		of = {.kind = pair->before.kind,.item = pair->before.item};
		MrStoredJson before;
		MrStoredJson after;

		CHECK_FOR_INTERRUPTS();
		if (i > 0 && compare_successors(pair, pair - 1) == 0)
			continue;
		before = mr_stored_schema(pair->before.node, diff->snapshot);
		after = mr_stored_schema(pair->after, diff->snapshot);
		compare_json(diff, "schema", &of, &before, &after, mr_facts_add_columns);
	}
}

/* As the shortest decimal that is the same float8, whatever the settings. */
static char *
print_float(float8 value)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (isnan(value))
		return "NaN";
	if (isinf(value))
		return value > 0 ? "Infinity" : "-Infinity";
	double_to_shortest_decimal_buf(value, text);
	return pstrdup(text);
}

/*
 * The part of a metric: its slice and data set; none for all of no data set.
 * Those on data that the caller may not read are of the same data or are not
 * compared, though they read alike.
 */
static void
set_part(MrFact *fact, int64 dataset, char *slice, Snapshot snapshot)
{
	MrNode		node;
	char	   *address;

	if (dataset == 0)
	{
		fact->part = slice[0] == '\0' ? NULL : slice;
		return;
	}
	if (!mr_node_get(dataset, snapshot, &node))
		elog(ERROR, "node " INT64_FORMAT " does not exist", dataset);
	address = mr_node_address(&node, snapshot);
	fact->part = psprintf("%s%son %s", slice, slice[0] == '\0' ? "" : " ",
						  address != NULL ? address : "unreadable data");
	fact->unnamed = address != NULL ? 0 : dataset;
}

static void
add_metrics(MrFacts *facts, const Version *version, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("metric");
	Datum		keys[2] = {Int64GetDatum(version->model), Int32GetDatum(version->version)};
	MrScan	   *scan = mr_scan_begin(table, "metric_pkey", 2, keys, snapshot);

	while (mr_scan_next(scan, false))
	{
		int64		dataset = DatumGetInt64(mr_table_get(table, METRIC_DATASET_ID, NULL));
		char	   *slice = TextDatumGetCString(mr_table_get(table, METRIC_SLICE, NULL));
		MrFact		fact = {0};

		CHECK_FOR_INTERRUPTS();
		fact.kind = TextDatumGetCString(mr_table_get(table, METRIC_KIND, NULL));
		fact.item = TextDatumGetCString(mr_table_get(table, METRIC_METRIC, NULL));
		fact.value = print_float(DatumGetFloat8(mr_table_get(table, METRIC_VALUE, NULL)));
		set_part(&fact, dataset, slice, snapshot);
		mr_facts_add(facts, &fact);
	}
	mr_scan_end(scan);
	mr_table_close(table);
}

/* The text of a column, where it has one, as a part of an artifact. */
static void
add_artifact_part(MrFacts *facts, MrTable *table, const MrFact *artifact,
				  AttrNumber attno, const char *part)
{
	MrFact		fact = *artifact;
	bool		isnull;
	Datum		value = mr_table_get(table, attno, &isnull);

	if (isnull)
		return;
	fact.part = part;
	fact.value = TextDatumGetCString(value);
	mr_facts_add(facts, &fact);
}

static void
add_artifacts(MrFacts *facts, const Version *version, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("artifact");
	Datum		keys[2] = {Int64GetDatum(version->model), Int32GetDatum(version->version)};
	MrScan	   *scan = mr_scan_begin(table, "artifact_pkey", 2, keys, snapshot);

	while (mr_scan_next(scan, false))
	{
		MrFact		fact = {0};

		CHECK_FOR_INTERRUPTS();
		fact.item = TextDatumGetCString(mr_table_get(table, ARTIFACT_NAME, NULL));
		fact.value = mr_digest_to_cstring(DatumGetMrDigest(mr_table_get(table, ARTIFACT_DIGEST, NULL)));
		mr_facts_add(facts, &fact);
		add_artifact_part(facts, table, &fact, ARTIFACT_MEDIA_TYPE, "media_type");
		add_artifact_part(facts, table, &fact, ARTIFACT_URI, "uri");
		add_artifact_part(facts, table, &fact, ARTIFACT_STORE_VERSION, "store_version");
	}
	mr_scan_end(scan);
	mr_table_close(table);
}

static void
compare_rows(Diff *diff, const char *aspect, const Version *before,
			 const Version *after,
			 void (*add) (MrFacts *, const Version *, Snapshot))
{
	MrFacts		a = {0};
	MrFacts		b = {0};

	add(&a, before, diff->snapshot);
	add(&b, after, diff->snapshot);
	compare(diff, aspect, &a, &b);
}

/* No params are the same as an empty object of them. */
static MrStoredJson
params_or_empty(MrStoredJson params)
{
	MrJson		empty;

	if (params.json == NULL)
	{
		mr_json_begin(&empty);
		params.json = mr_json_end(&empty);
	}
	return params;
}

static Version
read_version(FunctionCallInfo fcinfo, int n, const char *name, Snapshot snapshot)
{
	MrTable    *table = mr_version_open(mr_arg_text(fcinfo, n, name), snapshot);
	Version		version;

	version.model = DatumGetInt64(mr_table_get(table, VERSION_MODEL_ID, NULL));
	version.version = DatumGetInt32(mr_table_get(table, VERSION_VERSION, NULL));
	version.node = DatumGetInt64(mr_table_get(table, VERSION_NODE_ID, NULL));
	version.params = params_or_empty(mr_stored_json(table, VERSION_PARAMS));
	version.signature = mr_stored_json(table, VERSION_SIGNATURE);
	mr_table_close(table);
	return version;
}

/*
 * modelreg.lineage_diff(before text, after text) returns a table: what
 *		differs between two versions, as the caller's snapshot sees them.
 *
 * Errors: 22004, 22P02 and 22023 for arguments, 42704 for versions that are
 * not there or not readable, 54000 above modelreg.max_lineage_nodes.
 */
Datum
modelreg_lineage_diff(PG_FUNCTION_ARGS)
{
	Diff		diff = {.snapshot = GetActiveSnapshot()};
	Version		before = read_version(fcinfo, 0, "before", diff.snapshot);
	Version		after = read_version(fcinfo, 1, "after", diff.snapshot);
	MrFact		whole = {0};

	InitMaterializedSRF(fcinfo, 0);
	diff.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	if (before.node == after.node)
		return (Datum) 0;
	compare_upstream(&diff, &before, &after);
	compare_schemas(&diff);
	compare_json(&diff, "params", &whole, &before.params, &after.params,
				 mr_facts_add_members);
	compare_rows(&diff, "metrics", &before, &after, add_metrics);
	compare_rows(&diff, "artifacts", &before, &after, add_artifacts);
	compare_json(&diff, "signature", &whole, &before.signature, &after.signature,
				 mr_facts_add_signature);
	return (Datum) 0;
}
