/*
 * identity.c
 *		A registry begins a new identity: after a restore, or as a copy.
 *
 * Permanent ids of versions begin with the identity under which they were
 * registered.  One that goes on from an earlier state gives numbers again
 * that clients have seen before; under a new identity these are other ids,
 * and those of before, which the versions keep, still resolve.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "audit/audit.h"
#include "audit/audit_tables.h"
#include "audit/published.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/snapshot.h"

PG_FUNCTION_INFO_V1(modelreg_declare_restore);
PG_FUNCTION_INFO_V1(modelreg_new_identity);

static const MrTeam registry_team = {MR_NO_TEAM, "", 0, false};

#define MAX_DIFFERENCES 50		/* of which a message tells */

/* A document being compared with the chains that are here. */
typedef struct Comparison
{
	MrTable    *event;
	Snapshot	snapshot;
	MrJson	   *what;			/* gets the chains that are behind */
	int64		ndifferences;
	StringInfoData differences;
} Comparison;

static void
add_behind(MrJson *what, const MrPublished *p, int64 seq)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "chain", p->chain);
	mr_json_add_int(&json, "id", p->id);
	mr_json_add_int(&json, "seq", seq);
	mr_json_add_int(&json, "published", p->seq);
	mr_json_add_element(what, mr_json_end(&json));
}

static void
note_difference(Comparison *c, const MrPublished *p)
{
	if (c->ndifferences++ < MAX_DIFFERENCES)
		appendStringInfo(&c->differences, "%sEvent " INT64_FORMAT " of chain %s/" INT64_FORMAT " is another one than was published.",
						 c->differences.len > 0 ? "\n" : "", p->seq, p->chain, p->id);
}

static void
compare_chain(const MrPublished *p, void *state)
{
	Comparison *c = state;
	int64		seq;

	switch (mr_published_compare(c->event, p, c->snapshot, &seq))
	{
		case MR_CHAIN_EXTENDS:
			break;
		case MR_CHAIN_DIFFERS:
			note_difference(c, p);
			break;
		case MR_CHAIN_BEHIND:
		case MR_CHAIN_MISSING:
			if (seq < p->seq)	/* nothing was lost with one that had no events */
				add_behind(c->what, p, seq);
			break;
	}
}

/*
 * Compare each chain of a document: those that are behind become an array in
 * the event.  Error 55000 if one has another event than the document says,
 * because then this is no earlier state of what was published.
 */
static void
compare_chains(Jsonb *document, MrJson *what)
{
	Comparison	c = {.event = mr_table_open_read("event"),.what = what};

	c.snapshot = RegisterSnapshot(mr_latest_snapshot());
	initStringInfo(&c.differences);
	mr_published_each(document, compare_chain, &c);
	UnregisterSnapshot(c.snapshot);
	mr_table_close(c.event);
	if (c.ndifferences > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the registry is no earlier state of the one whose head was published"),
				 errdetail_internal("%s", c.differences.data),
				 errhint("Something else was written here in its place. Ask modelreg.verify(), and whoever published the head."),
				 mr_reason("head_differs")));
}

static void
add_published(MrJson *what, Jsonb *document)
{
	char	   *digest = NULL;

	if (document != NULL)
		digest = mr_json_digest(document);
	mr_json_add_text(what, "head", digest);
	mr_json_begin_array(what, "behind");
	if (document != NULL)
		compare_chains(document, what);
	mr_json_end_array(what);
}

static char *
print_identity(Datum identity)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, identity));
}

/* Give the registry a new identity, by an event; document or NULL. */
static char *
begin_identity(MrVerb *verb, const char *kind, Jsonb *document,
			   const char *reason)
{
	MrHead	   *head = mr_registry_head_lock(verb);
	Datum	   *identity = &head->values[REGISTRY_IDENTITY - 1];
	char	   *replaced = print_identity(*identity);
	char	   *begun;
	MrJson		what;

	*identity = OidFunctionCall0(F_GEN_RANDOM_UUID);
	begun = print_identity(*identity);
	mr_json_begin(&what);
	mr_json_add_text(&what, "identity", begun);
	mr_json_add_text(&what, "replaced", replaced);
	if (strcmp(kind, "restore_declared") == 0)
		add_published(&what, document);
	mr_event_append(head, verb, kind, mr_json_end(&what), reason);
	mr_head_save(head);
	return begun;
}

static Datum
run_identity_verb(FunctionCallInfo fcinfo, const char *name, const char *kind,
				  Jsonb *document, int request_id_arg)
{
	char	   *reason = mr_reason_arg(fcinfo, 0);
	char	   *identity = NULL;
	MrVerb		verb;

	mr_require_registry(MR_ADMIN);
	mr_verb_begin_undeclared(&verb, fcinfo, name, &registry_team, request_id_arg);
	if (!mr_verb_repeats(&verb))
		identity = begin_identity(&verb, kind, document, reason);
	identity = mr_verb_end_text(&verb, "identity", identity);
	return DirectFunctionCall1(uuid_in, CStringGetDatum(identity));
}

/*
 * modelreg.declare_restore(reason text, published jsonb, request_id text)
 *		returns uuid, the new identity
 *
 * Errors: 42501 for who is no admin, 22023 for what is no head, 55000 for one
 * that has other events than the registry.
 */
Datum
modelreg_declare_restore(PG_FUNCTION_ARGS)
{
	Jsonb	   *document = mr_arg_published(fcinfo, 1);

	return run_identity_verb(fcinfo, "declare_restore", "restore_declared",
							 document, 2);
}

/* modelreg.new_identity(reason text, request_id text) returns uuid */
Datum
modelreg_new_identity(PG_FUNCTION_ARGS)
{
	return run_identity_verb(fcinfo, "new_identity", "identity_begun", NULL, 1);
}
