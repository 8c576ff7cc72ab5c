/*
 * gate_artifacts.c
 *		Gate "artifacts": what is needed is there, and what others keep was
 *		looked at.
 *
 * The registry knows of its own bytes.  Of external ones a client has to say,
 * by record_artifact_check(), that it found what was registered.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "artifact/artifact.h"
#include "artifact/artifact_tables.h"
#include "governance/gate.h"
#include "governance/gate_texts.h"
#include "registry/registry_tables.h"
#include "registry/stored_json.h"
#include "types/parse.h"

static const MrMember artifact_members[] = {
	{"names", MR_MEMBER_TEXTS, false},
	{"max_age_days", MR_MEMBER_COUNT, false},
	{NULL}
};

typedef struct Artifacts
{
	const MrGateSubject *subject;
	int			max_age;		/* of a check, in days; 0: none is needed */
	MrTable    *table;
	int			present;
	MrGateTexts faults;
} Artifacts;

static bool
is_registered(JsonbContainer *check, const char *digest, int64 size)
{
	JsonbValue	found_digest;
	JsonbValue	found_size;

	return getKeyJsonValueFromContainer(check, "digest", strlen("digest"), &found_digest) != NULL &&
		getKeyJsonValueFromContainer(check, "size", strlen("size"), &found_size) != NULL &&
		found_digest.type == jbvString && found_size.type == jbvNumeric &&
		found_digest.val.string.len == strlen(digest) &&
		memcmp(found_digest.val.string.val, digest, strlen(digest)) == 0 &&
		DatumGetBool(DirectFunctionCall2(numeric_eq, NumericGetDatum(found_size.val.numeric),
										 DirectFunctionCall1(int8_numeric, Int64GetDatum(size))));
}

/* What is wrong with the note of a check in the slot; NULL for nothing. */
static const char *
check_fault(Artifacts *artifacts, MrTable *notes, const char *digest, int64 size)
{
	MrStoredJson check = mr_stored_json(notes, NOTE_VALUE);
	TimestampTz at = DatumGetTimestampTz(mr_table_get(notes, NOTE_RECORDED_AT, NULL));

	if (check.json == NULL)
		return "was checked, and what was found is redacted";
	if (!is_registered(&check.json->root, digest, size))
		return "is not what was registered, as the last check found";
	if (artifacts->subject->now - at > artifacts->max_age * USECS_PER_DAY)
		return "was last checked too long ago";
	return NULL;
}

/* The latest check of an external artifact counts. */
static const char *
external_fault(Artifacts *artifacts, const char *name, const char *digest, int64 size)
{
	MrTable    *notes = mr_table_open_read("note");
	Datum		keys[4] = {Int64GetDatum(artifacts->subject->model->id),
	Int32GetDatum(artifacts->subject->version), CStringGetTextDatum(MR_NOTE_ARTIFACT_CHECK),
	CStringGetTextDatum(name)};
	MrScan	   *scan = mr_scan_begin(notes, "note_model", 4, keys, artifacts->subject->snapshot);
	const char *fault = mr_scan_next(scan, true) ?
		check_fault(artifacts, notes, digest, size) : "was never checked";

	mr_scan_end(scan);
	mr_table_close(notes);
	return fault;
}

/* Whether the bytes are there, not whether they are the same. */
static const char *
own_fault(const MrDigest *digest, int64 size)
{
	MrBytesState state = mr_bytes_check(digest, size, false);

	return state == MR_BYTES_OK ? NULL : psprintf("is %s", mr_bytes_state_name(state));
}

/* The artifact in the slot. */
static void
look_at(Artifacts *artifacts)
{
	char	   *name = TextDatumGetCString(mr_table_get(artifacts->table, ARTIFACT_NAME, NULL));
	MrDigest   *digest = DatumGetMrDigest(mr_table_get_copy(artifacts->table, ARTIFACT_DIGEST));
	int64		size = DatumGetInt64(mr_table_get(artifacts->table, ARTIFACT_SIZE, NULL));
	const char *fault = NULL;
	bool		is_own;

	(void) mr_table_get(artifacts->table, ARTIFACT_URI, &is_own);
	if (is_own)
		fault = own_fault(digest, size);
	else if (artifacts->max_age > 0)
		fault = external_fault(artifacts, name, mr_digest_to_cstring(digest), size);
	if (fault == NULL)
		artifacts->present++;
	else
		mr_gate_texts_add(&artifacts->faults, psprintf("\"%s\" %s", name, fault));
}

static void
look_at_all(Artifacts *artifacts, Datum *keys)
{
	MrScan	   *scan = mr_scan_begin(artifacts->table, "artifact_pkey", 2, keys,
									 artifacts->subject->snapshot);

	while (mr_scan_next(scan, false))
	{
		CHECK_FOR_INTERRUPTS();
		look_at(artifacts);
	}
	mr_scan_end(scan);
	if (artifacts->present == 0 && artifacts->faults.n == 0)
		mr_gate_texts_add(&artifacts->faults, "no artifact");
}

static void
look_at_named(Artifacts *artifacts, Datum *keys, char **names, int n)
{
	for (int i = 0; i < n; i++)
	{
		keys[2] = CStringGetTextDatum(names[i]);
		if (mr_table_find(artifacts->table, "artifact_pkey", 3, keys,
						  artifacts->subject->snapshot))
			look_at(artifacts);
		else
			mr_gate_texts_add(&artifacts->faults,
							  psprintf("\"%s\" is missing", mr_text_clip(names[i])));
	}
}

static char *
required_text(char **names, int n, int max_age)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < n; i++)
		appendStringInfo(&buf, "%s\"%s\"", i > 0 ? ", " : "", mr_text_clip(names[i]));
	if (n == 0)
		appendStringInfoString(&buf, "at least one artifact, and all");
	appendStringInfoString(&buf, " present");
	if (max_age > 0)
		appendStringInfo(&buf, ", external ones checked within %d days", max_age);
	return buf.data;
}

static void
test_artifacts(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	Artifacts	artifacts = {.subject = subject,.table = mr_table_open_read("artifact")};
	Datum		keys[3] = {Int64GetDatum(subject->model->id), Int32GetDatum(subject->version)};
	int			n;
	char	  **names = mr_member_texts(gate->definition, "names", &n);

	artifacts.max_age = mr_member_count(gate->definition, "max_age_days", 0);
	if (n == 0)
		look_at_all(&artifacts, keys);
	else
		look_at_named(&artifacts, keys, names, n);
	mr_table_close(artifacts.table);
	result->holds = artifacts.faults.n == 0;
	result->required = required_text(names, n, artifacts.max_age);
	result->observed = result->holds ? psprintf("%d present", artifacts.present) :
		mr_gate_texts_join(&artifacts.faults);
}

const MrGateKind mr_gate_artifacts = {
	.name = "artifacts",.members = artifact_members,.test = test_artifacts,
	.news = MR_NEWS_ARTIFACT_CHECK
};
