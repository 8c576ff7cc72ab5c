/*
 * attested.c
 *		By whose keys a version was attested: for gates.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "artifact/artifact_tables.h"
#include "attestation/attestation.h"
#include "attestation/attestation_tables.h"
#include "attestation/attested.h"
#include "base/table.h"

/* Has a team, or the registry, said that a key was compromised by then? */
static bool
is_compromised(MrTable *keys, int64 team, const char *keyid, TimestampTz at, Snapshot snapshot)
{
	Datum		values[2] = {Int64GetDatum(team), CStringGetTextDatum(keyid)};
	Datum		since;
	bool		sound;

	if (!mr_table_find(keys, "signing_key_keyid", 2, values, snapshot))
		return false;
	since = mr_table_get(keys, SIGNING_KEY_COMPROMISED_SINCE, &sound);
	return !sound && DatumGetTimestampTz(since) <= at;
}

/* The name under which a team, or the registry, took a key's signatures then. */
static char *
name_of_key(MrTable *keys, int64 team, const char *keyid, TimestampTz at, Snapshot snapshot)
{
	Datum		values[2] = {Int64GetDatum(team), CStringGetTextDatum(keyid)};

	if (!mr_table_find(keys, "signing_key_keyid", 2, values, snapshot) ||
		at < mr_key_time(keys, SIGNING_KEY_REGISTERED_AT, DT_NOBEGIN) ||
		at < mr_key_time(keys, SIGNING_KEY_VALID_FROM, DT_NOBEGIN) ||
		at >= mr_key_time(keys, SIGNING_KEY_VALID_UNTIL, DT_NOEND) ||
		at >= mr_key_time(keys, SIGNING_KEY_REVOKED_AT, DT_NOEND))
		return NULL;
	return TextDatumGetCString(mr_table_get(keys, SIGNING_KEY_NAME, NULL));
}

/*
 * The key of a statement of a team that was recorded then; false if it is gone.
 * That it was compromised is true of it under the team's name and the
 * registry's, whoever of the two says so.  What other teams say does not count:
 * whoever registers somebody's public key could take all that it signed away.
 */
static bool
find_key(MrTable *keys, int64 team, Datum id, TimestampTz recorded_at, Snapshot snapshot,
		 MrAttested *attested)
{
	if (!mr_table_find(keys, "signing_key_pkey", 1, &id, snapshot))
		return false;
	attested->keyid = TextDatumGetCString(mr_table_get(keys, SIGNING_KEY_KEYID, NULL));
	attested->key_team = DatumGetInt64(mr_table_get(keys, SIGNING_KEY_TEAM_ID, NULL));
	attested->key_name = TextDatumGetCString(mr_table_get(keys, SIGNING_KEY_NAME, NULL));
	attested->other_name =
		name_of_key(keys, attested->key_team == MR_NO_TEAM ? team : MR_NO_TEAM,
					attested->keyid, recorded_at, snapshot);
	attested->compromised =
		is_compromised(keys, team, attested->keyid, recorded_at, snapshot) ||
		is_compromised(keys, MR_NO_TEAM, attested->keyid, recorded_at, snapshot);
	return true;
}

/* Has the version one artifact, whose digest the registry computed itself? */
static bool
is_one_held_artifact(int64 model, int32 version, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("artifact");
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};
	MrScan	   *scan = mr_scan_begin(table, "artifact_pkey", 2, keys, snapshot);
	bool		held = false;
	bool		others = false;

	if (mr_scan_next(scan, false))
	{
		(void) mr_table_get(table, ARTIFACT_URI, &held);
		others = mr_scan_next(scan, false);
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return held && !others;
}

/*
 * Is the attestation in the slot about all of the version?  A digest over the
 * digests of artifacts is one by the word of a type of statement that says so:
 * else it might be that of a file that somebody cut into digests.
 */
static bool
is_about_all(MrTable *table, int64 model, int32 version, Snapshot snapshot)
{
	char	   *subject = TextDatumGetCString(mr_table_get(table, ATTESTATION_SUBJECT, NULL));
	char	   *type = TextDatumGetCString(mr_table_get(table, ATTESTATION_PREDICATE_TYPE, NULL));

	if (strcmp(subject, "version") == 0)
		return true;
	if (strcmp(subject, "artifacts") == 0)
		return strncmp(type, MR_PREDICATE_MODEL_SIGNING, strlen(MR_PREDICATE_MODEL_SIGNING)) == 0;
	return is_one_held_artifact(model, version, snapshot);
}

/* The keys of the attestation in the slot. */
static void
visit_keys(MrTable *table, MrTable *keys, bool about_all, Snapshot snapshot,
		   MrAttestedVisit visit, void *arg)
{
	TimestampTz at = DatumGetTimestampTz(mr_table_get(table, ATTESTATION_RECORDED_AT, NULL));
	int64		team = DatumGetInt64(mr_table_get(table, ATTESTATION_TEAM_ID, NULL));
	ArrayType  *array = DatumGetArrayTypeP(mr_table_get(table, ATTESTATION_KEYS, NULL));
	Datum	   *ids;
	int			n;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &ids, NULL, &n);
	for (int i = 0; i < n; i++)
	{
		MrAttested	attested = {.about_all = about_all};

		if (find_key(keys, team, ids[i], at, snapshot, &attested))
			visit(&attested, arg);
	}
}

/*
 * Call for each key of each statement about a version of one type (NULL: any),
 * in the order in which they were recorded.
 */
void
mr_attested_each(int64 model, int32 version, const char *predicate_type,
				 Snapshot snapshot, MrAttestedVisit visit, void *arg)
{
	MrTable    *table = mr_table_open_read("attestation");
	MrTable    *keys = mr_table_open_read("signing_key");
	Datum		values[3] = {Int64GetDatum(model), Int32GetDatum(version)};
	MrScan	   *scan;

	if (predicate_type != NULL)
		values[2] = CStringGetTextDatum(predicate_type);
	scan = mr_scan_begin(table, "attestation_version", predicate_type ? 3 : 2, values, snapshot);
	while (mr_scan_next(scan, false))
	{
		CHECK_FOR_INTERRUPTS();
		visit_keys(table, keys, is_about_all(table, model, version, snapshot), snapshot, visit, arg);
	}
	mr_scan_end(scan);
	mr_table_close(keys);
	mr_table_close(table);
}
