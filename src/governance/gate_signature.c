/*
 * gate_signature.c
 *		Gate "signature": the signature is compatible with that of the version
 *		in Production.
 *
 * A version without a signature fails, also where nothing is in Production:
 * the next one will be compared with it.
 */
#include "postgres.h"

#include "governance/gate.h"
#include "governance/gate_texts.h"
#include "registry/compatibility.h"
#include "registry/registry_tables.h"
#include "registry/stored_json.h"

static const MrMember signature_members[] = {
	{"mode", MR_MEMBER_TEXT, true},
	{NULL}
};

static MrStoredJson
read_signature(const MrGateSubject *subject, int64 model, int32 version)
{
	MrTable    *table = mr_table_open_read("version");
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};
	MrStoredJson signature;

	if (!mr_table_find(table, "version_pkey", 2, keys, subject->snapshot))
		elog(ERROR, "version %d is missing", version);
	signature = mr_stored_json(table, VERSION_SIGNATURE);
	mr_table_close(table);
	return signature;
}

/* "inputs "user_age" is ..." */
static void
note_incompatibility(const char *side, const char *item, const char *detail, void *arg)
{
	mr_gate_texts_add(arg, item == NULL ? psprintf("%s %s", side, detail) :
					  psprintf("%s \"%s\" %s", side, item, detail));
}

static void
compare(const MrGateSubject *subject, const char *mode, Jsonb *signature,
		MrGateResult *result)
{
	MrStoredJson current = read_signature(subject, subject->current_model, subject->current);
	MrGateTexts faults = {0};

	mr_gate_saw_node(result, subject->current_node);
	if (current.json == NULL)
		mr_gate_texts_add(&faults, current.redacted ? "its signature was redacted" :
						  "it has no signature");
	else
		mr_signature_compare(current.json, signature, mr_compatibility_parse(mode),
							 note_incompatibility, &faults);
	result->holds = faults.n == 0;
	result->observed = faults.n == 0 ?
		psprintf("compatible with %s", mr_gate_compared(subject)) :
		psprintf("not compatible with %s: %s", mr_gate_compared(subject),
				 mr_gate_texts_join(&faults));
}

static void
test_signature(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	char	   *mode = mr_member_text(gate->definition, "mode");
	MrStoredJson signature = read_signature(subject, subject->model->id, subject->version);

	result->required = psprintf("signature compatible with that in Production, mode %s", mode);
	if (signature.json == NULL)
		result->observed = signature.redacted ? "the signature was redacted" : "no signature";
	else if (subject->current == 0)
	{
		result->holds = true;
		result->observed = "a signature, and no other version in Production";
	}
	else
		compare(subject, mode, signature.json, result);
}

const MrGateKind mr_gate_signature = {
	.name = "signature",.members = signature_members,.check = mr_gate_check_mode,
	.test = test_signature
};
