/*
 * verbs.c
 *		record_node(), record_run() and record_snapshot().
 *
 * All three read their arguments into one request, which is checked and
 * recorded in one way.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "lineage/lineage.h"
#include "types/digest.h"
#include "types/names.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_record_node);
PG_FUNCTION_INFO_V1(modelreg_record_run);
PG_FUNCTION_INFO_V1(modelreg_record_snapshot);

#define KIND_SNAPSHOT "snapshot"

#define URI_MAX 8192			/* bytes */
#define PROPERTIES_MAX (1024 * 1024)	/* bytes of canonical JSON */

/* What is asked to be recorded. */
typedef struct Request
{
	MrTeam		team;
	MrNodeSpec	spec;
	MrInputs   *inputs;
	Jsonb	   *properties;
	int64		rows;
	TimestampTz occurred_at;
} Request;

static void
check_kind(const char *kind)
{
	mr_check_node_kind(kind, NULL);
	if (strcmp(kind, MR_NODE_KIND_VERSION) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("nodes of kind \"%s\" are not recorded by hand", kind),
				 errhint("modelreg.register_version() makes them."),
				 mr_reason("reserved_name")));
	if (strcmp(kind, "models") == 0 || strcmp(kind, "modelreg") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("reserved node kind: \"%s\"", kind),
				 errdetail("Addresses that begin with it are those of models and versions."),
				 mr_reason("reserved_name")));
}

/* The key, for a team in which the caller may record. */
static void
read_key(Request *request, const char *kind, const char *qualified,
		 const char *version)
{
	char	   *team;
	char	   *name;

	mr_split_qualified_name(qualified, &team, &name, NULL);
	if (version[0] != '\0')
		mr_check_node_version(version, NULL);
	request->team = mr_require_team(team, MR_CONTRIBUTOR);
	request->spec.team = request->team.id;
	request->spec.kind = kind;
	request->spec.name = name;
	request->spec.version = version;
	request->spec.is_fact = true;
}

static void
read_inputs(FunctionCallInfo fcinfo, int n, Request *request)
{
	request->inputs = mr_inputs_begin();
	if (!PG_ARGISNULL(n))
		mr_inputs_add_json(request->inputs, PG_GETARG_JSONB_P(n));
	mr_inputs_finish(request->inputs);
	request->spec.inputs = request->inputs;
}

static void
read_uri(FunctionCallInfo fcinfo, int n, Request *request)
{
	char	   *uri = mr_arg_text_or_null(fcinfo, n);

	request->spec.uri = uri;
	if (uri == NULL)
		return;
	for (char *c = uri; *c != '\0'; c++)
		if ((unsigned char) *c < ' ' || *c == 0x7f)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a URI has no control characters"),
					 errdetail("There is one at byte %d.", (int) (c - uri) + 1),
					 mr_reason("invalid_uri")));
	if (uri[0] == '\0' || strlen(uri) > URI_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a URI has 1 to %d bytes", URI_MAX),
				 mr_reason("invalid_uri")));
}

static void
read_digest(FunctionCallInfo fcinfo, int n, Request *request)
{
	char	   *text = mr_arg_text_or_null(fcinfo, n);

	if (text != NULL)
		request->spec.digest = mr_digest_to_cstring(mr_digest_parse(text, NULL));
}

static void
read_rows(FunctionCallInfo fcinfo, int n, Request *request)
{
	if (PG_ARGISNULL(n))
		return;
	request->rows = PG_GETARG_INT64(n);
	if (request->rows < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of rows must not be negative: " INT64_FORMAT,
						request->rows),
				 mr_reason("invalid_rows")));
	request->spec.rows = &request->rows;
}

static void
read_properties(FunctionCallInfo fcinfo, int n, Request *request)
{
	if (PG_ARGISNULL(n))
		return;
	request->properties = PG_GETARG_JSONB_P(n);
	if (!JB_ROOT_IS_OBJECT(request->properties))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("properties must be a JSON object"),
				 mr_reason("invalid_properties")));
}

/* A snapshot's schema becomes the member "schema" of its properties. */
static void
read_schema(FunctionCallInfo fcinfo, int n, Request *request)
{
	Jsonb	   *schema;
	MrJson		json;
	JsonbValue	dummy;

	if (PG_ARGISNULL(n))
		return;
	schema = PG_GETARG_JSONB_P(n);
	if (JB_ROOT_IS_SCALAR(schema))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schema must be a JSON object or array"),
				 mr_reason("invalid_properties")));
	if (request->properties != NULL &&
		getKeyJsonValueFromContainer(&request->properties->root, "schema",
									 strlen("schema"), &dummy) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schema is given twice, as argument and in properties"),
				 mr_reason("invalid_properties")));
	mr_json_begin(&json);
	mr_json_add_json(&json, "schema", schema);
	schema = mr_json_end(&json);
	request->properties = request->properties == NULL ? schema :
		DatumGetJsonbP(DirectFunctionCall2(jsonb_concat,
										   JsonbPGetDatum(request->properties),
										   JsonbPGetDatum(schema)));
}

static void
read_occurred_at(FunctionCallInfo fcinfo, int n, Request *request)
{
	if (mr_arg_occurred_at(fcinfo, n, &request->occurred_at))
		request->spec.occurred_at = &request->occurred_at;
}

/* A node stands for an earlier one of the same kind and team. */
static void
read_supersedes(FunctionCallInfo fcinfo, int n, Request *request)
{
	char	   *address = mr_arg_text_or_null(fcinfo, n);
	MrNodeSpec *spec = &request->spec;
	MrNode		node;

	if (address == NULL)
		return;
	mr_node_load(address, NULL, &node);
	spec->supersedes = node.id;
	if (node.team != spec->team || strcmp(node.kind, spec->kind) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("node \"%s\" has another kind or team than what supersedes it",
						mr_text_clip(address)),
				 errdetail("A node supersedes one of its own kind and team, here a %s of team \"%s\".",
						   spec->kind, request->team.name),
				 mr_reason("invalid_supersedes")));
	if (strcmp(node.name, spec->name) == 0 &&
		strcmp(node.version, spec->version) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("node \"%s\" cannot supersede itself",
						mr_text_clip(address)),
				 errhint("Give the new node another name or version."),
				 mr_reason("invalid_supersedes")));
}

static void
print_properties(Request *request)
{
	char	   *text;

	if (request->properties == NULL)
		return;
	text = mr_json_canonical_cstring(request->properties);
	if (strlen(text) > PROPERTIES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("properties have %zu bytes, more than %d",
						strlen(text), PROPERTIES_MAX),
				 errhint("Store them elsewhere, and record their URI and digest."),
				 mr_reason("properties_too_large")));
	request->spec.properties = text;
}

static Datum
address_datum(const Request *request)
{
	MrNodeKey	key;

	key.kind = pstrdup(request->spec.kind);
	key.team = request->team.name;
	key.name = pstrdup(request->spec.name);
	key.version = pstrdup(request->spec.version);
	return CStringGetTextDatum(mr_node_key_print(&key));
}

/* Record what was asked for; returns the node's address. */
static Datum
record(FunctionCallInfo fcinfo, const char *name, Request *request,
	   int request_id_arg)
{
	MrVerb		verb;
	int64		node = 0;
	bytea	   *hash;

	print_properties(request);
	mr_verb_begin(&verb, fcinfo, name, &request->team, request_id_arg);
	if (!mr_verb_repeats(&verb))
		node = mr_node_insert(&verb, &request->spec, &hash);
	mr_verb_end_int(&verb, "node", node);
	return address_datum(request);
}

static const char *
version_or_none(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/*
 * modelreg.record_node(kind, name, version, inputs, properties, uri, digest,
 *		supersedes, occurred_at, request_id) returns text, the address
 *
 * Errors: 22004, 22023 and 42939 for arguments, 42501 for who is no
 * contributor, 42704 for inputs that are not there, 23505 when the key was
 * recorded with other content.
 */
Datum
modelreg_record_node(PG_FUNCTION_ARGS)
{
	Request		request = {0};
	char	   *kind = mr_arg_text(fcinfo, 0, "kind");

	check_kind(kind);
	read_key(&request, kind, mr_arg_text(fcinfo, 1, "name"),
			 version_or_none(fcinfo, 2));
	read_inputs(fcinfo, 3, &request);
	read_properties(fcinfo, 4, &request);
	read_uri(fcinfo, 5, &request);
	read_digest(fcinfo, 6, &request);
	read_supersedes(fcinfo, 7, &request);
	read_occurred_at(fcinfo, 8, &request);
	return record(fcinfo, "record_node", &request, 9);
}

/*
 * modelreg.record_run(name, inputs, properties, supersedes, occurred_at,
 *		request_id) returns text: record_node() of kind run.
 */
Datum
modelreg_record_run(PG_FUNCTION_ARGS)
{
	Request		request = {0};

	read_key(&request, MR_NODE_KIND_RUN, mr_arg_text(fcinfo, 0, "name"), "");
	read_inputs(fcinfo, 1, &request);
	read_properties(fcinfo, 2, &request);
	read_supersedes(fcinfo, 3, &request);
	read_occurred_at(fcinfo, 4, &request);
	return record(fcinfo, "record_run", &request, 5);
}

/*
 * modelreg.record_snapshot(name, version, uri, schema, rows, digest, inputs,
 *		properties, supersedes, occurred_at, request_id) returns text:
 *		record_node() of kind snapshot.
 */
Datum
modelreg_record_snapshot(PG_FUNCTION_ARGS)
{
	Request		request = {0};
	char	   *version = mr_arg_text(fcinfo, 1, "version");

	mr_check_node_version(version, NULL);
	read_key(&request, KIND_SNAPSHOT, mr_arg_text(fcinfo, 0, "name"), version);
	read_uri(fcinfo, 2, &request);
	read_rows(fcinfo, 4, &request);
	read_digest(fcinfo, 5, &request);
	read_inputs(fcinfo, 6, &request);
	read_properties(fcinfo, 7, &request);
	read_schema(fcinfo, 3, &request);
	read_supersedes(fcinfo, 8, &request);
	read_occurred_at(fcinfo, 9, &request);
	return record(fcinfo, "record_snapshot", &request, 10);
}
