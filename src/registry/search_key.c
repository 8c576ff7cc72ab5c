/*
 * search_key.c
 *		The key of a place in a search's order, from which a later call goes
 *		on.
 *
 *		byte 0		1, the format of keys
 *		byte 1		the path
 *		byte 2-9	fingerprint of the filters
 *		byte 10-17	team, big-endian
 *		byte 18		number of values that follow
 *		values		integers and times big-endian, float8 as its bits, text as
 *					length in two bytes and bytes
 *
 * in hexadecimal.  A key says only where in what its reader has seen a page
 * ended.  A forged one shows nothing: every row is held against the filters
 * and the caller's rights.
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "base/errors.h"
#include "registry/search_scan.h"

#define KEY_FORMAT 1
#define KEY_TEXT_MAX 1024		/* above any name and any value of a tag */

static void
put_value(StringInfo buf, char type, Datum value)
{
	text	   *string;

	switch (type)
	{
		case 'i':
			pq_sendint32(buf, DatumGetInt32(value));
			break;
		case 't':
			string = DatumGetTextPP(value);
			pq_sendint16(buf, VARSIZE_ANY_EXHDR(string));
			appendBinaryStringInfo(buf, VARDATA_ANY(string),
								   VARSIZE_ANY_EXHDR(string));
			break;
		default:				/* bigint, timestamptz and float8 are 64 bits */
			pq_sendint64(buf, DatumGetInt64(value));
			break;
	}
}

/* The key of a place, as text. */
char *
mr_search_key_print(const MrSearch *search, const MrSearchPlace *place)
{
	const char *types = mr_search_path_types(search->path);
	StringInfoData buf;
	char	   *key;

	initStringInfo(&buf);
	pq_sendint8(&buf, KEY_FORMAT);
	pq_sendint8(&buf, search->path);
	appendBinaryStringInfo(&buf, (const char *) search->print,
						   MR_SEARCH_PRINT_LEN);
	pq_sendint64(&buf, place->team);
	pq_sendint8(&buf, place->n);
	for (int i = 0; i < place->n; i++)
		put_value(&buf, types[i], place->values[i]);
	key = palloc(2 * buf.len + 1);
	key[hex_encode(buf.data, buf.len, key)] = '\0';
	pfree(buf.data);
	return key;
}

static void
raise_invalid(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("after is no key of this search"),
			 errhint("Pass the key of the last row of the page before, with the same filters."),
			 mr_reason("invalid_key")));
}

static void
read_bytes(StringInfo buf, void *data, int len)
{
	if (buf->len - buf->cursor < len)
		raise_invalid();
	memcpy(data, buf->data + buf->cursor, len);
	buf->cursor += len;
}

static uint64
read_integer(StringInfo buf, int len)
{
	uint8		bytes[sizeof(uint64)];
	uint64		value = 0;

	read_bytes(buf, bytes, len);
	for (int i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

static Datum
read_value(StringInfo buf, char type)
{
	int			len;
	char	   *data;

	if (type == 'i')
		return Int32GetDatum((int32) read_integer(buf, sizeof(int32)));
	if (type != 't')
		return Int64GetDatum((int64) read_integer(buf, sizeof(int64)));
	len = (int) read_integer(buf, sizeof(uint16));
	if (len > KEY_TEXT_MAX)
		raise_invalid();
	data = palloc(len + 1);
	read_bytes(buf, data, len);
	if (!pg_verifymbstr(data, len, true))
		raise_invalid();
	return PointerGetDatum(cstring_to_text_with_len(data, len));
}

static void
decode_hex(const char *key, StringInfo buf)
{
	size_t		len = strlen(key);

	if (len % 2 != 0 || strspn(key, "0123456789abcdef") != len)
		raise_invalid();
	initStringInfo(buf);
	enlargeStringInfo(buf, len / 2);
	buf->len = (int) hex_decode(key, len, buf->data);
}

/* The place of a key; error 22023 for what is no key of this search. */
void
mr_search_key_parse(const MrSearch *search, const char *key,
					MrSearchPlace *place)
{
	const char *types = mr_search_path_types(search->path);
	uint8		print[MR_SEARCH_PRINT_LEN];
	StringInfoData buf;

	decode_hex(key, &buf);
	if (read_integer(&buf, 1) != KEY_FORMAT ||
		read_integer(&buf, 1) != search->path)
		raise_invalid();
	read_bytes(&buf, print, MR_SEARCH_PRINT_LEN);
	if (memcmp(print, search->print, MR_SEARCH_PRINT_LEN) != 0)
		raise_invalid();
	place->team = (int64) read_integer(&buf, sizeof(int64));
	place->n = (int) read_integer(&buf, 1);
	if (place->n != 0 && place->n != strlen(types))
		raise_invalid();
	for (int i = 0; i < place->n; i++)
		place->values[i] = read_value(&buf, types[i]);
	if (buf.cursor != buf.len)
		raise_invalid();
}
