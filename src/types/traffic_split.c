/*
 * traffic_split.c
 *		The type traffic_split: stored as its canonical text, laid out like
 *		text.
 *
 * No name holds a colon or a slash, so an arm ends with the first colon and
 * its version begins behind the slash: names need no quotes.  As of
 * model_uri, the grammar may grow but never shrink.
 */
#include "postgres.h"

#include <ctype.h>

#include "fmgr.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/row.h"
#include "types/names.h"
#include "types/traffic_split.h"

#define TRAFFIC_SPLIT_TYPE "modelreg.traffic_split"

#define PERCENT_DECIMALS 4

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *
skip_blanks(const char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

/* Digits before the point: 0 to 100, without zeros before. */
static bool
scan_whole_percent(const char *start, Size len, int32 *value, MrFault *fault)
{
	*value = 0;
	if (len == 0)
		return mr_fault_set(fault, start, "a share begins with a digit.");
	if (len > 1 && *start == '0')
		return mr_fault_set(fault, start, "the share begins with a zero.");
	for (Size i = 0; i < len; i++)
	{
		if (!isdigit((unsigned char) start[i]))
			return mr_fault_set(fault, start + i,
								"the share has something other than a digit.");
		*value = *value * 10 + (start[i] - '0');
		if (*value > 100)
			return mr_fault_set(fault, start, "the share is above 100%%.");
	}
	return true;
}

static bool
scan_decimals(const char *start, Size len, int32 *value, MrFault *fault)
{
	int32		unit = 1000;

	*value = 0;
	if (len == 0)
		return mr_fault_set(fault, start, "a digit must follow the point.");
	for (Size i = 0; i < len; i++, unit /= 10)
	{
		if (i == PERCENT_DECIMALS)
			return mr_fault_set(fault, start + i,
								"a share has at most %d decimals.", PERCENT_DECIMALS);
		if (!isdigit((unsigned char) start[i]))
			return mr_fault_set(fault, start + i,
								"the share has something other than a digit.");
		*value += (start[i] - '0') * unit;
	}
	return true;
}

bool
mr_percent_scan(const char *start, Size len, int32 *millionths, MrFault *fault)
{
	const char *point;
	int32		whole;
	int32		decimals = 0;

	if (len == 0 || start[len - 1] != '%')
		return mr_fault_set(fault, start + len, "a share ends with \"%%\".");
	len--;
	point = memchr(start, '.', len);
	if (!scan_whole_percent(start, point == NULL ? len : point - start, &whole, fault))
		return false;
	if (point != NULL &&
		!scan_decimals(point + 1, start + len - point - 1, &decimals, fault))
		return false;
	*millionths = whole * (MR_WHOLE / 100) + decimals;
	return *millionths <= MR_WHOLE ||
		mr_fault_set(fault, start, "the share is above 100%%.");
}

void
mr_percent_append(StringInfo buf, int64 millionths)
{
	appendStringInfo(buf, INT64_FORMAT, millionths / (MR_WHOLE / 100));
	if (millionths % (MR_WHOLE / 100) != 0)
	{
		appendStringInfo(buf, ".%04d", (int) (millionths % (MR_WHOLE / 100)));
		while (buf->data[buf->len - 1] == '0')
			buf->data[--buf->len] = '\0';
	}
	appendStringInfoChar(buf, '%');
}

int
mr_named_arm_compare(const MrNamedArm *a, const MrNamedArm *b)
{
	int			order = (a->model != NULL) - (b->model != NULL);

	if (order == 0 && a->model != NULL)
		order = strcmp(a->model, b->model);
	return order != 0 ? order : (a->version > b->version) - (a->version < b->version);
}

/* A version number, or team.name/number. */
bool
mr_named_arm_scan(const char *start, Size len, MrNamedArm *arm, MrFault *fault)
{
	const char *slash = memchr(start, '/', len);
	const char *number = slash == NULL ? start : slash + 1;
	int64		version;
	char	   *team;
	char	   *name;

	arm->model = NULL;
	if (slash != NULL)
	{
		if (!mr_qualified_name_scan(start, slash - start, &team, &name, fault))
			return false;
		arm->model = pnstrdup(start, slash - start);
	}
	if (!mr_number_scan(number, start + len - number, PG_INT32_MAX,
						"version number", &version, fault))
		return false;
	arm->version = (int32) version;
	return true;
}

char *
mr_named_arm_print(const MrNamedArm *arm)
{
	return arm->model == NULL ? psprintf("%d", arm->version) :
		psprintf("%s/%d", arm->model, arm->version);
}

static int
compare_shares(const void *a, const void *b)
{
	return mr_named_arm_compare(&((const MrNamedShare *) a)->arm,
								&((const MrNamedShare *) b)->arm);
}

/* arm: share; where it ends */
static const char *
scan_share(const char *p, MrNamedShare *share, MrFault *fault)
{
	const char *colon = p + strcspn(p, ":");
	const char *end = colon;

	if (*colon == '\0')
	{
		mr_fault_set(fault, p, "an arm, a colon and its share must come here.");
		return NULL;
	}
	while (end > p && is_blank(end[-1]))
		end--;
	if (!mr_named_arm_scan(p, end - p, &share->arm, fault))
		return NULL;
	p = skip_blanks(colon + 1);
	end = p + strcspn(p, "%,} \t\r\n");
	if (*end == '%')
		end++;
	return mr_percent_scan(p, end - p, &share->share, fault) ? end : NULL;
}

/* Add an arm that was found at p. */
static bool
add_share(MrTrafficSplit *split, const MrNamedShare *share, const char *p,
		  MrFault *fault)
{
	if (share->share == 0)
		return mr_fault_set(fault, p, "an arm without a share is left out.");
	for (int i = 0; i < split->n; i++)
		if (mr_named_arm_compare(&split->shares[i].arm, &share->arm) == 0)
			return mr_fault_set(fault, p, "arm %s is there twice.",
								mr_named_arm_print(&share->arm));
	if (split->n == MR_MAX_ARMS)
		return mr_fault_set(fault, p, "a split has at most %d arms.", MR_MAX_ARMS);
	split->shares[split->n++] = *share;
	return true;
}

/* What is between the braces; where the closing one is. */
static const char *
scan_shares(const char *p, MrTrafficSplit *split, MrFault *fault)
{
	for (;;)
	{
		MrNamedShare share;
		const char *start = skip_blanks(p);

		p = scan_share(start, &share, fault);
		if (p == NULL || !add_share(split, &share, start, fault))
			return NULL;
		p = skip_blanks(p);
		if (*p == '}')
			return p;
		if (*p++ != ',')
		{
			mr_fault_set(fault, p - 1, "a comma or \"}\" must follow a share.");
			return NULL;
		}
	}
}

static bool
check_sum(const char *text, const MrTrafficSplit *split, MrFault *fault)
{
	StringInfoData sum;
	int64		total = 0;

	for (int i = 0; i < split->n; i++)
		total += split->shares[i].share;
	if (total == MR_WHOLE)
		return true;
	initStringInfo(&sum);
	mr_percent_append(&sum, total);
	return mr_fault_set(fault, text, "the shares add up to %s, not 100%%.", sum.data);
}

static bool
scan_split(const char *text, MrTrafficSplit *out, MrFault *fault)
{
	const char *p = skip_blanks(text);

	out->n = 0;
	if (*p != '{')
		return mr_fault_set(fault, p, "a split begins with \"{\".");
	p = scan_shares(p + 1, out, fault);
	if (p == NULL)
		return false;
	p = skip_blanks(p + 1);
	if (*p != '\0')
		return mr_fault_set(fault, p, "a split ends with \"}\".");
	qsort(out->shares, out->n, sizeof(MrNamedShare), compare_shares);
	return check_sum(text, out, fault);
}

bool
mr_traffic_split_parse(const char *text, Node *escontext, MrTrafficSplit *out)
{
	MrFault		fault;

	return scan_split(text, out, &fault) ||
		mr_syntax_error(TRAFFIC_SPLIT_TYPE, text, &fault, escontext);
}

char *
mr_traffic_split_print(const MrTrafficSplit *split)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < split->n; i++)
	{
		appendStringInfo(&buf, "%s%s: ", i == 0 ? "{" : ", ",
						 mr_named_arm_print(&split->shares[i].arm));
		mr_percent_append(&buf, split->shares[i].share);
	}
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

/* Checks and stores; NULL after a soft error. */
static text *
make_traffic_split(const char *text, Node *escontext)
{
	MrTrafficSplit split;

	if (!mr_traffic_split_parse(text, escontext, &split))
		return NULL;
	return cstring_to_text(mr_traffic_split_print(&split));
}

PG_FUNCTION_INFO_V1(modelreg_traffic_split_in);
Datum
modelreg_traffic_split_in(PG_FUNCTION_ARGS)
{
	text	   *split = make_traffic_split(PG_GETARG_CSTRING(0), fcinfo->context);

	if (split == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(split);
}

PG_FUNCTION_INFO_V1(modelreg_traffic_split_out);
Datum
modelreg_traffic_split_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(TextDatumGetCString(PG_GETARG_DATUM(0)));
}

PG_FUNCTION_INFO_V1(modelreg_traffic_split_send);
Datum
modelreg_traffic_split_send(PG_FUNCTION_ARGS)
{
	return textsend(fcinfo);
}

PG_FUNCTION_INFO_V1(modelreg_traffic_split_recv);
Datum
modelreg_traffic_split_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len;
	char	   *text = pq_getmsgtext(buf, buf->len - buf->cursor, &len);

	PG_RETURN_TEXT_P(make_traffic_split(text, NULL));
}

/* The stored split in argument 0, taken apart. */
static void
parse_argument(FunctionCallInfo fcinfo, MrTrafficSplit *split)
{
	mr_traffic_split_parse(TextDatumGetCString(PG_GETARG_DATUM(0)), NULL, split);
}

static int32
share_of(const MrTrafficSplit *split, const MrNamedArm *arm)
{
	for (int i = 0; i < split->n; i++)
		if (mr_named_arm_compare(&split->shares[i].arm, arm) == 0)
			return split->shares[i].share;
	return 0;
}

/*
 * modelreg.share(split traffic_split, version integer) returns integer: in
 * millionths, 0 for what has no share.
 */
PG_FUNCTION_INFO_V1(modelreg_share);
Datum
modelreg_share(PG_FUNCTION_ARGS)
{
	MrTrafficSplit split;
	MrNamedArm	arm = {NULL, PG_GETARG_INT32(1)};

	parse_argument(fcinfo, &split);
	PG_RETURN_INT32(share_of(&split, &arm));
}

/*
 * modelreg.arm_share(split traffic_split, arm text) returns integer: the same of
 * an arm as a split writes it.  Errors: 22P02 for what cannot be one.
 */
PG_FUNCTION_INFO_V1(modelreg_arm_share);
Datum
modelreg_arm_share(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	MrTrafficSplit split;
	MrNamedArm	arm;
	MrFault		fault;

	if (!mr_named_arm_scan(name, strlen(name), &arm, &fault))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid arm of a traffic split: \"%s\"", mr_text_clip(name)),
				 errdetail("At character %d: %s",
						   mr_fault_position(name, &fault), fault.what),
				 errhint("An arm is a version number, or a model with its team, a slash and the number: search.reco-model/14."),
				 mr_reason("invalid_syntax")));
	parse_argument(fcinfo, &split);
	PG_RETURN_INT32(share_of(&split, &arm));
}

/* modelreg.arm_count(split traffic_split) returns integer */
PG_FUNCTION_INFO_V1(modelreg_arm_count);
Datum
modelreg_arm_count(PG_FUNCTION_ARGS)
{
	MrTrafficSplit split;

	parse_argument(fcinfo, &split);
	PG_RETURN_INT32(split.n);
}

static void
put_share(ReturnSetInfo *rsinfo, const MrNamedShare *share)
{
	Datum		values[5];
	bool		nulls[5] = {false};

	mr_set_text(values, nulls, 0, mr_named_arm_print(&share->arm));
	mr_set_text(values, nulls, 1, share->arm.model);
	values[2] = Int32GetDatum(share->arm.version);
	values[3] = Int32GetDatum(share->share);
	values[4] = Float8GetDatum(share->share / (MR_WHOLE / 100.0));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * modelreg.arms(split traffic_split) returns a row for each arm, in canonical
 * order: arm text, model text (null of a bare version), version integer,
 * share integer in millionths, percent float8.
 */
PG_FUNCTION_INFO_V1(modelreg_arms);
Datum
modelreg_arms(PG_FUNCTION_ARGS)
{
	MrTrafficSplit split;

	InitMaterializedSRF(fcinfo, 0);
	parse_argument(fcinfo, &split);
	for (int i = 0; i < split.n; i++)
		put_share((ReturnSetInfo *) fcinfo->resultinfo, &split.shares[i]);
	return (Datum) 0;
}
