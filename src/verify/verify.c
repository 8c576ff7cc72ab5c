/*
 * verify.c
 *		verify(): what it covers, and how its checks run.
 *
 * A check is a statement that lists what is wrong, or a walk over the rows
 * of one.  All run under the snapshot of the caller's statement, as the
 * owner, reading only.  A row that somebody forged may hold anything, so each
 * check runs in a subtransaction, and an error that the data causes is
 * reported as a finding.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "access/access.h"
#include "audit/fold.h"
#include "base/format.h"
#include "base/owner.h"
#include "registry/registry.h"
#include "verify/verify.h"

PG_FUNCTION_INFO_V1(modelreg_verify);

MrVerifyStep mr_verify_protection = NULL;

/* How many rows are read between two looks at the clock. */
#define CLOCK_ROWS 256
#define NOTICE_INTERVAL_MS 20000

/* Add a finding. */
void
mr_verify_report(MrVerify *verify, const char *check, const char *object,
				 const char *detail,...)
{
	StringInfoData text;
	va_list		args;
	Datum		values[3];
	bool		nulls[3] = {false};

	initStringInfo(&text);
	va_start(args, detail);
	mr_append_va(&text, detail, args);
	va_end(args);
	values[0] = CStringGetTextDatum(check);
	values[1] = CStringGetTextDatum(object);
	values[2] = CStringGetTextDatum(text.data);
	tuplestore_putvalues(verify->result->setResult, verify->result->setDesc,
						 values, nulls);
	pfree(text.data);
}

/*
 * Is it an error that what is stored caused, not the session?  A relation's
 * file can be gone, and catalogs that were written to end in internal errors.
 */
static bool
is_caused_by_data(int sqlerrcode)
{
	switch (ERRCODE_TO_CATEGORY(sqlerrcode))
	{
		case ERRCODE_DATA_EXCEPTION:
		case ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
		case ERRCODE_INTERNAL_ERROR:	/* and corrupted data or indexes */
			return true;
		default:
			return sqlerrcode == ERRCODE_UNDEFINED_FILE;
	}
}

/* Run a step; the error that the data caused, or NULL. */
static ErrorData *
catch_error(MrVerify *verify, MrVerifyStep step, const void *arg)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		step(verify, arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (!is_caused_by_data(error->sqlerrcode))
			ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

/* The same for one that has a name. */
static ErrorData *
run_step(MrVerify *verify, const char *what, MrVerifyStep step, const void *arg)
{
	verify->doing = what;
	ereport(DEBUG1, (errmsg_internal("verify: %s", what)));
	return catch_error(verify, step, arg);
}

/* Read a row; what is wrong with it if that fails, or NULL. */
char *
mr_verify_catch(MrVerify *verify, MrVerifyStep step, const void *arg)
{
	ErrorData  *error = catch_error(verify, step, arg);

	if (error == NULL)
		return NULL;
	return error->detail != NULL ? error->detail : error->message;
}

/* Run a step; false if the data make it fail. */
bool
mr_verify_try(MrVerify *verify, const char *what, MrVerifyStep step,
			  const void *arg)
{
	ErrorData  *error = run_step(verify, what, step, arg);

	if (error != NULL)
		FreeErrorData(error);
	return error == NULL;
}

/* The same; that they do is a finding, and the next step goes on. */
bool
mr_verify_run(MrVerify *verify, const char *what, MrVerifyStep step,
			  const void *arg)
{
	ErrorData  *error = run_step(verify, what, step, arg);

	if (error == NULL)
		return true;
	mr_verify_report(verify, "unreadable", what, "%s", error->message);
	FreeErrorData(error);
	return false;
}

/* Statements of these names would find nothing.  The names are constants. */
void
mr_verify_show(MrVerify *verify, const char *const *names, int n)
{
	MemoryContext old = MemoryContextSwitchTo(verify->context);

	for (int i = 0; i < n; i++)
		verify->shown = lappend(verify->shown, unconstify(char *, names[i]));
	MemoryContextSwitchTo(old);
}

bool
mr_verify_is_shown(const MrVerify *verify, const char *name)
{
	ListCell   *cell;

	foreach(cell, verify->shown)
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	return false;
}

/* Count a row; tell the client every twenty seconds how far we are. */
static void
count_row(MrVerify *verify)
{
	CHECK_FOR_INTERRUPTS();
	verify->seen++;
	if (verify->seen % CLOCK_ROWS != 0 ||
		GetCurrentTimestamp() < verify->next_notice)
		return;
	ereport(NOTICE,
			(errmsg("verify: " INT64_FORMAT " rows read, now at %s",
					verify->seen, verify->doing)));
	verify->next_notice =
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(), NOTICE_INTERVAL_MS);
}

/* Where the executor sends the rows of a statement: each to a function. */
typedef struct RowReceiver
{
	DestReceiver pub;
	MrVerify   *verify;
	MrVerifyRow row;
	void	   *state;
} RowReceiver;

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *receiver = (RowReceiver *) self;
	MemoryContext context = receiver->verify->row_context;
	MemoryContext old = MemoryContextSwitchTo(context);

	count_row(receiver->verify);
	slot_getallattrs(slot);
	receiver->row(receiver->verify, slot, receiver->state);
	MemoryContextReset(context);
	MemoryContextSwitchTo(old);
	return true;
}

static void
receive_startup(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
receive_end(DestReceiver *self)
{
}

/* Plans of the statements for the whole registry, which are always the same. */
typedef struct KeptPlan
{
	const char *sql;			/* hash key: the address of a constant */
	SPIPlanPtr	plan;
} KeptPlan;

static HTAB *kept_plans = NULL;

static SPIPlanPtr
prepare(const char *sql, int nargs, int options)
{
	Oid			types[2] = {INT8OID, INT8OID};
	SPIPlanPtr	plan = SPI_prepare_cursor(sql, nargs, types, options);

	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\": %s", sql,
			 SPI_result_code_string(SPI_result));
	return plan;
}

/*
 * A statement of the whole registry: without its parameters, which are NULL.
 * So the planner sees that conditions with them hold for every row.
 */
static char *
without_params(const char *sql)
{
	StringInfoData text;

	initStringInfo(&text);
	for (const char *p = sql; *p != '\0'; p++)
	{
		if (p[0] == '$' && (p[1] == '1' || p[1] == '2'))
		{
			appendStringInfoString(&text, "NULL::bigint");
			p++;
		}
		else
			appendStringInfoChar(&text, *p);
	}
	return text.data;
}

static SPIPlanPtr
kept_plan(const char *sql, int options)
{
	HASHCTL		control = {.keysize = sizeof(char *),.entrysize = sizeof(KeptPlan)};
	KeptPlan   *kept;
	SPIPlanPtr	plan;

	if (kept_plans == NULL)
		kept_plans = hash_create("modelreg verify plans", 64, &control,
								 HASH_ELEM | HASH_BLOBS);
	kept = hash_search(kept_plans, &sql, HASH_FIND, NULL);
	if (kept != NULL)
		return kept->plan;
	plan = prepare(without_params(sql), 0, options);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the plan of \"%s\"", sql);
	kept = hash_search(kept_plans, &sql, HASH_ENTER, NULL);
	kept->plan = plan;
	return plan;
}

/* $1 and $2 of the statements. */
static ParamListInfo
scope_params(const MrVerify *verify)
{
	ParamListInfo params = makeParamList(2);
	bool		nulls[2] = {verify->scope == MR_VERIFY_ALL,
	verify->scope != MR_VERIFY_MODEL};
	int64		values[2] = {verify->team, verify->model};

	for (int i = 0; i < 2; i++)
	{
		params->params[i].value = Int64GetDatum(values[i]);
		params->params[i].isnull = nulls[i];
		params->params[i].pflags = PARAM_FLAG_CONST;
		params->params[i].ptype = INT8OID;
	}
	return params;
}

static void
run_sql(MrVerify *verify, const char *sql, int options, MrVerifyRow row,
		void *state)
{
	bool		all = verify->scope == MR_VERIFY_ALL;
	SPIPlanPtr	plan = all ? kept_plan(sql, options) :
		prepare(sql, 2, options | CURSOR_OPT_CUSTOM_PLAN);
	RowReceiver receiver = {{receive_row, receive_startup, receive_end, receive_end, DestTuplestore},
	verify, row, state};
	SPIExecuteOptions run = {.read_only = true,.dest = &receiver.pub};
	int			result;

	run.params = all ? NULL : scope_params(verify);
	result = SPI_execute_plan_extended(plan, &run);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not run \"%s\": %s", sql, SPI_result_code_string(result));
	if (all)
		return;
	pfree(run.params);
	SPI_freeplan(plan);
}

/*
 * Give each row of a statement, a constant, to a function, in a memory
 * context that is emptied after it.  $1 is the team, $2 the model, NULL where
 * the scope is wider; a team's or model's plan knows which, so that it may
 * use their indexes.
 */
void
mr_verify_scan(MrVerify *verify, const char *sql, MrVerifyRow row, void *state)
{
	run_sql(verify, sql, 0, row, state);
}

static void
report_row(MrVerify *verify, TupleTableSlot *slot, void *check)
{
	Datum	   *values = slot->tts_values;
	bool	   *nulls = slot->tts_isnull;

	mr_verify_report(verify, check,
					 nulls[0] ? "" : TextDatumGetCString(values[0]), "%s",
					 nulls[1] ? "it has a null" : TextDatumGetCString(values[1]));
}

/*
 * Report each row of a statement, an object and a detail.  Workers may help,
 * as nothing but the statement is done meanwhile.
 */
void
mr_verify_findings(MrVerify *verify, const char *check, const char *sql)
{
	run_sql(verify, sql, CURSOR_OPT_PARALLEL_OK, report_row,
			unconstify(char *, check));
}

static void
set_team_scope(MrVerify *verify, const char *team)
{
	verify->scope = MR_VERIFY_TEAM;
	verify->team = mr_require_team(team, MR_READER).id;
}

/* Who reads a team may verify it; who verifies all is an auditor. */
void
mr_verify_parse_scope(MrVerify *verify, const char *scope)
{
	if (scope == NULL)
	{
		mr_require_registry(MR_AUDITOR);
		verify->scope = MR_VERIFY_ALL;
	}
	else if (strncmp(scope, "team:", strlen("team:")) == 0)
		set_team_scope(verify, scope + strlen("team:"));
	else if (strchr(scope, '.') == NULL)
		set_team_scope(verify, scope);
	else
	{
		MrModel		model = mr_require_model(scope, MR_READER, GetActiveSnapshot());

		verify->scope = MR_VERIFY_MODEL;
		verify->team = model.team.id;
		verify->model = model.id;
	}
}

static void
count_redacted(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	verify->redacted = DatumGetInt64(slot->tts_values[0]);
}

static void
verify_redacted(MrVerify *verify, const void *arg)
{
	mr_verify_scan(verify,
				   "SELECT count(*) FROM modelreg.payload p WHERE p.salt IS NULL AND p.body IS NULL "
				   "AND ($1 IS NULL OR p.team_id = $1) AND $2 IS NULL",
				   count_redacted, NULL);
}

static void
tell_what_is_gone(MrVerify *verify)
{
	mr_verify_run(verify, "redacted texts", verify_redacted, NULL);
	if (verify->redacted > 0)
		ereport(NOTICE,
				(errmsg_plural(INT64_FORMAT " text was redacted",
							   INT64_FORMAT " texts were redacted",
							   verify->redacted, verify->redacted)));
	if (verify->purged > 0)
		ereport(NOTICE,
				(errmsg_plural("the bytes of " INT64_FORMAT " digest were purged",
							   "the bytes of " INT64_FORMAT " digests were purged",
							   verify->purged, verify->purged)));
}

static void
set_locally(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * What sorts some hundred thousand events in memory; more go to disk.
 */
#define ENOUGH_WORK_MEM (128 * 1024)

/*
 * Until mr_owner_end(): what reads whole tables must not choose loops over
 * them because a restored table has no statistics yet, or because a condition
 * on JSON is estimated too low.
 */
static void
plan_for_scope(MrVerify *verify)
{
	set_locally("jit", "off");
	/* a scan that another one has begun reads events in another order than that in which they are stored */
	set_locally("synchronize_seqscans", "off");
	if (work_mem < ENOUGH_WORK_MEM)
		set_locally("work_mem", "128MB");
	if (verify->scope != MR_VERIFY_MODEL)
		set_locally("enable_nestloop", "off");
}

static void
run_checks(MrVerify *verify)
{
	MrOwnerScope scope;

	mr_owner_begin(&scope);
	plan_for_scope(verify);
	/* names of types are compared as text, and this setting quotes them */
	set_locally("quote_all_identifiers", "off");
	/* and numbers in binary as the shortest decimals */
	set_locally("extra_float_digits", "1");
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	mr_verify_rows(verify);
	mr_verify_chains(verify);
	mr_verify_facts(verify);
	mr_verify_bytes(verify);
	mr_verify_keys(verify);
	mr_verify_statements(verify);
	mr_verify_governance(verify);
	mr_verify_serving(verify);
	mr_verify_attestations(verify);
	if (verify->scope == MR_VERIFY_ALL && mr_verify_protection != NULL)
		mr_verify_run(verify, "the guard", mr_verify_protection, NULL);
	tell_what_is_gone(verify);
	SPI_finish();
	mr_owner_end(&scope);
}

/*
 * modelreg.verify(scope text, deep boolean)
 *		returns TABLE (check_name text, object text, detail text)
 *
 * No rows: nothing was tampered with.  Errors: 42501 for who may not read
 * the scope, 42704 for a team or model that does not exist.
 */
Datum
modelreg_verify(PG_FUNCTION_ARGS)
{
	MrVerify	verify = {0};

	mr_verify_parse_scope(&verify, PG_ARGISNULL(0) ? NULL :
						  text_to_cstring(PG_GETARG_TEXT_PP(0)));
	verify.deep = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);
	InitMaterializedSRF(fcinfo, 0);
	verify.result = (ReturnSetInfo *) fcinfo->resultinfo;
	verify.context = CurrentMemoryContext;
	verify.row_context = AllocSetContextCreate(CurrentMemoryContext,
											   "modelreg verify row",
											   ALLOCSET_DEFAULT_SIZES);
	verify.next_notice = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													 NOTICE_INTERVAL_MS);
	run_checks(&verify);
	MemoryContextDelete(verify.row_context);
	return (Datum) 0;
}

void
mr_verify_init(void)
{
	mr_fold_add(&mr_verify_models_fold);
	mr_fold_add(&mr_verify_evidence_fold);
	mr_fold_add(&mr_verify_requests_fold);
	mr_fold_add(&mr_verify_pins_fold);
	mr_fold_add(&mr_verify_leaving_fold);
}
