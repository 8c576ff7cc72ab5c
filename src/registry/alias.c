/*
 * alias.c
 *		Aliases: movable names of versions.
 *
 * Where an alias points is a decision about the model: an event in the chain
 * of its decisions, under that chain's lock.  The table alias is what the
 * events amount to.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "audit/audit.h"
#include "base/args.h"
#include "base/errors.h"
#include "registry/registry.h"
#include "registry/registry_tables.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_set_alias);
PG_FUNCTION_INFO_V1(modelreg_remove_alias);

/* What the caller asked for. */
typedef struct AliasChange
{
	bool		removes;
	char	   *alias;
	int32		version;		/* 0: remove it */
	MrVersionBirth birth;		/* of the version */
	bool		has_expected;
	int32		expected;		/* 0: there is none */
	char	   *reason;
} AliasChange;

static void
check_expected(const MrModel *model, const AliasChange *change, int32 present)
{
	if (!change->has_expected || change->expected == present)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("alias \"%s\" of \"%s\" points to version %d, not %d",
					change->alias, mr_model_address(model), present,
					change->expected),
			 errdetail("0 stands for an alias that does not exist."),
			 errhint("Look where it points with modelreg.get_by_alias(), and decide anew."),
			 mr_reason("alias_differs")));
}

/* Where the alias points now, its row locked in the slot; 0 for nowhere. */
static int32
lock_alias(MrTable *table, int64 model, const char *alias)
{
	Datum		keys[2] = {Int64GetDatum(model), CStringGetTextDatum(alias)};

	if (!mr_table_lock(table, "alias_pkey", 2, keys))
		return 0;
	return DatumGetInt32(mr_table_get(table, ALIAS_VERSION, NULL));
}

static Jsonb *
describe(const AliasChange *change, int32 replaced)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "alias", change->alias);
	if (change->version != 0)
		mr_json_add_int(&json, "version", change->version);
	mr_json_add_id(&json, "replaced", replaced);
	return mr_json_end(&json);
}

/* Bring the row, which is in the slot if there is one, to what is decided. */
static void
write_alias(MrTable *table, const MrModel *model, const AliasChange *change,
			bool exists, TimestampTz at)
{
	Datum		values[ALIAS_COLUMNS];
	bool		nulls[ALIAS_COLUMNS] = {false};

	values[ALIAS_MODEL_ID - 1] = Int64GetDatum(model->id);
	values[ALIAS_ALIAS - 1] = CStringGetTextDatum(change->alias);
	values[ALIAS_TEAM_ID - 1] = Int64GetDatum(model->team.id);
	values[ALIAS_VERSION - 1] = Int32GetDatum(change->version);
	values[ALIAS_SINCE - 1] = TimestampTzGetDatum(at);
	values[ALIAS_VERSION_IDENTITY - 1] = UUIDPGetDatum(&change->birth.identity);
	values[ALIAS_VERSION_REGISTERED_AT - 1] = TimestampTzGetDatum(change->birth.registered_at);
	if (!exists)
		mr_table_insert(table, values, nulls);
	else if (change->version == 0)
		mr_table_delete(table);
	else
		mr_table_update(table, values, nulls);
}

/* Returns the number of the event, 0 when all is as asked already. */
static int64
change_alias(MrVerb *verb, const MrModel *model, const AliasChange *change)
{
	MrHead	   *head = mr_model_lock(model);
	MrTable    *table = mr_table_open("alias");
	int32		present = lock_alias(table, model->id, change->alias);
	int64		number = 0;

	check_expected(model, change, present);
	if (present == change->version)
		mr_head_release(head);
	else
	{
		TimestampTz at = mr_event_append(head, verb,
										 change->removes ? "alias_removed" : "alias_set",
										 describe(change, present), change->reason);

		number = DatumGetInt64(head->values[HEAD_SEQ - 1]);
		write_alias(table, model, change, present != 0, at);
		mr_model_notify(model->id);
		mr_head_save(head);
	}
	mr_table_close(table);
	return number;
}

/* The frame of both verbs: returns the event's number, NULL for none. */
static Datum
run(FunctionCallInfo fcinfo, const char *name, AliasChange *change,
	int request_id_arg)
{
	MrModel		model;
	MrVerb		verb;
	int64		number = 0;

	if (mr_model_verb_begin(&verb, fcinfo, name, MR_CONTRIBUTOR,
							request_id_arg, &model))
	{
		if (!change->removes)
			change->birth = mr_require_version(&model, change->version, NULL);
		number = change_alias(&verb, &model, change);
	}
	MR_VERB_RETURN_NUMBER(&verb, "number", number);
}

static void
expected_arg(FunctionCallInfo fcinfo, int n, AliasChange *change)
{
	change->has_expected = !PG_ARGISNULL(n);
	change->expected = change->has_expected ? PG_GETARG_INT32(n) : 0;
}

/*
 * modelreg.set_alias(model text, alias text, version integer,
 *		expected integer, reason text, request_id text) returns bigint
 *
 * Returns the number of the decision, NULL when it points there already.
 * Errors: 22023 and 42939 for what is no alias, 42704 for model or version,
 * 42501, 55000 when it points elsewhere than was expected.
 */
Datum
modelreg_set_alias(PG_FUNCTION_ARGS)
{
	AliasChange change = {0};

	change.alias = mr_arg_text(fcinfo, 1, "alias");
	mr_check_alias_name(change.alias, NULL);
	mr_arg_require(fcinfo, 2, "version");
	change.version = PG_GETARG_INT32(2);
	expected_arg(fcinfo, 3, &change);
	change.reason = mr_arg_text_or_null(fcinfo, 4);
	return run(fcinfo, "set_alias", &change, 5);
}

/*
 * modelreg.remove_alias(model text, alias text, expected integer,
 *		reason text, request_id text) returns bigint
 *
 * Returns the number of the decision, NULL when there is no such alias.
 * Errors: as set_alias().
 */
Datum
modelreg_remove_alias(PG_FUNCTION_ARGS)
{
	AliasChange change = {.removes = true};

	change.alias = mr_arg_text(fcinfo, 1, "alias");
	mr_check_alias_name(change.alias, NULL);
	expected_arg(fcinfo, 2, &change);
	change.reason = mr_arg_text_or_null(fcinfo, 3);
	return run(fcinfo, "remove_alias", &change, 4);
}
