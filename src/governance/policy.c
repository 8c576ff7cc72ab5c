/*
 * policy.c
 *		Where policies are kept: finding a revision, and the one of a model.
 *
 * A model pins a revision by its policy's name and the digest of the document,
 * and every decision stores that digest.  A team's own policies are rows; a
 * built-in one becomes a row of the team's at its first use.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "governance/automatic.h"
#include "governance/governance.h"
#include "governance/governance_tables.h"
#include "governance/policy.h"
#include "governance/quarantine.h"

static void
read_row(MrTable *table, MrPolicyRow *row)
{
	row->name = TextDatumGetCString(mr_table_get(table, POLICY_NAME, NULL));
	row->revision = DatumGetInt32(mr_table_get(table, POLICY_REVISION, NULL));
	row->digest = DatumGetByteaPCopy(mr_table_get(table, POLICY_DIGEST, NULL));
	row->document = DatumGetJsonbPCopy(mr_table_get(table, POLICY_DOCUMENT, NULL));
	row->built_in = DatumGetBool(mr_table_get(table, POLICY_BUILT_IN, NULL));
}

static bool
find_by_digest(int64 team, const char *name, const bytea *digest, Snapshot snapshot,
			   MrPolicyRow *row)
{
	MrTable    *table = mr_table_open_read("policy");
	Datum		keys[3] = {Int64GetDatum(team), CStringGetTextDatum(name), PointerGetDatum(digest)};
	bool		found = mr_table_find(table, "policy_digest", 3, keys, snapshot);

	if (found)
		read_row(table, row);
	mr_table_close(table);
	return found;
}

/* Has the team a revision of the policy with this document? */
bool
mr_policy_find_document(int64 team, MrPolicyRow *row)
{
	row->digest = mr_json_hash(row->document);
	return find_by_digest(team, row->name, row->digest, NULL, row);
}

/* The number of the revision of that digest; 0 for none. */
int32
mr_policy_revision_of(int64 team, const char *name, const bytea *digest, Snapshot snapshot)
{
	MrPolicyRow row;

	return find_by_digest(team, name, digest, snapshot, &row) ? row.revision : 0;
}

/* The number of the last revision; 0 for none. */
int32
mr_policy_last_revision(int64 team, const char *name, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("policy");
	Datum		keys[2] = {Int64GetDatum(team), CStringGetTextDatum(name)};
	MrScan	   *scan = mr_scan_begin(table, "policy_pkey", 2, keys, snapshot);
	int32		last = 0;

	if (mr_scan_next(scan, true))
		last = DatumGetInt32(mr_table_get(table, POLICY_REVISION, NULL));
	mr_scan_end(scan);
	mr_table_close(table);
	return last;
}

/* Add a revision, with its event; row->digest is set. */
void
mr_policy_insert(MrVerb *verb, MrHead *team, const MrPolicyRow *row)
{
	Datum		values[POLICY_COLUMNS];
	bool		nulls[POLICY_COLUMNS] = {false};
	MrJson		what;

	values[POLICY_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[POLICY_NAME - 1] = CStringGetTextDatum(row->name);
	values[POLICY_REVISION - 1] = Int32GetDatum(row->revision);
	values[POLICY_DIGEST - 1] = PointerGetDatum(row->digest);
	values[POLICY_DOCUMENT - 1] = JsonbPGetDatum(row->document);
	values[POLICY_BUILT_IN - 1] = BoolGetDatum(row->built_in);
	values[POLICY_WHO - 1] = JsonbPGetDatum(verb->who);
	values[POLICY_RECORDED_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	mr_json_begin(&what);
	mr_json_add_text(&what, "policy", row->name);
	mr_json_add_int(&what, "revision", row->revision);
	mr_json_add_hash(&what, "policy_digest", row->digest);
	mr_json_add_hash(&what, "hash", mr_insert_row("policy", values, nulls));
	mr_event_append(team, verb, "policy_created", mr_json_end(&what), NULL);
}

static void
raise_not_found(const char *name, int32 revision)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 revision == 0 ? errmsg("unknown policy \"%s\"", name) :
			 errmsg("policy \"%s\" has no revision %d", name, revision),
			 errhint("The view modelreg.policies lists them."),
			 mr_reason("policy_not_found")));
}

/* A revision of a team's or of a built-in policy.  Error 22023 for none. */
MrPolicyRow
mr_policy_require(int64 team, const char *name, int32 revision, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("policy");
	Datum		keys[3] = {Int64GetDatum(team), CStringGetTextDatum(name), Int32GetDatum(revision)};
	const MrTier *tier = mr_tier_find(name);
	MrPolicyRow row = {.name = name,.built_in = true};

	if (mr_table_find(table, "policy_pkey", 3, keys, snapshot))
		read_row(table, &row);
	else if (tier != NULL && tier->revision == revision)
	{
		row.revision = revision;
		row.document = mr_tier_document(tier);
		row.digest = mr_json_hash(row.document);
	}
	else
		raise_not_found(name, revision);
	mr_table_close(table);
	return row;
}

/*
 * The revision that a team's models may come under; 0 for none.  Without an
 * admin's word that is the built-in one.
 */
int32
mr_team_policy(int64 team, const char *name, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("team_policy");
	Datum		keys[2] = {Int64GetDatum(team), CStringGetTextDatum(name)};
	const MrTier *tier = mr_tier_find(name);
	int32		revision = tier ? tier->revision : 0;
	bool		none = false;

	if (mr_table_find(table, "team_policy_pkey", 2, keys, snapshot))
	{
		revision = DatumGetInt32(mr_table_get(table, TEAM_POLICY_REVISION, &none));
		if (none)
			revision = 0;
	}
	mr_table_close(table);
	return revision;
}

/* Error 42501 for a policy, or for one of its revisions. */
void
mr_policy_raise_not_allowed(const char *team, const char *name, int32 revision)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 revision == 0 ? errmsg("team \"%s\" may not use policy \"%s\"", team, name) :
			 errmsg("team \"%s\" may not use revision %d of policy \"%s\"", team, revision, name),
			 errhint("An admin can allow it with modelreg.allow_policy()."),
			 mr_reason("policy_not_allowed")));
}

/*
 * The revision of a policy that a model may come under now, which becomes a
 * row if it is none yet.  The team's head is locked.
 */
MrPolicyRow
mr_policy_choose(MrVerb *verb, MrHead *team, const char *name)
{
	int32		revision = mr_team_policy(verb->team.id, name, NULL);
	MrPolicyRow row;

	if (revision == 0 && mr_tier_find(name) == NULL &&
		mr_policy_last_revision(verb->team.id, name, NULL) == 0)
		raise_not_found(name, 0);
	if (revision == 0)
		mr_policy_raise_not_allowed(verb->team.name, name, 0);
	row = mr_policy_require(verb->team.id, name, revision, NULL);
	if (row.built_in && !mr_policy_find_document(verb->team.id, &row))
		mr_policy_insert(verb, team, &row);
	return row;
}

/* For create_model(). */
static bytea *
choose_digest(MrVerb *verb, MrHead *team, const char *policy)
{
	return mr_policy_choose(verb, team, policy).digest;
}

/* The revision that a model pins, as a snapshot sees it. */
MrPolicyRow
mr_policy_row_of(const MrModel *model, Snapshot snapshot)
{
	MrPolicyRow row;

	if (!find_by_digest(model->team.id, model->policy, model->policy_digest,
						snapshot, &row))
		elog(ERROR, "policy \"%s\" of model " INT64_FORMAT " is missing",
			 model->policy, model->id);
	return row;
}

/* What a revision that was accepted says. */
static MrPolicy *
read_policy(const MrPolicyRow *row)
{
	StringInfoData mistakes;
	MrPolicy   *policy;

	initStringInfo(&mistakes);
	policy = mr_policy_parse(row->document, &mistakes);
	if (mistakes.len > 0)
		elog(ERROR, "policy \"%s\" cannot be read: %s", row->name, mistakes.data);
	return policy;
}

MrPolicy *
mr_policy_of(const MrModel *model, Snapshot snapshot)
{
	MrPolicyRow row = mr_policy_row_of(model, snapshot);

	return read_policy(&row);
}

void
mr_governance_init(void)
{
	mr_policy_digest = choose_digest;
	mr_automatic_init();
	mr_quarantine_init();
}
