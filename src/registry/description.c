/*
 * description.c
 *		Descriptions of models and versions.
 *
 * A version's registration may hold one; a later one is a note.  The table
 * description is what they amount to.
 */
#include "postgres.h"

#include "access/xact.h"

#include "audit/audit.h"
#include "base/args.h"
#include "registry/registry.h"
#include "registry/search.h"
#include "registry/search_tables.h"

PG_FUNCTION_INFO_V1(modelreg_set_description);

/*
 * The salted digest of the description of a version (0: the model itself), as
 * a snapshot (NULL: the latest) sees it; NULL for none.
 */
bytea *
mr_description_digest(int64 model, int32 version, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("description");
	Datum		keys[2] = {Int64GetDatum(model), Int32GetDatum(version)};
	bytea	   *digest = NULL;

	if (mr_table_find(table, "description_pkey", 2, keys, snapshot))
		digest = DatumGetByteaPCopy(mr_table_get(table, DESCRIPTION_PAYLOAD, NULL));
	mr_table_close(table);
	return digest;
}

/* Is that the description already? */
static bool
is_described(int64 model, int32 version, const char *description)
{
	bytea	   *digest = mr_description_digest(model, version, NULL);
	char	   *text;

	if (digest == NULL || description == NULL)
		return digest == NULL && description == NULL;
	text = mr_payload_fetch(digest);
	return text != NULL && strcmp(text, description) == 0;
}

static bool
set_description(MrVerb *verb, int64 model, int32 version,
				const char *description)
{
	bytea	   *payload;

	mr_note_lock(MR_NOTE_DESCRIPTION, model, version, NULL);
	if (is_described(model, version, description))
		return false;
	payload = mr_note_insert(verb, MR_NOTE_DESCRIPTION, model, version, NULL,
							 description);
	mr_search_description_changed(verb, model, version, description, payload);
	CommandCounterIncrement();
	return true;
}

/*
 * modelreg.set_description(model text, description text, version integer,
 *		request_id text) returns boolean: does it change anything?
 *
 * description NULL takes it away.  Errors: 42704 for model or version, 42501
 * for who is no contributor or, without a version, no maintainer.
 */
Datum
modelreg_set_description(PG_FUNCTION_ARGS)
{
	MrRights	level = PG_ARGISNULL(2) ? MR_MAINTAINER : MR_CONTRIBUTOR;
	char	   *description = mr_arg_text_or_null(fcinfo, 1);
	MrModel		model;
	MrVerb		verb;
	bool		changed = false;

	if (mr_model_verb_begin(&verb, fcinfo, "set_description", level, 3, &model))
		changed = set_description(&verb, model.id,
								  mr_version_arg(fcinfo, 2, &model), description);
	PG_RETURN_BOOL(mr_verb_end_int(&verb, "changed", changed) != 0);
}
