/*
 * impact_serving.c
 *		impact_serving(): which endpoints serve, or served, what a node went into.
 *
 * The versions that had traffic are known, and mostly few, so the lineage is
 * walked between them and the node; then each one's time at its endpoints is
 * looked up.  The statements run as the caller, who sees what he may read.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/args.h"
#include "base/grow.h"
#include "base/owner.h"
#include "base/stmt.h"
#include "lineage/lineage.h"
#include "registry/impact.h"

PG_FUNCTION_INFO_V1(modelreg_impact_serving);

#define OUT_COLUMNS 13

/* The step of an endpoint's present schedule that is open now. */
#define OPEN_STEP \
	"(SELECT max(o.step) FROM modelreg.traffic_arm o WHERE o.endpoint_id = e.id AND o.seq = e.schedule_seq AND o.opens <= statement_timestamp())"

/* Versions that have a part in some traffic now; those that ever had. */
static MrStmt now_stmt = {
	"SELECT DISTINCT v.model_id, v.version, v.node_id, v.team_id FROM modelreg.endpoint e "
	"JOIN modelreg.traffic_arm a ON a.endpoint_id = e.id AND a.seq = e.schedule_seq AND a.step = " OPEN_STEP " "
	"JOIN modelreg.version v ON v.model_id = a.model_id AND v.version = a.version WHERE e.retired_at IS NULL",
	0, {0}, NULL
};

static MrStmt ever_stmt = {
	"SELECT v.model_id, v.version, v.node_id, v.team_id FROM modelreg.version v WHERE EXISTS "
	"(SELECT FROM modelreg.traffic_arm a WHERE a.model_id = v.model_id AND a.version = v.version AND a.opens <= statement_timestamp())",
	0, {0}, NULL
};

/*
 * An arm's part of a step ends when the next step opens, the next schedule
 * is laid down, or the endpoint is retired; one that does not come to begin
 * is none.
 */
static MrStmt rows_stmt = {
	"SELECT t.name || '.' || e.name, e.id, t.name || '.' || m.name, m.id, a.version, "
	"CASE WHEN m.retired_at IS NULL THEN 'models:/' || t.name || '.' || m.name || '/' || a.version "
	"ELSE 'modelreg:' || v.identity || '/' || v.model_id || '/' || v.version END, f.depth, f.by_supersession, s.stage::text, "
	"CASE WHEN bool_or(x.now AND a.share > 0) THEN 'serving' WHEN bool_or(x.now) THEN 'shadow' ELSE 'past' END, "
	"sum(a.share) FILTER (WHERE x.now)::integer, min(a.opens), CASE WHEN NOT bool_or(x.now) THEN max(x.until) END "
	"FROM unnest($1, $2, $3, $4) AS f(model_id, version, depth, by_supersession) "
	"JOIN modelreg.traffic_arm a ON a.model_id = f.model_id AND a.version = f.version AND a.opens <= statement_timestamp() "
	"JOIN modelreg.endpoint e ON e.id = a.endpoint_id JOIN modelreg.team t ON t.id = a.team_id JOIN modelreg.model m ON m.id = a.model_id "
	"JOIN modelreg.version v ON v.model_id = a.model_id AND v.version = a.version "
	"JOIN modelreg.version_stage s ON s.model_id = a.model_id AND s.version = a.version "
	"CROSS JOIN LATERAL (SELECT LEAST((SELECT n.opens FROM modelreg.traffic_arm n WHERE n.endpoint_id = a.endpoint_id AND n.seq = a.seq "
	"AND n.step > a.step ORDER BY n.step LIMIT 1), (SELECT n.at FROM modelreg.traffic_schedule n WHERE n.endpoint_id = a.endpoint_id "
	"AND n.seq > a.seq ORDER BY n.seq LIMIT 1), e.retired_at, 'infinity') AS until OFFSET 0) u "
	"CROSS JOIN LATERAL (SELECT u.until, u.until > statement_timestamp() AS now) x WHERE u.until > a.opens "
	"GROUP BY t.name, e.name, e.id, m.id, m.name, m.retired_at, a.version, v.identity, v.model_id, v.version, f.depth, f.by_supersession, s.stage "
	"HAVING bool_or(x.now) OR NOT $5 "
	"ORDER BY bool_or(x.now) DESC, sum(a.share) FILTER (WHERE x.now) DESC NULLS LAST, max(x.until) DESC, t.name, e.name, e.id, m.name, a.version",
	5, {INT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, BOOLARRAYOID, BOOLOID}, NULL
};

/* What was found, as arrays for the statement. */
typedef struct Found
{
	Datum	   *models;
	Datum	   *versions;
	Datum	   *depths;
	Datum	   *superseded;
	int			n;
} Found;

static void
add_found(Found *found, const MrCurrentVersion *version, int32 depth, bool superseded)
{
	found->models[found->n] = Int64GetDatum(version->model);
	found->versions[found->n] = Int32GetDatum(version->version);
	found->depths[found->n] = Int32GetDatum(depth);
	found->superseded[found->n++] = BoolGetDatum(superseded);
}

static void
visit(const MrCurrentVersion *version, const MrWalkStep *step, void *found)
{
	add_found(found, version, step->depth, step->by_supersession);
}

/* The versions that a statement lists. */
static MrCurrentVersion *
read_versions(MrStmt *stmt, Snapshot snapshot, int64 *n)
{
	MrCurrentVersion *versions;
	bool		isnull;

	*n = mr_stmt_read_as_of(stmt, NULL, NULL, snapshot, 0);
	versions = palloc_extended(Max(*n, 1) * sizeof(MrCurrentVersion),
							   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 i = 0; i < *n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		versions[i].model = DatumGetInt64(mr_stmt_value(i, 1, &isnull));
		versions[i].version = DatumGetInt32(mr_stmt_value(i, 2, &isnull));
		versions[i].node = DatumGetInt64(mr_stmt_value(i, 3, &isnull));
		versions[i].team = DatumGetInt64(mr_stmt_value(i, 4, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return versions;
}

/* Those of them that the node went into, and itself. */
static Found
find_versions(const MrNode *start, const MrCurrentVersion *versions, int64 n,
			  Snapshot snapshot)
{
	Found		found = {palloc_extended(Max(n, 1) * sizeof(Datum), MCXT_ALLOC_HUGE),
		palloc_extended(Max(n, 1) * sizeof(Datum), MCXT_ALLOC_HUGE),
		palloc_extended(Max(n, 1) * sizeof(Datum), MCXT_ALLOC_HUGE),
	palloc_extended(Max(n, 1) * sizeof(Datum), MCXT_ALLOC_HUGE), 0};

	for (int64 i = 0; i < n; i++)
		if (versions[i].node == start->id)
			add_found(&found, &versions[i], 0, false);
	mr_impact_among(start, versions, n, snapshot, visit, &found);
	return found;
}

static void
put_rows(ReturnSetInfo *rsinfo, const Found *found, bool current_only, Snapshot snapshot)
{
	Datum		args[5] = {
		PointerGetDatum(construct_array(found->models, found->n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)),
		PointerGetDatum(construct_array(found->versions, found->n, INT4OID, 4, true, TYPALIGN_INT)),
		PointerGetDatum(construct_array(found->depths, found->n, INT4OID, 4, true, TYPALIGN_INT)),
		PointerGetDatum(construct_array(found->superseded, found->n, BOOLOID, 1, true, TYPALIGN_CHAR)),
		BoolGetDatum(current_only)
	};
	uint64		n = mr_stmt_read_as_of(&rows_stmt, args, NULL, snapshot, 0);

	for (uint64 row = 0; row < n; row++)
	{
		Datum		values[OUT_COLUMNS];
		bool		nulls[OUT_COLUMNS];

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < OUT_COLUMNS; i++)
			values[i] = mr_stmt_value(row, i + 1, &nulls[i]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

static void
show_impact(FunctionCallInfo fcinfo, const MrNode *start, bool current_only)
{
	Snapshot	snapshot = GetActiveSnapshot();
	MrCurrentVersion *versions;
	Found		found;
	int64		n;

	versions = read_versions(current_only ? &now_stmt : &ever_stmt, snapshot, &n);
	found = find_versions(start, versions, n, snapshot);
	if (found.n > 0)
		put_rows((ReturnSetInfo *) fcinfo->resultinfo, &found, current_only, snapshot);
}

/*
 * modelreg.impact_serving(node text, current_only boolean) returns a table: a
 *		row per endpoint and version that serves or served there and that the
 *		node went into, or that is the node
 *
 * Errors: those of impact().
 */
Datum
modelreg_impact_serving(PG_FUNCTION_ARGS)
{
	char	   *address = mr_arg_text(fcinfo, 0, "node");
	MrNode		start;
	MrCallerScope scope;

	mr_arg_require(fcinfo, 1, "current_only");
	mr_node_load(address, GetActiveSnapshot(), &start);
	InitMaterializedSRF(fcinfo, 0);
	mr_caller_begin(&scope);
	show_impact(fcinfo, &start, PG_GETARG_BOOL(1));
	mr_caller_end(&scope);
	return (Datum) 0;
}
