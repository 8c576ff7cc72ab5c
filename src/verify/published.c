/*
 * published.c
 *		verify_head(): does today's log go on from a head that was published?
 *
 * verify() shows that the chains hold together.  Who could write one anew from
 * end to end, or take the registry back to an earlier state, leaves it holding
 * together; a document of audit_head() that was kept elsewhere tells.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "audit/audit_tables.h"
#include "audit/published.h"
#include "base/args.h"
#include "base/owner.h"
#include "base/stmt.h"
#include "registry/registry_tables.h"
#include "serving/serving_tables.h"
#include "types/parse.h"
#include "verify/verify.h"

PG_FUNCTION_INFO_V1(modelreg_verify_head);

typedef struct Comparison
{
	MrVerify   *verify;
	MrTable    *event;
	MrTable    *model;
	MrTable    *endpoint;
	Snapshot	snapshot;
} Comparison;

/* The event by which an identity was replaced, and whether it ever was one. */
static MrStmt identity_stmt = {
	.sql = "SELECT r.seq, r.kind, EXISTS (SELECT FROM modelreg.event e WHERE e.chain = 1 AND e.chain_id = 1 AND e.what->>'identity' = $1) "
	"FROM (SELECT) one LEFT JOIN LATERAL (SELECT e.seq, e.kind FROM modelreg.event e WHERE e.chain = 1 AND e.chain_id = 1 "
	"AND e.kind IN ('restore_declared', 'identity_begun') AND e.what->>'replaced' = $1 ORDER BY e.seq LIMIT 1) r ON true",
	.nargs = 1,.types = {TEXTOID}
};

static void
report_identity(Comparison *c, const char *published)
{
	Datum		value = CStringGetTextDatum(published);
	bool		never;
	bool		isnull;
	int64		seq;

	(void) mr_stmt_read_as_of(&identity_stmt, &value, NULL, c->snapshot, 0);
	seq = DatumGetInt64(mr_stmt_value(0, 1, &never));
	if (!never)
		mr_verify_report(c->verify, "published", "registry",
						 "its identity was another one; event registry/1/" INT64_FORMAT " replaced it (%s)",
						 seq, TextDatumGetCString(mr_stmt_value(0, 2, &isnull)));
	else if (DatumGetBool(mr_stmt_value(0, 3, &isnull)))
		mr_verify_report(c->verify, "published", "registry",
						 "its identity was another one, and no event replaced it");
	else
		mr_verify_report(c->verify, "published", "registry",
						 "the head is of another registry, or this one was begun anew: its identity \"%s\" was never here",
						 mr_text_clip(published));
}

static void
compare_identity(Comparison *c, const char *published)
{
	char	   *present = published == NULL ? NULL : mr_verify_identity(c->snapshot);

	if (published != NULL && (present == NULL || strcmp(present, published) != 0))
		report_identity(c, published);
}

/*
 * Is the chain part of what is verified?  Of a model that is gone without a
 * trace nobody can tell whose it was; its team's chain differs, or is behind.
 */
static bool
is_in_scope(Comparison *c, const MrPublished *p)
{
	Datum		key = Int64GetDatum(p->id);

	if (c->verify->scope == MR_VERIFY_ALL)
		return true;
	if (p->number == MR_CHAIN_TEAM || p->number == MR_CHAIN_FACTS)
		return c->verify->scope == MR_VERIFY_TEAM && p->id == c->verify->team;
	if (p->number == MR_CHAIN_REGISTRY)
		return false;
	if (p->number == MR_CHAIN_ENDPOINT)
		return c->verify->scope == MR_VERIFY_TEAM &&
			mr_table_find(c->endpoint, "endpoint_pkey", 1, &key, c->snapshot) &&
			DatumGetInt64(mr_table_get(c->endpoint, ENDPOINT_TEAM_ID, NULL)) == c->verify->team;
	if (c->verify->scope == MR_VERIFY_MODEL)
		return p->id == c->verify->model;
	return mr_table_find(c->model, "model_pkey", 1, &key, c->snapshot) &&
		DatumGetInt64(mr_table_get(c->model, MODEL_TEAM_ID, NULL)) == c->verify->team;
}

static void
report_chain(MrVerify *verify, const MrPublished *p, MrExtends found, int64 seq)
{
	char	   *object = psprintf("chain %s/" INT64_FORMAT, p->chain, p->id);

	switch (found)
	{
		case MR_CHAIN_EXTENDS:
			break;
		case MR_CHAIN_BEHIND:
			mr_verify_report(verify, "published", object,
							 "it is behind the published head: it ends at event " INT64_FORMAT " instead of " INT64_FORMAT,
							 seq, p->seq);
			break;
		case MR_CHAIN_DIFFERS:
			mr_verify_report(verify, "published", object,
							 "it differs from the published head: event " INT64_FORMAT " is not the one that was published",
							 p->seq);
			break;
		case MR_CHAIN_MISSING:
			mr_verify_report(verify, "published", object,
							 "it is missing: in the published head it ends at event " INT64_FORMAT,
							 p->seq);
			break;
	}
}

static void
compare_chain(const MrPublished *p, void *state)
{
	Comparison *c = state;
	MrExtends	found;
	int64		seq;

	if (!is_in_scope(c, p))
		return;
	found = mr_published_compare(c->event, p, c->snapshot, &seq);
	report_chain(c->verify, p, found, seq);
}

/* As the owner. */
static void
compare(MrVerify *verify, Jsonb *document)
{
	Comparison	c = {.verify = verify,.snapshot = GetActiveSnapshot()};
	MrOwnerScope scope;

	mr_owner_begin(&scope);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	c.event = mr_table_open_read("event");
	c.model = mr_table_open_read("model");
	c.endpoint = mr_table_open_read("endpoint");
	compare_identity(&c, mr_published_identity(document));
	mr_published_each(document, compare_chain, &c);
	mr_table_close(c.endpoint);
	mr_table_close(c.model);
	mr_table_close(c.event);
	SPI_finish();
	mr_owner_end(&scope);
}

/*
 * modelreg.verify_head(published jsonb, scope text)
 *		returns TABLE (check_name text, object text, detail text)
 *
 * No rows: each chain of the document has, at the position that it names, the
 * event that it names.  Errors: those of verify(), and 22023 for what is no
 * document of audit_head().
 */
Datum
modelreg_verify_head(PG_FUNCTION_ARGS)
{
	MrVerify	verify = {0};
	Jsonb	   *document;

	mr_arg_require(fcinfo, 0, "published");
	mr_verify_parse_scope(&verify, mr_arg_text_or_null(fcinfo, 1));
	document = mr_arg_published(fcinfo, 0);
	InitMaterializedSRF(fcinfo, 0);
	verify.result = (ReturnSetInfo *) fcinfo->resultinfo;
	compare(&verify, document);
	return (Datum) 0;
}
