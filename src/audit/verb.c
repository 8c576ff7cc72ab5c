/*
 * verb.c
 *		What every call of a verb begins and ends with.
 *
 * A verb that is given a request id does its work once: the id, unique per
 * team and verb, is stored with the hash of the arguments and with the
 * result, and a repeated call returns that result.
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "audit/audit.h"
#include "audit/audit_tables.h"
#include "audit/history.h"
#include "audit/repeat.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/lock.h"
#include "types/names.h"

#define REQUEST_ID_MAX 255		/* bytes */

/* The hash of all arguments but the request id itself. */
static bytea *
hash_arguments(FunctionCallInfo fcinfo, const char *name, int request_id_arg)
{
	StringInfoData buf;
	HeapTuple	function = SearchSysCache1(PROCOID, ObjectIdGetDatum(fcinfo->flinfo->fn_oid));
	Oid		   *types;
	char	  **names;
	char	   *modes;

	if (!HeapTupleIsValid(function))
		elog(ERROR, "cache lookup failed for function %u", fcinfo->flinfo->fn_oid);
	(void) get_func_arg_info(function, &types, &names, &modes);
	ReleaseSysCache(function);
	initStringInfo(&buf);
	mr_encode_row_start(&buf, name, 1);
	for (int i = 0; i < PG_NARGS(); i++)
		if (i != request_id_arg)
			mr_encode_datum(&buf, types[i],
							mr_arg_from_first(fcinfo, i, names[i], types[i]),
							PG_ARGISNULL(i));
	return mr_sha256_bytea(buf.data, buf.len);
}

static void
check_request_id(const char *request_id)
{
	size_t		len = strlen(request_id);

	if (len == 0 || len > REQUEST_ID_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("request id must have 1 to %d bytes", REQUEST_ID_MAX),
				 mr_reason("invalid_request_id")));
}

/*
 * Two calls with one request id must not run side by side: the second waits
 * here until the first has stored its result, and then for its transaction.
 */
static void
lock_request(MrVerb *verb)
{
	StringInfo	key = &verb->request_key;

	initStringInfo(key);
	mr_encode_row_start(key, verb->name, 1);
	mr_encode_datum(key, INT8OID, Int64GetDatum(verb->team.id), false);
	mr_encode_bytes(key, verb->request_id, strlen(verb->request_id));
	mr_lock_key(MR_LOCK_REQUEST_ID, key->data, key->len);
}

static void
unlock_request(MrVerb *verb)
{
	if (verb->request_key.data != NULL)
		mr_unlock_key(MR_LOCK_REQUEST_ID, verb->request_key.data,
					  verb->request_key.len);
}

/*
 * What maintenance runs, such as the function of an index under ANALYZE, runs
 * as the owner of the table, whoever began it: nobody decided anything there,
 * and the event would name the wrong person as the one who began it.
 */
static void
refuse_in_maintenance(const char *name)
{
	if (InSecurityRestrictedOperation())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot execute %s within security-restricted operation",
						name),
				 errhint("Call it in a statement of its own, not in an index or a materialized view."),
				 mr_reason("restricted_operation")));
}

/*
 * Begin a verb that says what a restored registry is; else as mr_verb_begin().
 */
void
mr_verb_begin_undeclared(MrVerb *verb, FunctionCallInfo fcinfo,
						 const char *name, const MrTeam *team,
						 int request_id_arg)
{
	MemoryContext context = CurrentMemoryContext;

	refuse_in_maintenance(name);
	memset(verb, 0, sizeof(MrVerb));
	verb->name = name;
	verb->team = *team;
	verb->who = mr_who();
	if (request_id_arg >= 0 && !PG_ARGISNULL(request_id_arg))
	{
		verb->request_id = text_to_cstring(PG_GETARG_TEXT_PP(request_id_arg));
		check_request_id(verb->request_id);
		verb->content = hash_arguments(fcinfo, name, request_id_arg);
	}
	PreventCommandIfReadOnly(name);
	mr_owner_begin(&verb->scope);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	MemoryContextSwitchTo(context);
}

/*
 * Begin a verb: note who calls, become the owner.  The caller has been
 * authorized for the team (the zero team for the registry).  request_id_arg
 * is the number of the argument with the request id, or -1.
 */
void
mr_verb_begin(MrVerb *verb, FunctionCallInfo fcinfo, const char *name,
			  const MrTeam *team, int request_id_arg)
{
	mr_verb_begin_undeclared(verb, fcinfo, name, team, request_id_arg);
	mr_history_require();
}

/*
 * What the verb does to another team goes into that one's chain.  Who did it
 * is told there; by which request, from which program and where, is the caller's own
 * affair.
 */
void
mr_verb_on_behalf(MrVerb *verb, const MrTeam *team)
{
	verb->on_behalf = verb->team.id != team->id;
	verb->team = *team;
	verb->request_id = NULL;
}

/* A reason that has to be given.  Errors: 22004, and 22023 where nothing can be seen. */
char *
mr_reason_arg(FunctionCallInfo fcinfo, int n)
{
	char	   *reason = mr_arg_text(fcinfo, n, "reason");

	if (!mr_text_is_visible(reason))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the reason is empty"),
				 errdetail("It has no character that can be seen."),
				 mr_reason("invalid_reason")));
	return reason;
}

/*
 * Of a verb whose effect is its caller's own, as an approval is: the same call
 * by another role, with the same request id, is another call.
 */
void
mr_verb_is_personal(MrVerb *verb)
{
	StringInfoData buf;
	bytea	   *content = verb->content;

	if (content == NULL)
		return;
	initStringInfo(&buf);
	mr_encode_row_start(&buf, verb->name, 1);
	mr_encode_bytes(&buf, VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content));
	mr_encode_datum(&buf, TEXTOID, CStringGetTextDatum(mr_json_get_text(verb->who, "role")), false);
	verb->content = mr_sha256_bytea(buf.data, buf.len);
}

static void
raise_other_content(MrVerb *verb)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("request id \"%s\" was used for another call of %s",
					verb->request_id, verb->name),
			 errhint("Repeat a call with the same arguments, or give a new request id."),
			 mr_reason("request_id_reused")));
}

/*
 * Was there an earlier call with the same request id?  Then nothing is left
 * to do, and the verb's result is that one's.  Error 23505 if that call had
 * other arguments.
 */
bool
mr_verb_repeats(MrVerb *verb)
{
	MrTable    *table;
	Datum		keys[3];

	if (verb->request_id == NULL)
		return false;
	lock_request(verb);
	table = mr_table_open_read("request_id");
	keys[0] = Int64GetDatum(verb->team.id);
	keys[1] = CStringGetTextDatum(verb->name);
	keys[2] = CStringGetTextDatum(verb->request_id);
	mr_table_await_key(table, "request_id_pkey", 3, keys);
	if (mr_table_find_latest(table, "request_id_pkey", 3, keys))
	{
		bytea	   *content = DatumGetByteaPP(mr_table_get(table, REQUEST_ID_CONTENT, NULL));

		if (VARSIZE_ANY_EXHDR(content) != MR_HASH_LEN ||
			memcmp(VARDATA_ANY(content), VARDATA_ANY(verb->content), MR_HASH_LEN) != 0)
			raise_other_content(verb);
		verb->earlier = DatumGetJsonbPCopy(mr_table_get(table, REQUEST_ID_RESULT, NULL));
	}
	mr_table_close(table);
	return verb->earlier != NULL;
}

static void
store_result(MrVerb *verb, Jsonb *result)
{
	Datum		values[REQUEST_ID_COLUMNS];
	bool		nulls[REQUEST_ID_COLUMNS] = {false};

	values[REQUEST_ID_TEAM_ID - 1] = Int64GetDatum(verb->team.id);
	values[REQUEST_ID_VERB - 1] = CStringGetTextDatum(verb->name);
	values[REQUEST_ID_REQUEST_ID - 1] = CStringGetTextDatum(verb->request_id);
	values[REQUEST_ID_CONTENT - 1] = PointerGetDatum(verb->content);
	values[REQUEST_ID_RESULT - 1] = JsonbPGetDatum(result);
	mr_insert_row("request_id", values, nulls);
}

static void
leave(MrVerb *verb)
{
	MemoryContext context = CurrentMemoryContext;

	unlock_request(verb);
	SPI_finish();
	MemoryContextSwitchTo(context);
	mr_owner_end(&verb->scope);
}

/* The result is kept under the request id by the first call with it. */
static void
end_with(MrVerb *verb, MrJson *result)
{
	Jsonb	   *object = mr_json_end(result);

	if (verb->request_id != NULL && verb->earlier == NULL)
		store_result(verb, object);
	leave(verb);
}

/*
 * Is there an earlier call with the same request id?  Then only the end of the
 * verb is left to do.  Otherwise it has not begun: so this is for verbs that
 * first look, as their caller, for what they name, which may have another
 * name by the time of the repetition, or be hidden.
 */
bool
mr_verb_repeated(MrVerb *verb, FunctionCallInfo fcinfo, const char *name,
				 const MrTeam *team, int request_id_arg)
{
	if (PG_ARGISNULL(request_id_arg))
		return false;
	mr_verb_begin(verb, fcinfo, name, team, request_id_arg);
	if (mr_verb_repeats(verb))
		return true;
	leave(verb);
	return false;
}

/* End a verb that has no result. */
void
mr_verb_end(MrVerb *verb)
{
	MrJson		nothing;

	mr_json_begin(&nothing);
	end_with(verb, &nothing);
}

/*
 * End a verb whose result is one number, which is returned; if it repeats an
 * earlier call, that one's.
 */
int64
mr_verb_end_int(MrVerb *verb, const char *key, int64 value)
{
	MrJson		json;

	if (verb->earlier != NULL)
		value = mr_json_get_int(verb->earlier, key);
	mr_json_begin(&json);
	mr_json_add_int(&json, key, value);
	end_with(verb, &json);
	return value;
}

/* The same for a text. */
char *
mr_verb_end_text(MrVerb *verb, const char *key, char *value)
{
	MrJson		json;

	if (verb->earlier != NULL)
		value = mr_json_get_text(verb->earlier, key);
	mr_json_begin(&json);
	mr_json_add_text(&json, key, value);
	end_with(verb, &json);
	return value;
}
