/*
 * duration.c
 *		Durations in plans.
 *
 * Not the server's intervals: what these mean depends on IntervalStyle, and
 * a month of theirs on where it begins.  A day is 24 hours here.
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "utils/timestamp.h"

#include "serving/duration.h"

typedef struct Unit
{
	const char *name;
	int64		length;
} Unit;

/* The first of each length is how it is printed, without the s of several. */
static const Unit units[] = {
	{"day", USECS_PER_DAY}, {"hour", USECS_PER_HOUR},
	{"minute", USECS_PER_MINUTE}, {"second", USECS_PER_SEC},
	{"week", 7 * USECS_PER_DAY}, {"millisecond", 1000},
	{"w", 7 * USECS_PER_DAY}, {"d", USECS_PER_DAY},
	{"h", USECS_PER_HOUR}, {"hr", USECS_PER_HOUR},
	{"m", USECS_PER_MINUTE}, {"min", USECS_PER_MINUTE},
	{"s", USECS_PER_SEC}, {"sec", USECS_PER_SEC}, {"ms", 1000}
};

#define PRINTED_UNITS 4

/* Longer than any that means something. */
#define MAX_LENGTH 255

/* Below what no step lasts, and no process could follow. */
#define MIN_DURATION 1000

static int64
find_unit(const char *start, Size len)
{
	for (int i = 0; i < lengthof(units); i++)
	{
		Size		name_len = strlen(units[i].name);

		if (len >= name_len && pg_strncasecmp(start, units[i].name, name_len) == 0 &&
			(len == name_len ||
			 (name_len > 2 && len == name_len + 1 && pg_tolower((unsigned char) start[name_len]) == 's')))
			return units[i].length;
	}
	return 0;
}

/* What is left of a text to be read. */
typedef struct Rest
{
	const char *at;
	const char *end;
} Rest;

static void
skip_blanks(Rest *rest)
{
	while (rest->at < rest->end && isspace((unsigned char) *rest->at))
		rest->at++;
}

/* Digits, and up to six behind a point: a number in millionths. */
static bool
read_number(Rest *rest, int64 *millionths)
{
	const char *start = rest->at;
	int64		value = 0;
	int			decimals = -1;

	for (; rest->at < rest->end; rest->at++)
	{
		if (*rest->at == '.' && decimals < 0 && rest->at > start)
			decimals = 0;
		else if (isdigit((unsigned char) *rest->at) && decimals < 6 && value < MR_MAX_DURATION)
		{
			value = value * 10 + (*rest->at - '0');
			decimals += decimals >= 0;
		}
		else
			break;
	}
	if (rest->at == start || decimals == 0)
		return false;
	for (decimals = Max(decimals, 0); decimals < 6; decimals++)
	{
		if (value > MR_MAX_DURATION)
			return false;
		value *= 10;
	}
	*millionths = value;
	return true;
}

/* A number and a unit; false for what is none, or no whole microseconds. */
static bool
read_part(Rest *rest, int64 *length)
{
	const char *word;
	int64		millionths;
	int64		unit;

	if (!read_number(rest, &millionths))
		return false;
	skip_blanks(rest);
	word = rest->at;
	while (rest->at < rest->end && isalpha((unsigned char) *rest->at))
		rest->at++;
	unit = find_unit(word, rest->at - word);
	if (unit == 0 || millionths / 1000000 > MR_MAX_DURATION / unit ||
		(millionths % 1000000) * unit % 1000000 != 0)
		return false;
	*length = millionths / 1000000 * unit + (millionths % 1000000) * unit / 1000000;
	skip_blanks(rest);
	return true;
}

bool
mr_duration_scan(const char *start, Size len, int64 *duration, MrFault *fault)
{
	Rest		rest = {start, start + len};
	int64		length;

	*duration = 0;
	skip_blanks(&rest);
	do
	{
		if (len > MAX_LENGTH || !read_part(&rest, &length) ||
			*duration + length > MR_MAX_DURATION)
			return mr_fault_set(fault, start,
								"\"%s\" is no duration up to ten years, such as \"30 minutes\" or \"1 hour 30 minutes\".",
								mr_text_clip_part(start, len));
		*duration += length;
	} while (rest.at < rest.end);
	return *duration >= MIN_DURATION ||
		mr_fault_set(fault, start, "\"%s\" is shorter than a millisecond.",
					 mr_text_clip_part(start, len));
}

/* Seconds have decimals if they must. */
static void
append_part(StringInfo buf, int64 n, int64 micros, const char *unit)
{
	appendStringInfo(buf, "%s" INT64_FORMAT, buf->len > 0 ? " " : "", n);
	if (micros > 0)
	{
		appendStringInfo(buf, ".%06d", (int) micros);
		while (buf->data[buf->len - 1] == '0')
			buf->data[--buf->len] = '\0';
	}
	appendStringInfo(buf, " %s%s", unit, n == 1 && micros == 0 ? "" : "s");
}

/* The one text of a duration, which reads again as it. */
char *
mr_duration_print(int64 duration)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < PRINTED_UNITS; i++)
	{
		int64		n = duration / units[i].length;
		bool		last = i == PRINTED_UNITS - 1;

		duration %= units[i].length;
		if (n > 0 || (last && duration > 0))
			append_part(&buf, n, last ? duration : 0, units[i].name);
	}
	return buf.data;
}
