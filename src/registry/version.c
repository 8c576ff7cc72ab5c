/*
 * version.c
 *		register_version: one immutable bundle, one number, one event.
 *
 * All parsing, checking and looking up is done before the registrations head
 * is locked; after it only rows are written.  The rows of a registration (the
 * version's node, its training metrics, its artifacts) are hashed into the
 * version's row, and that into the event.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "artifact/artifact.h"
#include "audit/repeat.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "base/row.h"
#include "lineage/lineage.h"
#include "registry/evaluation.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"
#include "registry/search.h"
#include "registry/signature.h"
#include "types/names.h"
#include "types/stage.h"

PG_FUNCTION_INFO_V1(modelreg_register_version);

#define PARAM_KEY_MAX 255		/* bytes */
#define PARAM_VALUE_SHOWN 100	/* characters, in the fold */

/* What register_version() was given, parsed and checked. */
typedef struct Registration
{
	char	   *qualified;		/* the model, as it was given */
	char	   *name;			/* without the team */
	MrTeam		team;
	MrModel		model;
	MrInputs   *inputs;
	MrMetrics	metrics;
	Jsonb	   *params;
	Jsonb	   *tags;
	const char *signature;
	const char *description;
	TimestampTz occurred_at;
	bool		has_occurred_at;
	MrArtifactSpec *artifacts;
	int			nartifacts;
} Registration;

enum
{
	ARG_MODEL, ARG_RUN, ARG_ARTIFACTS, ARG_SIGNATURE, ARG_PARAMS, ARG_METRICS,
	ARG_TAGS, ARG_DESCRIPTION, ARG_INPUTS, ARG_PARENTS, ARG_OCCURRED_AT,
	ARG_REQUEST_ID
};

static void
add_parents(MrInputs *inputs, ArrayType *parents)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	deconstruct_array(parents, TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("parents must not contain null"),
					 mr_reason("null_argument")));
		mr_inputs_add(inputs, "base", TextDatumGetCString(elements[i]));
	}
}

/* Which run made the version must have one answer. */
static void
check_run(const MrInputs *inputs)
{
	int			runs = 0;

	for (int i = 0; i < inputs->n; i++)
	{
		if (strcmp(inputs->items[i].role, MR_ROLE_RUN) != 0)
			continue;
		if (++runs > 1 || strcmp(inputs->items[i].node->kind, MR_NODE_KIND_RUN) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 runs > 1 ? errmsg("a version is made by one run") :
					 errmsg("a version's input in role \"%s\" must be a run, not a node of kind \"%s\"",
							MR_ROLE_RUN, inputs->items[i].node->kind),
					 errhint("modelreg.record_run() records a run; give what else the version is made from another role."),
					 mr_reason("invalid_inputs")));
	}
}

static MrInputs *
parse_inputs(FunctionCallInfo fcinfo)
{
	MrInputs   *inputs = mr_inputs_begin();

	if (!PG_ARGISNULL(ARG_RUN))
		mr_inputs_add(inputs, MR_ROLE_RUN,
					  text_to_cstring(PG_GETARG_TEXT_PP(ARG_RUN)));
	if (!PG_ARGISNULL(ARG_INPUTS))
		mr_inputs_add_json(inputs, PG_GETARG_JSONB_P(ARG_INPUTS));
	if (!PG_ARGISNULL(ARG_PARENTS))
		add_parents(inputs, mr_arg_array(fcinfo, ARG_PARENTS, "parents"));
	mr_inputs_finish(inputs);
	check_run(inputs);
	return inputs;
}

static void
parse(FunctionCallInfo fcinfo, Registration *r)
{
	r->inputs = parse_inputs(fcinfo);
	r->artifacts = mr_artifacts_resolve(&r->team,
										PG_ARGISNULL(ARG_ARTIFACTS) ? NULL :
										PG_GETARG_JSONB_P(ARG_ARTIFACTS),
										&r->nartifacts);
	if (!PG_ARGISNULL(ARG_SIGNATURE))
		r->signature = mr_json_canonical_cstring(mr_signature_normalize(PG_GETARG_JSONB_P(ARG_SIGNATURE)));
	r->params = mr_arg_object_or_null(fcinfo, ARG_PARAMS, "params");
	r->metrics = mr_metrics_parse(PG_ARGISNULL(ARG_METRICS) ? NULL :
								  PG_GETARG_JSONB_P(ARG_METRICS));
	r->tags = mr_arg_object_or_null(fcinfo, ARG_TAGS, "tags");
	if (r->tags != NULL)
		mr_tags_check(r->tags);
	r->description = mr_arg_text_or_null(fcinfo, ARG_DESCRIPTION);
	r->has_occurred_at = mr_arg_occurred_at(fcinfo, ARG_OCCURRED_AT, &r->occurred_at);
}

static int64
insert_node(MrVerb *verb, const Registration *r, int32 version, bytea **hash)
{
	MrNodeSpec	spec = {.team = verb->team.id,.kind = MR_NODE_KIND_VERSION,
	.inputs = r->inputs};

	/* names can change hands, so a version's node has the permanent id */
	spec.name = psprintf(INT64_FORMAT, r->model.id);
	spec.version = psprintf("%d", version);
	spec.occurred_at = r->has_occurred_at ? &r->occurred_at : NULL;
	return mr_node_insert(verb, &spec, hash);
}

static bytea *
insert_training(MrVerb *verb, const Registration *r, int32 version, int64 node)
{
	MrEvaluation evaluation = {.node = node,.model = r->model.id,
	.version = version,.kind = "training",.slice = "",.metrics = r->metrics};
	bytea	   *hash;

	if (r->metrics.n == 0)
		return NULL;
	evaluation.occurred_at = r->has_occurred_at ? &r->occurred_at : NULL;
	mr_evaluation_insert(verb, &evaluation, &hash);
	return hash;
}

/* A param's value in the fold: a string as it is, else its JSON; cut. */
static char *
param_text(JsonbValue *value)
{
	char	   *text;

	if (value->type == jbvString)
		text = mr_json_cstring(value);
	else
		text = mr_json_canonical_cstring(JsonbValueToJsonb(value));
	text[pg_mbcharcliplen(text, strlen(text), PARAM_VALUE_SHOWN)] = '\0';
	return text;
}

static void
insert_param(MrTable *table, MrVerb *verb, const Registration *r,
			 int32 version, const char *key, JsonbValue *value)
{
	Datum		values[PARAM_COLUMNS];
	bool		nulls[PARAM_COLUMNS] = {false};

	values[PARAM_MODEL_ID - 1] = Int64GetDatum(r->model.id);
	values[PARAM_VERSION - 1] = Int32GetDatum(version);
	values[PARAM_KEY - 1] = CStringGetTextDatum(key);
	values[PARAM_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[PARAM_VALUE - 1] = CStringGetTextDatum(param_text(value));
	mr_table_insert(table, values, nulls);
}

/* Call of each member of the params: name and value. */
static void
insert_params(MrVerb *verb, const Registration *r, int32 version)
{
	MrTable    *table;
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;

	if (r->params == NULL || JB_ROOT_COUNT(r->params) == 0)
		return;
	table = mr_table_open("param");
	it = JsonbIteratorInit(&r->params->root);
	(void) JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		char	   *name = mr_json_cstring(&key);

		(void) JsonbIteratorNext(&it, &value, true);
		insert_param(table, verb, r, version, name, &value);
	}
	mr_table_close(table);
}

/* Error 22023 for a param without a name or with one that no index holds. */
static void
check_params(Jsonb *params)
{
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;

	if (params == NULL)
		return;
	it = JsonbIteratorInit(&params->root);
	(void) JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&it, &value, true);
		if (key.val.string.len == 0 || key.val.string.len > PARAM_KEY_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("name of a param must have 1 to %d bytes", PARAM_KEY_MAX),
					 mr_reason("invalid_params")));
	}
}

static void
insert_stage(MrVerb *verb, const Registration *r, int32 version, TimestampTz at)
{
	Datum		values[VERSION_STAGE_COLUMNS];
	bool		nulls[VERSION_STAGE_COLUMNS] = {false};

	values[VERSION_STAGE_MODEL_ID - 1] = Int64GetDatum(r->model.id);
	values[VERSION_STAGE_VERSION - 1] = Int32GetDatum(version);
	values[VERSION_STAGE_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[VERSION_STAGE_STAGE - 1] = MrStageGetDatum(MR_STAGE_EXPERIMENTAL);
	values[VERSION_STAGE_SINCE - 1] = TimestampTzGetDatum(at);
	mr_insert_row("version_stage", values, nulls);
}

static void
set_payloads(MrVerb *verb, const Registration *r, Datum *values, bool *nulls)
{
	char	   *params = r->params ? mr_json_canonical_cstring(r->params) : NULL;

	mr_set_bytes(values, nulls, VERSION_DESCRIPTION - 1,
			  mr_payload_store(verb->team.id, r->description));
	mr_set_bytes(values, nulls, VERSION_SIGNATURE - 1,
			  mr_payload_store(verb->team.id, r->signature));
	mr_set_bytes(values, nulls, VERSION_PARAMS - 1,
			  mr_payload_store(verb->team.id, params));
}

/* The part of the version's row that does not need its number. */
static void
prepare_row(MrVerb *verb, const Registration *r, Datum *values, bool *nulls)
{
	int64		run = mr_inputs_first(r->inputs, MR_ROLE_RUN);

	memset(nulls, false, VERSION_COLUMNS * sizeof(bool));
	values[VERSION_MODEL_ID - 1] = Int64GetDatum(r->model.id);
	values[VERSION_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[VERSION_IDENTITY - 1] = mr_registry_identity();
	values[VERSION_RUN_ID - 1] = Int64GetDatum(run);
	nulls[VERSION_RUN_ID - 1] = run == 0;
	values[VERSION_OCCURRED_AT - 1] = TimestampTzGetDatum(r->occurred_at);
	nulls[VERSION_OCCURRED_AT - 1] = !r->has_occurred_at;
	values[VERSION_WHO - 1] = JsonbPGetDatum(verb->who);
	mr_set_text(values, nulls, VERSION_REQUEST_ID - 1, verb->request_id);
	set_payloads(verb, r, values, nulls);
}

/* Write all rows of version number `version`; returns the version row's hash. */
static bytea *
write_rows(MrVerb *verb, const Registration *r, int32 version,
		   Datum *values, bool *nulls)
{
	TimestampTz at = GetCurrentTimestamp();
	bytea	   *node_hash;
	int64		node = insert_node(verb, r, version, &node_hash);

	values[VERSION_VERSION - 1] = Int32GetDatum(version);
	values[VERSION_NODE_ID - 1] = Int64GetDatum(node);
	values[VERSION_REGISTERED_AT - 1] = TimestampTzGetDatum(at);
	mr_set_bytes(values, nulls, VERSION_NODE_HASH - 1, node_hash);
	mr_set_bytes(values, nulls, VERSION_TRAINING_HASH - 1,
			  insert_training(verb, r, version, node));
	mr_set_bytes(values, nulls, VERSION_ARTIFACTS_HASH - 1,
			  mr_artifacts_insert(verb->team.id, r->model.id, version,
								  r->artifacts, r->nartifacts));
	insert_params(verb, r, version);
	if (r->description != NULL)
		mr_search_description_changed(verb, r->model.id, version, r->description,
									  DatumGetByteaPP(values[VERSION_DESCRIPTION - 1]));
	insert_stage(verb, r, version, at);
	return mr_insert_row("version", values, nulls);
}

static int32
next_number(const Registration *r, MrHead *head)
{
	int32		last = DatumGetInt32(head->values[REGISTRATION_HEAD_LAST_VERSION - 1]);

	if (last == PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("model \"%s\" has no version number left",
						mr_model_address(&r->model)),
				 mr_reason("numbers_exhausted")));
	return last + 1;
}

/* Retiring takes the team's head and not ours: look again under our lock. */
static void
check_still_live(const Registration *r)
{
	MrModel		now;

	if (!mr_model_find(&r->model.team, r->model.name, NULL, &now) ||
		now.id != r->model.id)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("model \"%s\" was renamed or retired",
						mr_model_address(&r->model)),
				 mr_reason("model_not_found")));
}

static int32
register_version(MrVerb *verb, Registration *r)
{
	Datum		values[VERSION_COLUMNS];
	bool		nulls[VERSION_COLUMNS];
	MrHead	   *head;
	MrJson		what;
	int32		version;

	r->model = mr_model_find_in_verb(verb, r->qualified, r->name);
	prepare_row(verb, r, values, nulls);
	head = mr_head_lock(MR_CHAIN_REGISTRATIONS, r->model.id);
	check_still_live(r);
	version = next_number(r, head);
	mr_json_begin(&what);
	mr_json_add_int(&what, "version", version);
	mr_json_add_hash(&what, "hash", write_rows(verb, r, version, values, nulls));
	mr_event_append(head, verb, "version_registered", mr_json_end(&what), NULL);
	head->values[REGISTRATION_HEAD_LAST_VERSION - 1] = Int32GetDatum(version);
	mr_head_save(head);
	if (r->tags != NULL)
		mr_tags_set(verb, r->model.id, version, r->tags);
	if (mr_version_news != NULL)
		mr_version_news(verb, r->model.id, version, MR_NEWS_REGISTERED);
	return version;
}

/*
 * modelreg.register_version(model text, run text, artifacts jsonb,
 *		signature jsonb, params jsonb, metrics jsonb, tags jsonb,
 *		description text, inputs jsonb, parents text[],
 *		occurred_at timestamptz, request_id text) returns integer
 *
 * Returns the number of the new version, or of the one that an earlier call
 * with the same request id registered.  Errors: 42704 for the model, the run
 * and inputs (all that are missing in one error), uploads and bytes; 42501;
 * 22023 for what is malformed; 23505 for a request id with other arguments.
 */
Datum
modelreg_register_version(PG_FUNCTION_ARGS)
{
	Registration r = {0};
	MrVerb		verb;
	int32		version = 0;

	r.qualified = mr_arg_text(fcinfo, ARG_MODEL, "model");
	r.team = mr_require_team_of_model(r.qualified, MR_CONTRIBUTOR, &r.name);
	if (!mr_verb_repeated(&verb, fcinfo, "register_version", &r.team, ARG_REQUEST_ID))
	{
		parse(fcinfo, &r);
		check_params(r.params);
		mr_verb_begin(&verb, fcinfo, "register_version", &r.team, ARG_REQUEST_ID);
		if (!mr_verb_repeats(&verb))
			version = register_version(&verb, &r);
	}
	PG_RETURN_INT32((int32) mr_verb_end_int(&verb, "version", version));
}
