/*
 * source.c
 *		Texts and JSON documents from the fuzzer's bytes: any bytes make a
 *		valid one, and the same bytes make the same value.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "fuzz.h"

#define MAX_DEPTH 6

/* Names and values that verbs look for, so that some are found by chance. */
static const char *const words[] = {
	"inputs", "outputs", "params", "name", "type", "required", "optional",
	"default", "shape", "items", "properties", "values", "tensor-spec",
	"dtype", "boolean", "integer", "long", "float", "double", "string",
	"binary", "datetime", "any", "object", "tensor", "array", "map",
	"sparkml vector", "float32", "int64", "user_age", "2026-06-01",
	"uri", "s3://b/k", "digest", "size", "upload", "path", "media_type",
	"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"training", "code", "snapshot:t.s@1", "models:/t.m/1", "identity", "chains",
	"chain", "id", "seq", "hash", "format", "registry", "schema", "rows"
};

/* Where JSON, UTF-8 and UTF-16 have their edges. */
static const pg_wchar codes[] = {
	'"', '\\', '/', '\b', '\f', '\n', '\r', '\t', 0x01, 0x1f, 0x7f, 0x80,
	0xe9, 0x7ff, 0x800, 0x2028, 0xd7ff, 0xe000, 0xfeff, 0xffff, 0x10000,
	0x1f600, 0x10ffff
};

uint8
next_byte(Source *source)
{
	return source->at < source->end ? *source->at++ : 0;
}

static pg_wchar
next_code(Source *source)
{
	uint8		b = next_byte(source);

	return b < 0x80 ? codes[b % lengthof(codes)] : (pg_wchar) ' ' + b % 95;
}

static void
append_code(StringInfo buf, pg_wchar code)
{
	unsigned char utf8[4];

	unicode_to_utf8(code, utf8);
	appendBinaryStringInfo(buf, (char *) utf8, pg_utf_mblen(utf8));
}

/* A text that is not quoted in any way. */
char *
next_text(Source *source)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int n = next_byte(source) % 12; n > 0; n--)
		append_code(&buf, next_code(source));
	return buf.data;
}

/* Of a few characters only, so that a pattern often stands for a name. */
char *
next_pattern(Source *source)
{
	static const char *const parts[] = {"*", "?", "a", "b", "é", "\xf0\x9f\x98\x80", "*", "*a"};
	StringInfoData buf;

	initStringInfo(&buf);
	for (int n = next_byte(source) % 10; n > 0; n--)
		appendStringInfoString(&buf, parts[next_byte(source) % lengthof(parts)]);
	return buf.data;
}

static void
append_escaped(StringInfo buf, pg_wchar code)
{
	if (code >= 0x10000)
		appendStringInfo(buf, "\\u%04X\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
						 0xdc00 + ((code - 0x10000) & 0x3ff));
	else
		appendStringInfo(buf, "\\u%04x", code);
}

static void
append_string(StringInfo buf, Source *source, bool other)
{
	uint8		b = next_byte(source);

	appendStringInfoChar(buf, '"');
	if (b & 1)
		appendStringInfoString(buf, words[(b >> 1) % lengthof(words)]);
	else
		for (int n = b % 12; n > 0; n--)
		{
			pg_wchar	code = next_code(source);

			if (other || code < ' ' || code == '"' || code == '\\')
				append_escaped(buf, code);
			else
				append_code(buf, code);
		}
	appendStringInfoChar(buf, '"');
}

static void
append_digits(StringInfo buf, Source *source, int n)
{
	while (n-- > 0)
		appendStringInfoChar(buf, '0' + next_byte(source) % 10);
}

/* In the other spelling zeros follow the point, and there is an exponent. */
static void
append_number(StringInfo buf, Source *source, bool other)
{
	uint8		b = next_byte(source);
	int			exponent = b & 2 ? (int8) next_byte(source) : 0;

	if (b & 1)
		appendStringInfoChar(buf, '-');
	appendStringInfoChar(buf, b & 4 ? '1' + next_byte(source) % 9 : '0');
	if (b & 4)
		append_digits(buf, source, b & 8 ? next_byte(source) % 40 : b >> 6);
	if (b & 16)
	{
		appendStringInfoChar(buf, '.');
		append_digits(buf, source, 1 + next_byte(source) % 30);
	}
	if (other)
		appendStringInfoString(buf, b & 16 ? "000" : ".00");
	if (exponent != 0 || other)
		appendStringInfo(buf, other ? "E%+03d" : "e%d",
						 b >= 0xe0 ? exponent * 500 : exponent);
}

static void append_value(StringInfo buf, Source *source, bool other, int depth);

static void
append_members(StringInfo buf, Source *source, bool other, int depth, bool names)
{
	int			n = next_byte(source) % 6;

	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoChar(buf, ',');
		if (other)
			appendStringInfoString(buf, "\n\t ");
		if (names)
		{
			append_string(buf, source, other);
			appendStringInfoString(buf, other ? "\r : " : ":");
		}
		append_value(buf, source, other, depth + 1);
	}
}

static void
append_value(StringInfo buf, Source *source, bool other, int depth)
{
	static const char *const constants[] = {"null", "true", "false"};
	uint8		b = next_byte(source);

	switch (b % (depth < MAX_DEPTH ? 8 : 5))
	{
		case 0:
			appendStringInfoString(buf, constants[(b >> 3) % 3]);
			break;
		case 1:
		case 2:
			append_number(buf, source, other);
			break;
		case 3:
		case 4:
			append_string(buf, source, other);
			break;
		case 5:
			appendStringInfoChar(buf, '[');
			append_members(buf, source, other, depth, false);
			appendStringInfoString(buf, other ? " ]" : "]");
			break;
		default:
			appendStringInfoChar(buf, '{');
			append_members(buf, source, other, depth, true);
			appendStringInfoString(buf, other ? " }" : "}");
			break;
	}
}

/* A JSON document, in one of two spellings of the same value. */
char *
next_document(Source *source, bool other_spelling)
{
	StringInfoData buf;

	initStringInfo(&buf);
	append_value(&buf, source, other_spelling, 0);
	return buf.data;
}
