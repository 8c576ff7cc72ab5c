/*
 * stage.c
 *		The type stage: one byte, passed by value.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"

#include "base/compat.h"
#include "base/errors.h"
#include "types/parse.h"
#include "types/stage.h"

static const char *const stage_names[] = {
	[MR_STAGE_EXPERIMENTAL] = "Experimental",
	[MR_STAGE_STAGING] = "Staging",
	[MR_STAGE_PRODUCTION] = "Production",
	[MR_STAGE_ARCHIVED] = "Archived"
};

const char *
mr_stage_name(MrStage stage)
{
	if (stage < MR_STAGE_EXPERIMENTAL || stage > MR_STAGE_ARCHIVED)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("invalid stage number: %d", (int) stage)));
	return stage_names[stage];
}

MrStage
mr_stage_lookup(const char *start, Size len)
{
	for (int i = MR_STAGE_EXPERIMENTAL; i <= MR_STAGE_ARCHIVED; i++)
	{
		if (strlen(stage_names[i]) == len &&
			pg_strncasecmp(stage_names[i], start, len) == 0)
			return (MrStage) i;
	}
	return MR_STAGE_NONE;
}

MrStage
mr_stage_parse(const char *text, Node *escontext)
{
	MrStage		stage = mr_stage_lookup(text, strlen(text));

	if (stage == MR_STAGE_NONE)
		ereturn(escontext, MR_STAGE_NONE,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"",
						"modelreg.stage", mr_text_clip(text)),
				 errdetail("A stage is Experimental, Staging, Production or Archived."),
				 mr_reason("invalid_syntax")));
	return stage;
}

PG_FUNCTION_INFO_V1(modelreg_stage_in);
Datum
modelreg_stage_in(PG_FUNCTION_ARGS)
{
	MrStage		stage = mr_stage_parse(PG_GETARG_CSTRING(0), fcinfo->context);

	if (stage == MR_STAGE_NONE)
		PG_RETURN_NULL();
	PG_RETURN_MRSTAGE(stage);
}

PG_FUNCTION_INFO_V1(modelreg_stage_out);
Datum
modelreg_stage_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(pstrdup(mr_stage_name(PG_GETARG_MRSTAGE(0))));
}

/* The name goes over the wire: a client needs no list of our numbers. */
PG_FUNCTION_INFO_V1(modelreg_stage_send);
Datum
modelreg_stage_send(PG_FUNCTION_ARGS)
{
	const char *name = mr_stage_name(PG_GETARG_MRSTAGE(0));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendtext(&buf, name, strlen(name));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(modelreg_stage_recv);
Datum
modelreg_stage_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len;
	char	   *text = pq_getmsgtext(buf, buf->len - buf->cursor, &len);

	PG_RETURN_MRSTAGE(mr_stage_parse(text, NULL));
}
