/*
 * compatibility.c
 *		Modes of compatibility, and telling what is not compatible.
 */
#include "postgres.h"

#include "funcapi.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/format.h"
#include "base/row.h"
#include "registry/compatibility.h"
#include "types/parse.h"

static const struct
{
	const char *name;
	MrCompatibility mode;
}			modes[] = {
	{"BACKWARD", MR_BACKWARD}, {"FORWARD", MR_FORWARD}, {"FULL", MR_FULL}
};

/* MR_COMPATIBILITY_NONE for a name that is none. */
MrCompatibility
mr_compatibility_parse(const char *name)
{
	for (int i = 0; i < lengthof(modes); i++)
		if (strcmp(name, modes[i].name) == 0)
			return modes[i].mode;
	return MR_COMPATIBILITY_NONE;
}

/* Argument n of a function: a mode; 22004 or 22023 otherwise. */
MrCompatibility
mr_compatibility_argument(FunctionCallInfo fcinfo, int n)
{
	char	   *name = mr_arg_text(fcinfo, n, "mode");
	MrCompatibility mode = mr_compatibility_parse(name);

	if (mode == MR_COMPATIBILITY_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown mode of compatibility \"%s\"", mr_text_clip(name)),
				 errhint("It is " MR_COMPATIBILITY_MODES "."),
				 mr_reason("invalid_argument")));
	return mode;
}

/* A row of a function that returns a table; that for schemas has no sides. */
void
mr_incompatibility_row(const char *side, const char *item, const char *detail,
					   void *arg)
{
	ReturnSetInfo *rsinfo = arg;
	Datum		values[3];
	bool		nulls[3];
	int			n = 0;

	if (side != NULL)
		mr_set_text(values, nulls, n++, side);
	mr_set_text(values, nulls, n++, item);
	mr_set_text(values, nulls, n++, detail);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Report what is compared now. */
void
mr_reading_report(MrReading *reading, const char *format,...)
{
	MemoryContext old = MemoryContextSwitchTo(reading->context);
	StringInfoData detail;
	const char *item = reading->path.len > 0 ? reading->path.data : NULL;
	va_list		args;

	initStringInfo(&detail);
	va_start(args, format);
	mr_append_va(&detail, format, args);
	va_end(args);
	reading->report(reading->side, item, detail.data, reading->arg);
	pfree(detail.data);
	MemoryContextSwitchTo(old);
}

/* Go down to a part; returns what mr_reading_leave() needs. */
int
mr_reading_enter(MrReading *reading, const char *before, const JsonbValue *name,
				 const char *after)
{
	int			length = reading->path.len;

	appendStringInfoString(&reading->path, before);
	if (name != NULL)
		appendStringInfoString(&reading->path,
							   mr_text_clip_part(name->val.string.val, name->val.string.len));
	appendStringInfoString(&reading->path, after);
	return length;
}

void
mr_reading_leave(MrReading *reading, int length)
{
	reading->path.len = length;
	reading->path.data[length] = '\0';
}
