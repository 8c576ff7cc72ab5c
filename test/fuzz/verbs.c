/*
 * verbs.c
 *		The target for all functions that return one value: each with
 *		arguments of any kind, in a subtransaction that is rolled back.
 *
 * The registry has a team t, a model t.m with version 1, a snapshot t.s@1.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "fuzz.h"

static FmgrInfo *functions;
static int	nfunctions;

static const char *const texts[] = {
	"t", "t.m", "t.new", "snapshot:t.s@1", "models:/t.m/1", "models:/t.m@a", "snapshot", "s3://b/k",
	"a", "open", "contributor", "postgres", "accuracy", "2", "run:t.r", "models:/t.m/latest"
};

static const char *const documents[] = {
	"{\"training\": [\"snapshot:t.s@1\"]}", "{\"auc\": 0.5}", "[]", "{}",
	"[{\"name\": \"w\", \"uri\": \"s3://b/k\", \"size\": 3, \"digest\": "
	"\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}]",
	"{\"inputs\": [{\"name\": \"a\", \"type\": \"double\"}], \"outputs\": [{\"type\": \"long\"}]}"
};

/* For all other types: what a type does not take is not tried. */
static const char *const others[] = {
	"1", "0", "2", "4", "-1", "t", "f", "Production", "Staging", "Archived", "models:/t.m/1", "2026-06-01",
	"1 day", "{t.m,a}", "abcd", "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
};

static void
prepare(void)
{
	if (functions != NULL)
		return;
	SPI_connect();
	SPI_execute("SELECT p.oid FROM pg_proc p WHERE pronamespace = 'modelreg'::regnamespace AND NOT proretset AND provariadic = 0 "
				"AND prorettype <> ALL ('{trigger,event_trigger,internal,cstring}'::regtype[]) "
				"AND NOT proargtypes::oid[] && '{internal,cstring}'::regtype[]::oid[] ORDER BY proname", true, 0);
	nfunctions = (int) SPI_processed;
	functions = MemoryContextAllocZero(TopMemoryContext, nfunctions * sizeof(FmgrInfo));
	for (int i = 0; i < nfunctions; i++)
	{
		bool		isnull;
		Datum		oid = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		fmgr_info_cxt(DatumGetObjectId(oid), &functions[i], TopMemoryContext);
	}
	SPI_finish();
}

static bool
parse(Oid type, const char *text, Datum *value)
{
	FmgrInfo	in;
	Oid			id;
	Oid			param;
	Datum		args[3];

	getTypeInputInfo(type, &id, &param);
	fmgr_info(id, &in);
	args[0] = CStringGetDatum(text);
	args[1] = ObjectIdGetDatum(param);
	args[2] = Int32GetDatum(-1);
	return try_call(&in, 3, args, value);
}

/* Half of all arguments mean something. */
static bool
next_argument(Source *source, Oid type, NullableDatum *arg)
{
	uint8		b = next_byte(source);

	arg->isnull = b % 8 == 0;
	arg->value = (Datum) 0;
	if (arg->isnull)
		return true;
	if (b & 1)
		return parse(type, type == TEXTOID ? texts[(b >> 1) % lengthof(texts)] :
					 type == JSONBOID ? documents[(b >> 1) % lengthof(documents)] :
					 others[(b >> 1) % lengthof(others)], &arg->value);
	return next_value(source, type, &arg->value);
}

/* Whether a function may be called at all with what was made up for it. */
static bool
next_arguments(Source *source, FmgrInfo *function, NullableDatum *args)
{
	Oid		   *types;
	int			n;

	(void) get_func_signature(function->fn_oid, &types, &n);
	for (int i = 0; i < n; i++)
	{
		if (!next_argument(source, types[i], &args[i]) ||
			(args[i].isnull && function->fn_strict))
			return false;
	}
	return true;
}

void
fuzz_verbs(const uint8 *data, size_t len, const char *unused)
{
	Source		source = {data, data + len};
	NullableDatum args[FUNC_MAX_ARGS];
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	FmgrInfo   *function;

	prepare();
	function = &functions[(next_byte(&source) << 8 | next_byte(&source)) % nfunctions];
	if (!next_arguments(&source, function, args))
		return;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	try_call_nullable(function, function->fn_nargs, args);
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
}
