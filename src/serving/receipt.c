/*
 * receipt.c
 *		What an answer to a request was routed by, in words: 17.2 is step 2 of
 *		the schedule that the endpoint's event 17 laid down.
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/table.h"
#include "serving/receipt.h"
#include "types/parse.h"
#include "utils/builtins.h"

static void
raise_invalid(const text *receipt)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is no receipt", mr_text_clip(text_to_cstring(receipt))),
			 errhint("modelreg.route() returns receipts, such as 17.2."),
			 mr_reason("invalid_receipt")));
}

/* Digits of a number without a leading zero, below a limit; behind them. */
static const char *
parse_number(const char *from, const char *end, uint64 limit, int64 *number)
{
	const char *at = from;
	uint64		value = 0;

	while (at < end && *at >= '0' && *at <= '9' && value <= limit)
		value = 10 * value + (*at++ - '0');
	*number = value;
	return at == from || value > limit || (*from == '0' && at > from + 1) ? NULL : at;
}

/* Error 22023 for what is no receipt. */
MrReceipt
mr_receipt_parse(const text *receipt)
{
	const char *from = VARDATA_ANY(receipt);
	const char *end = from + VARSIZE_ANY_EXHDR(receipt);
	const char *dot = NULL;
	const char *behind = NULL;
	MrReceipt	result;
	int64		step;

	dot = parse_number(from, end, PG_INT64_MAX / 10, &result.event);
	if (dot != NULL && dot < end && *dot == '.')
		behind = parse_number(dot + 1, end, PG_INT32_MAX / 10, &step);
	if (behind != end || result.event == 0)
		raise_invalid(receipt);
	result.step = step;
	return result;
}

char *
mr_receipt_print(const MrReceipt *receipt)
{
	return psprintf(INT64_FORMAT ".%d", receipt->event, receipt->step);
}

/*
 * Does the endpoint have a schedule with that step?  Each step has an arm.
 * Whether the step came to stand does not matter: a server that had not heard
 * of the next schedule went by this one all the same.  A snapshot NULL stands
 * for the latest.
 */
bool
mr_receipt_is_known(const MrReceipt *receipt, int64 endpoint, Snapshot snapshot)
{
	Datum		keys[3] = {Int64GetDatum(endpoint), Int64GetDatum(receipt->event),
	Int32GetDatum(receipt->step)};
	MrTable    *arms = mr_table_open_read("traffic_arm");
	bool		known = mr_table_find(arms, "traffic_arm_pkey", 3, keys, snapshot);

	mr_table_close(arms);
	return known;
}

void
mr_receipt_raise_unknown(const char *receipt, const MrEndpoint *endpoint)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("receipt \"%s\" is none of endpoint \"%s\"", mr_text_clip(receipt),
					mr_endpoint_address(endpoint)),
			 errhint("A receipt is bound to the endpoint that gave it."),
			 mr_reason("receipt_not_found")));
}
