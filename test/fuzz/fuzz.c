/*
 * fuzz.c
 *		libFuzzer inside a single-user server: fuzz(target, arguments).
 *
 * The targets call the extension's functions as the server does, by fmgr,
 * with the server's own JSON, numeric and encoding code around them; only
 * the extension is instrumented.  A crash, a sanitizer's report, an error of
 * class XX or a property that does not hold ends the process, and libFuzzer
 * writes the input to a file.
 */
#include "postgres.h"

#include <unistd.h>

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "fuzz.h"

PG_MODULE_MAGIC;

extern int	LLVMFuzzerRunDriver(int *argc, char ***argv,
								int (*callback) (const uint8 *data, size_t size));

typedef struct Target
{
	const char *name;
	void		(*run) (const uint8 *data, size_t len, const char *argument);
	const char *argument;
} Target;

static const Target targets[] = {
	{"digest", fuzz_type, "modelreg.digest"},
	{"model_uri", fuzz_type, "modelreg.model_uri"},
	{"stage", fuzz_type, "modelreg.stage"},
	{"traffic_split", fuzz_type, "modelreg.traffic_split"},
	{"names", fuzz_names, NULL},
	{"json", fuzz_json, NULL},
	{"signature", fuzz_signature, NULL},
	{"row", fuzz_row, NULL},
	{"policy", fuzz_policy, NULL},
	{"envelope", fuzz_envelope, NULL},
	{"compatibility", fuzz_compatibility, NULL},
	{"plan", fuzz_plan, NULL},
	{"search", fuzz_search, NULL},
	{"verbs", fuzz_verbs, NULL}
};

static const Target *target;
static MemoryContext input_context;

/*
 * Before any other library's constructor (-z initfirst): AddressSanitizer
 * starts with the first malloc, and hangs if that comes from inside gettext.
 * What it starts itself, a symbolizer, is no server and must not preload us.
 */
__attribute__((constructor)) static void
start_sanitizer(int argc, char **argv, char **envp)
{
	free(malloc(1));
	for (; *envp != NULL; envp++)
	{
		if (strncmp(*envp, "LD_PRELOAD=", strlen("LD_PRELOAD=")) == 0)
			memset(*envp, 0, strlen(*envp));
	}
}

void
fuzz_failure(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
	abort();
}

/* What the server would let in as text: UTF-8 without NUL. */
bool
is_text(const uint8 *data, size_t len)
{
	return pg_verify_mbstr(PG_UTF8, (const char *) data, len, true);
}

/* OID of a function such as "modelreg.canonical_json(jsonb)". */
Oid
function_oid(const char *signature)
{
	return DatumGetObjectId(DirectFunctionCall1(regprocedurein,
												CStringGetDatum(signature)));
}

/*
 * Call a function and say whether it returned.  It may raise what it thinks
 * of its arguments, in words that a client can read, and nothing else.
 */
static bool
call(FunctionCallInfo fcinfo, Datum *result)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool returned = true;

	PG_TRY();
	{
		*result = FunctionCallInvoke(fcinfo);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INTERNAL_ERROR)
			fprintf(stderr, "%s\n", error->message);
		check(ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_INTERNAL_ERROR);
		check(error->message != NULL && is_text((uint8 *) error->message, strlen(error->message)));
		check(error->detail == NULL || is_text((uint8 *) error->detail, strlen(error->detail)));
		check(error->hint == NULL || is_text((uint8 *) error->hint, strlen(error->hint)));
		returned = false;
	}
	PG_END_TRY();
	return returned;
}

bool
try_call_nullable(FmgrInfo *function, int nargs, const NullableDatum *args)
{
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);
	Datum		result;

	InitFunctionCallInfoData(*fcinfo, function, nargs, DEFAULT_COLLATION_OID, NULL, NULL);
	memcpy(fcinfo->args, args, nargs * sizeof(NullableDatum));
	return call(fcinfo, &result);
}

/* Without NULLs, and the result is not NULL either. */
bool
try_call(FmgrInfo *function, int nargs, const Datum *args, Datum *result)
{
	LOCAL_FCINFO(fcinfo, FUNC_MAX_ARGS);

	InitFunctionCallInfoData(*fcinfo, function, nargs, DEFAULT_COLLATION_OID, NULL, NULL);
	for (int i = 0; i < nargs; i++)
	{
		fcinfo->args[i].value = args[i];
		fcinfo->args[i].isnull = false;
	}
	if (!call(fcinfo, result))
		return false;
	check(!fcinfo->isnull);
	return true;
}

/* For what cannot fail, whatever the input was. */
Datum
must_call(FmgrInfo *function, int nargs, const Datum *args)
{
	Datum		result = (Datum) 0;

	check(try_call(function, nargs, args, &result));
	return result;
}

static int
try_input(const uint8 *data, size_t size)
{
	uint8	   *copy;

	MemoryContextReset(input_context);
	MemoryContextSwitchTo(input_context);
	copy = palloc(size);
	memcpy(copy, data, size);
	target->run(copy, size, target->argument);
	return 0;
}

static const Target *
find_target(const char *name)
{
	for (int i = 0; i < lengthof(targets); i++)
	{
		if (strcmp(targets[i].name, name) == 0)
			return &targets[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown target: \"%s\"", name)));
}

/* fuzz(target text, arguments text[]): ends the process when it is done. */
PG_FUNCTION_INFO_V1(fuzz);
Datum
fuzz(PG_FUNCTION_ARGS)
{
	Datum	   *elements;
	int			argc;
	char	  **argv;

	target = find_target(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, NULL, &argc);
	argv = palloc0((argc + 2) * sizeof(char *));
	argv[0] = pstrdup("fuzz");
	for (int i = 0; i < argc; i++)
		argv[i + 1] = TextDatumGetCString(elements[i]);
	argc++;
	input_context = exact_context_create(TopMemoryContext);
	_exit(LLVMFuzzerRunDriver(&argc, &argv, try_input));
}
