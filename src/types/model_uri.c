/*
 * model_uri.c
 *		The type model_uri: stored as its canonical text, laid out like text.
 *
 * What was once accepted is stored somewhere, so the grammar may grow but
 * never shrink.
 */
#include "postgres.h"

#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/compat.h"
#include "types/model_uri.h"
#include "types/names.h"
#include "types/stage.h"

#define MODEL_URI_TYPE "modelreg.model_uri"
#define LATEST "latest"

/* Model ids are identities of PostgreSQL, and this much is enough. */
#define MAX_MODEL_ID (PG_INT64_MAX - 1)

/* Characters of a uuid's text, and where its hyphens are. */
#define UUID_TEXT_LENGTH 36

static inline bool
uuid_hyphen_at(int i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

const char *
mr_model_uri_kind_name(MrModelUriKind kind)
{
	static const char *const names[] = {
		[MR_URI_MODEL] = "model",
		[MR_URI_VERSION] = "version",
		[MR_URI_LATEST] = "latest",
		[MR_URI_STAGE] = "stage",
		[MR_URI_ALIAS] = "alias",
		[MR_URI_PERMANENT] = "permanent"
	};

	return names[kind];
}

static bool
scan_uuid(const char *start, Size len, pg_uuid_t *uuid, MrFault *fault)
{
	int			digits = 0;

	memset(uuid, 0, sizeof(*uuid));
	for (int i = 0; i < UUID_TEXT_LENGTH; i++)
	{
		int			value = mr_hex_value(start[i]);

		/* The character after the end is one that fits nowhere here. */
		if (uuid_hyphen_at(i) ? start[i] != '-' : value < 0)
			return mr_fault_set(fault, start + i,
								"the identity is not a uuid with its hyphens.");
		if (uuid_hyphen_at(i))
			continue;
		uuid->data[digits / 2] |= digits % 2 == 0 ? value << 4 : value;
		digits++;
	}
	if (len > UUID_TEXT_LENGTH)
		return mr_fault_set(fault, start + UUID_TEXT_LENGTH,
							"the identity is longer than a uuid.");
	return true;
}

/* <identity uuid>/<model id>/<version> */
static bool
scan_permanent(const char *start, MrModelUri *uri, MrFault *fault)
{
	Size		uuid_len = strcspn(start, "/");
	const char *model = start + uuid_len + 1;
	const char *version;
	int64		number;

	uri->kind = MR_URI_PERMANENT;
	if (!scan_uuid(start, uuid_len, &uri->identity, fault))
		return false;
	if (start[uuid_len] == '\0')
		return mr_fault_set(fault, start + uuid_len,
							"a model id must follow the identity.");
	version = model + strcspn(model, "/");
	if (!mr_number_scan(model, version - model, MAX_MODEL_ID, "model id",
						&uri->model_id, fault))
		return false;
	if (*version++ == '\0')
		return mr_fault_set(fault, version - 1,
							"a version number must follow the model id.");
	if (!mr_number_scan(version, strlen(version), PG_INT32_MAX,
						"version number", &number, fault))
		return false;
	uri->version = (int32) number;
	return true;
}

/* What follows the slash: a number, "latest" or a stage. */
static bool
scan_selector(const char *start, MrModelUri *uri, MrFault *fault)
{
	Size		len = strlen(start);
	int64		number;

	if (*start >= '0' && *start <= '9')
	{
		uri->kind = MR_URI_VERSION;
		if (!mr_number_scan(start, len, PG_INT32_MAX, "version number",
							&number, fault))
			return false;
		uri->version = (int32) number;
		return true;
	}
	if (pg_strcasecmp(start, LATEST) == 0)
	{
		uri->kind = MR_URI_LATEST;
		return true;
	}
	uri->kind = MR_URI_STAGE;
	uri->stage = mr_stage_lookup(start, len);
	return uri->stage != MR_STAGE_NONE ||
		mr_fault_set(fault, start,
					 "a version number, \"latest\" or a stage must follow the slash.");
}

static bool
scan_alias(const char *start, MrModelUri *uri, MrFault *fault)
{
	uri->kind = MR_URI_ALIAS;
	if (!mr_alias_scan(start, strlen(start), fault))
		return false;
	uri->alias = pstrdup(start);
	return true;
}

/* team.name[/selector|@alias] */
static bool
scan_named(const char *start, MrModelUri *uri, MrFault *fault)
{
	const char *end = start + strcspn(start, "/@");

	uri->kind = MR_URI_MODEL;
	if (!mr_qualified_name_scan(start, end - start, &uri->team, &uri->name,
								fault))
		return false;
	if (*end == '/')
		return scan_selector(end + 1, uri, fault);
	if (*end == '@')
		return scan_alias(end + 1, uri, fault);
	return true;
}

/* What follows the prefix, or NULL if the text does not begin with it. */
static const char *
skip_prefix(const char *text, const char *prefix)
{
	Size		len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

bool
mr_model_uri_scan(const char *text, MrModelUri *out, MrFault *fault)
{
	const char *rest;

	memset(out, 0, sizeof(*out));
	if ((rest = skip_prefix(text, MR_URI_MODELS)) != NULL)
		return scan_named(rest, out, fault);
	if ((rest = skip_prefix(text, MR_URI_PERMANENT_SCHEME)) != NULL)
		return scan_permanent(rest, out, fault);
	return mr_fault_set(fault, text,
						"an address begins with \"%s\" or \"%s\".",
						MR_URI_MODELS, MR_URI_PERMANENT_SCHEME);
}

bool
mr_model_uri_parse(const char *text, Node *escontext, MrModelUri *out)
{
	MrFault		fault;

	return mr_model_uri_scan(text, out, &fault) ||
		mr_syntax_error(MODEL_URI_TYPE, text, &fault, escontext);
}

static char *
put_uuid(char *to, const pg_uuid_t *uuid)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
		*to++ = digits[uuid->data[i] >> 4];
		*to++ = digits[uuid->data[i] & 0xF];
	}
	return to;
}

/* models:/team.name/version; without psprintf(), as every answer has one. */
char *
mr_model_uri_of_version(const char *team, const char *name, int32 version)
{
	char	   *uri = palloc(strlen(MR_URI_MODELS) + strlen(team) + strlen(name) + 16);
	char	   *end = stpcpy(stpcpy(uri, MR_URI_MODELS), team);

	*end++ = '.';
	end = stpcpy(end, name);
	*end++ = '/';
	(void) pg_ltoa(version, end);
	return uri;
}

/* modelreg:identity/model id/version, likewise. */
char *
mr_model_uri_permanent(const pg_uuid_t *identity, int64 model, int32 version)
{
	char	   *uri = palloc(strlen(MR_URI_PERMANENT_SCHEME) + UUID_TEXT_LENGTH + 40);
	char	   *end = put_uuid(stpcpy(uri, MR_URI_PERMANENT_SCHEME), identity);

	*end++ = '/';
	end += pg_lltoa(model, end);
	*end++ = '/';
	(void) pg_ltoa(version, end);
	return uri;
}

char *
mr_model_uri_print(const MrModelUri *uri)
{
	const char *team = uri->team;
	const char *name = uri->name;

	switch (uri->kind)
	{
		case MR_URI_MODEL:
			return psprintf(MR_URI_MODELS "%s.%s", team, name);
		case MR_URI_VERSION:
			return mr_model_uri_of_version(team, name, uri->version);
		case MR_URI_LATEST:
			return psprintf(MR_URI_MODELS "%s.%s/" LATEST, team, name);
		case MR_URI_STAGE:
			return psprintf(MR_URI_MODELS "%s.%s/%s", team, name,
							mr_stage_name(uri->stage));
		case MR_URI_ALIAS:
			return psprintf(MR_URI_MODELS "%s.%s@%s", team, name, uri->alias);
		case MR_URI_PERMANENT:
			return mr_model_uri_permanent(&uri->identity, uri->model_id,
										  uri->version);
	}
	elog(ERROR, "unknown kind of model address: %d", (int) uri->kind);
}

/* Checks and stores; NULL after a soft error. */
static text *
make_model_uri(const char *text, Node *escontext)
{
	MrModelUri	uri;

	if (!mr_model_uri_parse(text, escontext, &uri))
		return NULL;
	return cstring_to_text(mr_model_uri_print(&uri));
}

PG_FUNCTION_INFO_V1(modelreg_model_uri_in);
Datum
modelreg_model_uri_in(PG_FUNCTION_ARGS)
{
	text	   *uri = make_model_uri(PG_GETARG_CSTRING(0), fcinfo->context);

	if (uri == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(uri);
}

PG_FUNCTION_INFO_V1(modelreg_model_uri_out);
Datum
modelreg_model_uri_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(TextDatumGetCString(PG_GETARG_DATUM(0)));
}

PG_FUNCTION_INFO_V1(modelreg_model_uri_send);
Datum
modelreg_model_uri_send(PG_FUNCTION_ARGS)
{
	return textsend(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_model_uri_recv);
Datum
modelreg_model_uri_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len;
	char	   *text = pq_getmsgtext(buf, buf->len - buf->cursor, &len);

	PG_RETURN_TEXT_P(make_model_uri(text, NULL));
}

/* The stored address in argument 0, taken apart. */
static void
parse_argument(FunctionCallInfo fcinfo, MrModelUri *uri)
{
	mr_model_uri_parse(TextDatumGetCString(PG_GETARG_DATUM(0)), NULL, uri);
}

PG_FUNCTION_INFO_V1(modelreg_uri_kind);
Datum
modelreg_uri_kind(PG_FUNCTION_ARGS)
{
	MrModelUri	uri;

	parse_argument(fcinfo, &uri);
	PG_RETURN_TEXT_P(cstring_to_text(mr_model_uri_kind_name(uri.kind)));
}

PG_FUNCTION_INFO_V1(modelreg_uri_team);
Datum
modelreg_uri_team(PG_FUNCTION_ARGS)
{
	MrModelUri	uri;

	parse_argument(fcinfo, &uri);
	if (uri.team == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(uri.team));
}

/* With its team, as every function that takes a model takes it. */
PG_FUNCTION_INFO_V1(modelreg_uri_model);
Datum
modelreg_uri_model(PG_FUNCTION_ARGS)
{
	MrModelUri	uri;

	parse_argument(fcinfo, &uri);
	if (uri.team == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s.%s", uri.team, uri.name)));
}

PG_FUNCTION_INFO_V1(modelreg_uri_version);
Datum
modelreg_uri_version(PG_FUNCTION_ARGS)
{
	MrModelUri	uri;

	parse_argument(fcinfo, &uri);
	if (uri.version == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(uri.version);
}

PG_FUNCTION_INFO_V1(modelreg_uri_stage);
Datum
modelreg_uri_stage(PG_FUNCTION_ARGS)
{
	MrModelUri	uri;

	parse_argument(fcinfo, &uri);
	if (uri.stage == MR_STAGE_NONE)
		PG_RETURN_NULL();
	PG_RETURN_MRSTAGE(uri.stage);
}

PG_FUNCTION_INFO_V1(modelreg_uri_alias);
Datum
modelreg_uri_alias(PG_FUNCTION_ARGS)
{
	MrModelUri	uri;

	parse_argument(fcinfo, &uri);
	if (uri.alias == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(uri.alias));
}

PG_FUNCTION_INFO_V1(modelreg_uri_identity);
Datum
modelreg_uri_identity(PG_FUNCTION_ARGS)
{
	MrModelUri	uri;
	pg_uuid_t  *identity;

	parse_argument(fcinfo, &uri);
	if (uri.kind != MR_URI_PERMANENT)
		PG_RETURN_NULL();
	identity = (pg_uuid_t *) palloc(sizeof(pg_uuid_t));
	*identity = uri.identity;
	PG_RETURN_UUID_P(identity);
}

PG_FUNCTION_INFO_V1(modelreg_uri_model_id);
Datum
modelreg_uri_model_id(PG_FUNCTION_ARGS)
{
	MrModelUri	uri;

	parse_argument(fcinfo, &uri);
	if (uri.model_id == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(uri.model_id);
}
