/*
 * markdown.c
 *		Text of others in Markdown, as text.
 *
 * Whatever somebody wrote shows as he wrote it, and as nothing else: no
 * heading, list, table, link, image or HTML.  Markdown takes a backslash before
 * any punctuation of ASCII for the character behind; a bar, which would end the
 * cell of a table all the same, becomes an entity.  Lines begin with what is no
 * blank, since four of them would begin a block of code.  What shows
 * nothing, or turns the direction of text, becomes a replacement character.
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "types/names.h"
#include "types/parse.h"

PG_FUNCTION_INFO_V1(modelreg_markdown_text);

#define REPLACEMENT "\xef\xbf\xbd"

static void
append_character(StringInfo buf, const char *p, int len)
{
	if (len == 1 && *p == '|')
		appendStringInfoString(buf, "&#124;");
	else if (len == 1 && *p == '\t')
		appendStringInfoChar(buf, ' ');
	else if (mr_is_unprintable(p, len))
		appendStringInfoString(buf, REPLACEMENT);
	else
	{
		if (len == 1 && ispunct((unsigned char) *p))
			appendStringInfoChar(buf, '\\');
		appendBinaryStringInfo(buf, p, len);
	}
}

/* Take away what of these characters the text ends with. */
static void
trim(StringInfo buf, const char *characters)
{
	while (buf->len > 0 && strchr(characters, buf->data[buf->len - 1]) != NULL)
		buf->data[--buf->len] = '\0';
}

/*
 * An end of a line, of which there are no more than two in a row.  Blanks before
 * it go, as two of them would be a break.
 */
static void
append_end(StringInfo buf, bool one_line)
{
	trim(buf, " ");
	if (buf->len == 0)
		return;
	if (one_line)
		appendStringInfoChar(buf, ' ');
	else if (buf->len < 2 || buf->data[buf->len - 1] != '\n' || buf->data[buf->len - 2] != '\n')
		appendStringInfoChar(buf, '\n');
}

static char *
escape(const char *text, bool one_line)
{
	StringInfoData buf;
	bool		at_start = true;

	initStringInfo(&buf);
	for (const char *p = text; *p != '\0'; p += mr_char_length(p))
	{
		CHECK_FOR_INTERRUPTS();
		if (*p == '\n')
			append_end(&buf, one_line);
		else if (*p != '\r' && !(at_start && (*p == ' ' || *p == '\t')))
		{
			append_character(&buf, p, mr_char_length(p));
			at_start = false;
		}
		if (*p == '\n')
			at_start = true;
	}
	trim(&buf, " \n");
	return buf.data;
}

/*
 * modelreg.markdown_text(value text, one_line boolean) returns text: the
 * value, written in Markdown so that it shows as it is.
 */
Datum
modelreg_markdown_text(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(escape(text_to_cstring(PG_GETARG_TEXT_PP(0)),
											PG_GETARG_BOOL(1))));
}
