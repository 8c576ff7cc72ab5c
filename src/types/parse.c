/*
 * parse.c
 *		What the parsers of texts have in common.
 *
 * A parser finds the first fault and its place; only the function on top
 * reports it, because the same fault is malformed input of a type in one
 * place and a wrong parameter in another.
 */
#include "postgres.h"

#include <ctype.h>

#include "mb/pg_wchar.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/format.h"
#include "types/parse.h"

/* How much of an offending text a message quotes, in bytes. */
#define QUOTED_BYTES 80

int
mr_char_length(const char *p)
{
	int			length = pg_encoding_mblen(GetDatabaseEncoding(), p);

	return (int) strnlen(p, length);
}

int
mr_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

char *
mr_text_clip_part(const char *start, Size len)
{
	int			known = (int) Min(len, QUOTED_BYTES + MAX_MULTIBYTE_CHAR_LEN);

	if (len <= QUOTED_BYTES)
		return pnstrdup(start, len);
	return psprintf("%.*s...", pg_mbcliplen(start, known, QUOTED_BYTES),
					start);
}

char *
mr_text_clip(const char *text)
{
	return mr_text_clip_part(text, strlen(text));
}

int
mr_fault_position(const char *text, const MrFault *fault)
{
	int			position = 1;

	for (const char *p = text; p < fault->at; p += mr_char_length(p))
		position++;
	return position;
}

bool
mr_fault_set(MrFault *fault, const char *at, const char *format,...)
{
	StringInfoData buf;
	va_list		args;

	initStringInfo(&buf);
	va_start(args, format);
	mr_append_va(&buf, format, args);
	va_end(args);
	fault->at = at;
	fault->what = buf.data;
	return false;
}

/* Value of the digits, or max + 1 if it is beyond max. */
static int64
digits_value(const char *start, Size len, int64 max)
{
	int64		value = 0;

	for (Size i = 0; i < len; i++)
	{
		int			digit = start[i] - '0';

		if (value > (max - digit) / 10)
			return max + 1;
		value = value * 10 + digit;
	}
	return value;
}

bool
mr_number_scan(const char *start, Size len, int64 max, const char *noun,
			   int64 *number, MrFault *fault)
{
	Assert(max < PG_INT64_MAX);

	if (len == 0)
		return mr_fault_set(fault, start, "the %s is missing.", noun);
	for (Size i = 0; i < len; i++)
	{
		if (!isdigit((unsigned char) start[i]))
			return mr_fault_set(fault, start + i,
								"the %s has something other than a digit.",
								noun);
	}
	if (start[0] == '0')
		return mr_fault_set(fault, start, "the %s begins with a zero.", noun);
	*number = digits_value(start, len, max);
	if (*number > max)
		return mr_fault_set(fault, start, "the %s is above " INT64_FORMAT ".",
							noun, max);
	return true;
}

bool
mr_syntax_error(const char *type, const char *text, const MrFault *fault,
				Node *escontext)
{
	ereturn(escontext, false,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s: \"%s\"",
					type, mr_text_clip(text)),
			 errdetail("At character %d: %s",
					   mr_fault_position(text, fault), fault->what),
			 mr_reason("invalid_syntax")));
}
