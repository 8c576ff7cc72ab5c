/*
 * hash.h
 *		Canonical encoding of rows and of JSON, and SHA-256 over it.
 *
 * docs/audit-format.md describes the encoding for those who write a
 * verifier of their own; a format that was published there never changes.
 */
#ifndef MODELREG_HASH_H
#define MODELREG_HASH_H

#include "access/tupdesc.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#define MR_HASH_LEN 32			/* bytes of a SHA-256 */

/*
 * appendBinaryStringInfo() for pieces of few bytes, of which there are many.
 * There is always room for a zero behind them, but none is put there.
 */
static inline void
mr_append(StringInfo buf, const void *data, int len)
{
	if (unlikely(len >= buf->maxlen - buf->len))
		enlargeStringInfo(buf, len);
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
}

/* Are they the same?  What is no hash may be shorter or longer. */
static inline bool
mr_same_hash(const bytea *a, const bytea *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

extern void mr_encode_bytes(StringInfo buf, const void *data, uint32 len);
extern void mr_encode_datum(StringInfo buf, Oid type, Datum value, bool isnull);

extern void mr_encode_row_start(StringInfo buf, const char *table, int16 format);
extern bytea *mr_row_hash(const char *table, int16 format, TupleDesc desc,
						  int natts, const Datum *values, const bool *nulls);

extern void mr_sha256(const void *data, size_t len, uint8 *hash);
extern bytea *mr_sha256_bytea(const void *data, size_t len);
extern bytea *mr_hash_datum(const uint8 *hash);
extern char *mr_hash_to_hex(const uint8 *hash);

extern void mr_json_canonical(StringInfo buf, JsonbContainer *container);
extern char *mr_json_container_cstring(JsonbContainer *container);
extern char *mr_json_canonical_cstring(Jsonb *json);
extern void mr_json_check_depth(Jsonb *json, const char *name);
extern bytea *mr_json_hash(Jsonb *json);
extern char *mr_json_digest(Jsonb *json);
extern bool mr_json_find(JsonbContainer *object, const char *name,
						 JsonbValue *value);
extern bool mr_json_has(JsonbContainer *object, const char *name);
extern char *mr_json_cstring(const JsonbValue *string);
#define MR_JSON_READ_MAX 8
extern bool mr_json_read(JsonbContainer *object, const char *const *names,
						 int n, JsonbValue *values);
extern bool mr_json_to_int(const JsonbValue *value, int64 *number);
extern Jsonb *mr_jsonb_from_text(const char *text);

#endif							/* MODELREG_HASH_H */
