/*
 * policy_verbs.c
 *		Creating policies, and saying which a team may use.
 */
#include "postgres.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "governance/governance_tables.h"
#include "governance/policy.h"
#include "registry/registry.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_create_policy);
PG_FUNCTION_INFO_V1(modelreg_allow_policy);
PG_FUNCTION_INFO_V1(modelreg_forbid_policy);
PG_FUNCTION_INFO_V1(modelreg_policy_document);
PG_FUNCTION_INFO_V1(modelreg_built_in_policies);

#define DOCUMENT_MAX (64 * 1024)	/* bytes of canonical JSON */

/* Error 22023 that lists all that is wrong with a document. */
static void
check_document(Jsonb *document)
{
	StringInfoData mistakes;

	initStringInfo(&mistakes);
	if (VARSIZE(document) > 2 * DOCUMENT_MAX ||
		strlen(mr_json_canonical_cstring(document)) > DOCUMENT_MAX)
		mr_mistake(&mistakes, "It is longer than %d bytes.", DOCUMENT_MAX);
	else
		mr_policy_parse(document, &mistakes);
	if (mistakes.len > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid policy"),
				 errdetail("%s", mistakes.data),
				 errhint("The view modelreg.policies shows the documents of the built-in policies."),
				 mr_reason("invalid_policy")));
}

static void
check_name(const char *policy)
{
	mr_check_object_name(policy, NULL);
	if (mr_tier_find(policy) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("policy \"%s\" comes with the extension", policy),
				 errhint("Give your policy another name."),
				 mr_reason("policy_reserved")));
}

static int32
create_policy(MrVerb *verb, const char *policy, Jsonb *document)
{
	MrHead	   *head = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	MrPolicyRow row = {.name = policy,.document = document};

	if (mr_policy_find_document(verb->team.id, &row))
	{
		mr_head_release(head);
		return row.revision;
	}
	row.revision = mr_policy_last_revision(verb->team.id, policy, NULL) + 1;
	mr_policy_insert(verb, head, &row);
	mr_head_save(head);
	return row.revision;
}

/*
 * modelreg.create_policy(team text, policy text, document jsonb,
 *		request_id text) returns integer, the revision.
 *
 * Errors: 42704 for the team, 42501, 22023 for a bad name or document (all
 * that is wrong with it), 42939 for the name of a built-in policy.
 */
Datum
modelreg_create_policy(PG_FUNCTION_ARGS)
{
	MrTeam		team = mr_require_team(mr_arg_text(fcinfo, 0, "team"), MR_MAINTAINER);
	char	   *policy = mr_arg_text(fcinfo, 1, "policy");
	Jsonb	   *document = mr_arg_object_or_null(fcinfo, 2, "document");
	MrVerb		verb;
	int32		revision = 0;

	mr_arg_require(fcinfo, 2, "document");
	check_name(policy);
	check_document(document);
	mr_verb_begin(&verb, fcinfo, "create_policy", &team, 3);
	if (!mr_verb_repeats(&verb))
		revision = create_policy(&verb, policy, document);
	PG_RETURN_INT32((int32) mr_verb_end_int(&verb, "revision", revision));
}

static void
write_team_policy(int64 team, const char *policy, int32 revision, TimestampTz at)
{
	MrTable    *table = mr_table_open("team_policy");
	Datum		values[TEAM_POLICY_COLUMNS];
	bool		nulls[TEAM_POLICY_COLUMNS] = {false};

	values[TEAM_POLICY_TEAM_ID - 1] = Int64GetDatum(team);
	values[TEAM_POLICY_NAME - 1] = CStringGetTextDatum(policy);
	values[TEAM_POLICY_REVISION - 1] = Int32GetDatum(revision);
	nulls[TEAM_POLICY_REVISION - 1] = revision == 0;
	values[TEAM_POLICY_SINCE - 1] = TimestampTzGetDatum(at);
	if (mr_table_lock_latest(table, "team_policy_pkey", 2, values))
		mr_table_update(table, values, nulls);
	else
		mr_table_insert(table, values, nulls);
	mr_table_close(table);
}

/* A revision of 0 forbids the policy. */
static void
set_team_policy(MrVerb *verb, const char *policy, int32 revision)
{
	MrHead	   *head = mr_head_lock(MR_CHAIN_TEAM, verb->team.id);
	MrJson		what;
	TimestampTz at;

	if (revision != 0)
		mr_policy_require(verb->team.id, policy, revision, NULL);
	if (mr_team_policy(verb->team.id, policy, NULL) == revision)
	{
		mr_head_release(head);
		return;
	}
	mr_json_begin(&what);
	mr_json_add_text(&what, "policy", policy);
	mr_json_add_id(&what, "revision", revision);
	at = mr_event_append(head, verb, revision == 0 ? "policy_forbidden" : "policy_allowed",
						 mr_json_end(&what), NULL);
	write_team_policy(verb->team.id, policy, revision, at);
	mr_head_save(head);
}

/*
 * modelreg.allow_policy(team text, policy text, revision integer,
 *		request_id text)
 *
 * Errors: 42501 for who is no admin, 42704 for the team, 22023 for a revision
 * that there is not.
 */
Datum
modelreg_allow_policy(PG_FUNCTION_ARGS)
{
	MrTeam		team = mr_require_team_as_admin(mr_arg_text(fcinfo, 0, "team"));
	char	   *policy = mr_arg_text(fcinfo, 1, "policy");
	MrVerb		verb;

	mr_arg_require(fcinfo, 2, "revision");
	mr_policy_require(team.id, policy, PG_GETARG_INT32(2), NULL);
	mr_verb_begin(&verb, fcinfo, "allow_policy", &team, 3);
	if (!mr_verb_repeats(&verb))
		set_team_policy(&verb, policy, PG_GETARG_INT32(2));
	mr_verb_end(&verb);
	PG_RETURN_VOID();
}

/* modelreg.forbid_policy(team text, policy text, request_id text) */
Datum
modelreg_forbid_policy(PG_FUNCTION_ARGS)
{
	MrTeam		team = mr_require_team_as_admin(mr_arg_text(fcinfo, 0, "team"));
	char	   *policy = mr_arg_text(fcinfo, 1, "policy");
	MrVerb		verb;

	mr_check_object_name(policy, NULL);
	mr_verb_begin(&verb, fcinfo, "forbid_policy", &team, 2);
	if (!mr_verb_repeats(&verb))
		set_team_policy(&verb, policy, 0);
	mr_verb_end(&verb);
	PG_RETURN_VOID();
}

/* The team whose policy is asked for: an admin may ask for any. */
static int64
team_of_document(FunctionCallInfo fcinfo)
{
	char	   *name = mr_arg_text_or_null(fcinfo, 0);

	if (name == NULL)
		return MR_NO_TEAM;
	if (mr_registry_rights() & MR_ADMIN)
		return mr_require_team_as_admin(name).id;
	return mr_require_team(name, MR_READER).id;
}

/* modelreg.policy_document(team text, policy text, revision integer) returns jsonb */
Datum
modelreg_policy_document(PG_FUNCTION_ARGS)
{
	int64		team = team_of_document(fcinfo);
	char	   *policy = mr_arg_text(fcinfo, 1, "policy");

	mr_arg_require(fcinfo, 2, "revision");
	PG_RETURN_JSONB_P(mr_policy_require(team, policy, PG_GETARG_INT32(2),
										GetActiveSnapshot()).document);
}

/* modelreg.built_in_policies(): policy, revision, digest, document */
Datum
modelreg_built_in_policies(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (const MrTier *tier = mr_tier_next(NULL); tier != NULL; tier = mr_tier_next(tier))
	{
		Jsonb	   *document = mr_tier_document(tier);
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = CStringGetTextDatum(tier->name);
		values[1] = Int32GetDatum(tier->revision);
		values[2] = CStringGetTextDatum(mr_json_digest(document));
		values[3] = JsonbPGetDatum(document);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
