/*
 * verbs.c
 *		record_node(), record_run(), record_snapshot() and
 *		record_table_snapshot().
 *
 * All read their arguments into one request, which is checked and
 * recorded in one way.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "audit/repeat.h"
#include "base/args.h"
#include "base/errors.h"
#include "lineage/request.h"
#include "lineage/table_content.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_record_node);
PG_FUNCTION_INFO_V1(modelreg_record_run);
PG_FUNCTION_INFO_V1(modelreg_record_snapshot);
PG_FUNCTION_INFO_V1(modelreg_record_table_snapshot);


static void
read_inputs(FunctionCallInfo fcinfo, int n, MrNodeRequest *request)
{
	request->inputs = mr_inputs_begin();
	if (!PG_ARGISNULL(n))
		mr_inputs_add_json(request->inputs, PG_GETARG_JSONB_P(n));
	mr_inputs_finish(request->inputs);
	request->spec.inputs = request->inputs;
}

static void
read_properties(FunctionCallInfo fcinfo, int n, MrNodeRequest *request)
{
	if (!PG_ARGISNULL(n))
		mr_request_set_properties(request, PG_GETARG_JSONB_P(n));
}

static bool
has_property(const MrNodeRequest *request, const char *name)
{
	JsonbValue	dummy;

	return request->properties != NULL &&
		getKeyJsonValueFromContainer(&request->properties->root, name, strlen(name),
									 &dummy) != NULL;
}

/* Add what the registry has to say to the properties that were given. */
static void
add_properties(MrNodeRequest *request, Jsonb *more)
{
	request->properties = request->properties == NULL ? more :
		DatumGetJsonbP(DirectFunctionCall2(jsonb_concat,
										   JsonbPGetDatum(request->properties),
										   JsonbPGetDatum(more)));
}

/* A snapshot's schema becomes the member "schema" of its properties. */
static void
read_schema(FunctionCallInfo fcinfo, int n, MrNodeRequest *request)
{
	Jsonb	   *schema;
	MrJson		json;

	if (PG_ARGISNULL(n))
		return;
	schema = PG_GETARG_JSONB_P(n);
	if (JB_ROOT_IS_SCALAR(schema))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schema must be a JSON object or array"),
				 mr_reason("invalid_properties")));
	if (has_property(request, "schema"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schema is given twice, as argument and in properties"),
				 mr_reason("invalid_properties")));
	mr_json_begin(&json);
	mr_json_add_json(&json, "schema", schema);
	add_properties(request, mr_json_end(&json));
}

static void
read_occurred_at(FunctionCallInfo fcinfo, int n, MrNodeRequest *request)
{
	TimestampTz at;

	if (mr_arg_occurred_at(fcinfo, n, &at))
		mr_request_set_occurred_at(request, at);
}

static void
read_supersedes(FunctionCallInfo fcinfo, int n, MrNodeRequest *request)
{
	char	   *address = mr_arg_text_or_null(fcinfo, n);
	MrNode	   *node;

	if (address == NULL)
		return;
	node = palloc(sizeof(MrNode));
	mr_node_load(address, NULL, node);
	mr_request_set_supersedes(request, node, address);
}

static Datum
address_datum(const MrNodeRequest *request)
{
	MrNodeKey	key;

	key.kind = pstrdup(request->spec.kind);
	key.team = request->team.name;
	key.name = pstrdup(request->spec.name);
	key.version = pstrdup(request->spec.version);
	return CStringGetTextDatum(mr_node_key_print(&key));
}

/* Reads the arguments that are not the node's key. */
typedef void (*ReadContent) (FunctionCallInfo fcinfo, MrNodeRequest *request);

/* Record what was asked for; returns the node's address. */
static Datum
record(FunctionCallInfo fcinfo, const char *name, MrNodeRequest *request,
	   ReadContent read_content, int request_id_arg)
{
	MrVerb		verb;
	int64		node = 0;
	bytea	   *hash;

	if (!mr_verb_repeated(&verb, fcinfo, name, &request->team, request_id_arg))
	{
		read_content(fcinfo, request);
		mr_request_print_properties(request);
		mr_verb_begin(&verb, fcinfo, name, &request->team, request_id_arg);
		if (!mr_verb_repeats(&verb))
			node = mr_node_insert(&verb, &request->spec, &hash);
	}
	mr_verb_end_int(&verb, "node", node);
	return address_datum(request);
}

static const char *
version_or_none(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static void
read_node_content(FunctionCallInfo fcinfo, MrNodeRequest *request)
{
	read_inputs(fcinfo, 3, request);
	read_properties(fcinfo, 4, request);
	mr_request_set_uri(request, mr_arg_text_or_null(fcinfo, 5));
	mr_request_set_digest(request, mr_arg_text_or_null(fcinfo, 6));
	read_supersedes(fcinfo, 7, request);
	read_occurred_at(fcinfo, 8, request);
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
	MrNodeRequest request = {0};
	char	   *kind = mr_arg_text(fcinfo, 0, "kind");

	mr_request_set_kind(&request, kind);
	mr_request_set_key(&request, mr_arg_text(fcinfo, 1, "name"),
					   version_or_none(fcinfo, 2));
	return record(fcinfo, "record_node", &request, read_node_content, 9);
}

static void
read_run_content(FunctionCallInfo fcinfo, MrNodeRequest *request)
{
	read_inputs(fcinfo, 1, request);
	read_properties(fcinfo, 2, request);
	read_supersedes(fcinfo, 3, request);
	read_occurred_at(fcinfo, 4, request);
}

/*
 * modelreg.record_run(name, inputs, properties, supersedes, occurred_at,
 *		request_id) returns text: record_node() of kind run.
 */
Datum
modelreg_record_run(PG_FUNCTION_ARGS)
{
	MrNodeRequest request = {0};

	mr_request_set_kind(&request, MR_NODE_KIND_RUN);
	mr_request_set_key(&request, mr_arg_text(fcinfo, 0, "name"), "");
	return record(fcinfo, "record_run", &request, read_run_content, 5);
}

static void
read_snapshot_content(FunctionCallInfo fcinfo, MrNodeRequest *request)
{
	mr_request_set_uri(request, mr_arg_text_or_null(fcinfo, 2));
	if (!PG_ARGISNULL(4))
		mr_request_set_rows(request, PG_GETARG_INT64(4));
	mr_request_set_digest(request, mr_arg_text_or_null(fcinfo, 5));
	read_inputs(fcinfo, 6, request);
	read_properties(fcinfo, 7, request);
	read_schema(fcinfo, 3, request);
	read_supersedes(fcinfo, 8, request);
	read_occurred_at(fcinfo, 9, request);
}

/*
 * modelreg.record_snapshot(name, version, uri, schema, rows, digest, inputs,
 *		properties, supersedes, occurred_at, request_id) returns text:
 *		record_node() of kind snapshot.
 */
Datum
modelreg_record_snapshot(PG_FUNCTION_ARGS)
{
	MrNodeRequest request = {0};
	char	   *version = mr_arg_text(fcinfo, 1, "version");

	mr_check_node_version(version, NULL);
	mr_request_set_kind(&request, MR_NODE_KIND_SNAPSHOT);
	mr_request_set_key(&request, mr_arg_text(fcinfo, 0, "name"), version);
	return record(fcinfo, "record_snapshot", &request, read_snapshot_content, 10);
}

/* What the table says, or leaves out, nobody else may say of it. */
static void
check_table_properties(const MrNodeRequest *request)
{
	static const char *const names[] = {"relation", "schema", "digest_of", "row_security"};

	for (int i = 0; i < lengthof(names); i++)
		if (has_property(request, names[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s is said by the table, not in properties", names[i]),
					 errhint("Leave it out of properties."),
					 mr_reason("invalid_properties")));
}

/* Note what a table holds, and what of it that is. */
static void
set_content(MrNodeRequest *request, const MrTableContent *content)
{
	MrJson		json;

	mr_request_set_rows(request, content->rows);
	mr_request_set_digest(request, content->digest);
	mr_json_begin(&json);
	mr_json_add_text(&json, "relation", content->relation);
	mr_json_add_json(&json, "schema", content->schema);
	if (content->digest != NULL)
		mr_json_add_text(&json, "digest_of", "rows, format 1");
	if (content->row_security)
		mr_json_add_bool(&json, "row_security", true);
	add_properties(request, mr_json_end(&json));
}

static void
read_table_content(FunctionCallInfo fcinfo, MrNodeRequest *request)
{
	MrTableContent content;

	mr_request_set_uri(request, mr_arg_text_or_null(fcinfo, 4));
	read_inputs(fcinfo, 5, request);
	read_properties(fcinfo, 6, request);
	check_table_properties(request);
	read_supersedes(fcinfo, 7, request);
	read_occurred_at(fcinfo, 8, request);
	PreventCommandIfReadOnly("record_table_snapshot");
	mr_table_content_read(PG_GETARG_OID(0), PG_GETARG_BOOL(3), &content);
	set_content(request, &content);
	/* rights may have gone while the table was read */
	request->team = mr_require_team(request->team.name, MR_CONTRIBUTOR);
}

/*
 * modelreg.record_table_snapshot(relation regclass, name, version,
 *		with_digest boolean, uri, inputs, properties, supersedes, occurred_at,
 *		request_id) returns text: record_snapshot() of a table as it is now.
 *
 * The table is read as the caller, and after all else that may fail was
 * checked, since it can take long.  Errors: those of record_snapshot(), and of reading a table.
 */
Datum
modelreg_record_table_snapshot(PG_FUNCTION_ARGS)
{
	MrNodeRequest request = {0};
	char	   *version = mr_arg_text(fcinfo, 2, "version");

	mr_arg_require(fcinfo, 0, "relation");
	mr_arg_require(fcinfo, 3, "with_digest");
	mr_check_node_version(version, NULL);
	mr_request_set_kind(&request, MR_NODE_KIND_SNAPSHOT);
	mr_request_set_key(&request, mr_arg_text(fcinfo, 1, "name"), version);
	return record(fcinfo, "record_table_snapshot", &request, read_table_content, 9);
}
