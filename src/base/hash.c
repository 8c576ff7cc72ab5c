/*
 * hash.c
 *		Canonical encoding of rows and SHA-256 over it.
 *
 * A field is one byte 0 for NULL, or one byte 1, the length of the value as
 * four bytes big-endian, and the value.  A row is the fields "modelreg" and
 * the table's name, the format number as int2, then the columns in order.
 * Nothing depends on a setting: numbers, times and identifiers are in their
 * binary wire format, text is its UTF-8 bytes, JSON is canonical.
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "base/hash.h"

PG_FUNCTION_INFO_V1(modelreg_row_hash);

/* What stands before a field's value. */
#define FIELD_START (1 + sizeof(uint32))

/* Begin a field whose length is not known yet: where it begins. */
static int
begin_field(StringInfo buf)
{
	int			start = buf->len;

	mr_append(buf, "\1\0\0\0\0", FIELD_START);
	return start;
}

/* All that was appended since is the field's value. */
static void
end_field(StringInfo buf, int start)
{
	uint32		wire = pg_hton32(buf->len - start - FIELD_START);

	memcpy(buf->data + start + 1, &wire, sizeof(wire));
}

void
mr_encode_bytes(StringInfo buf, const void *data, uint32 len)
{
	int			start = begin_field(buf);

	mr_append(buf, data, len);
	end_field(buf, start);
}

static void
encode_varlena(StringInfo buf, Datum value)
{
	struct varlena *v = PG_DETOAST_DATUM_PACKED(value);

	mr_encode_bytes(buf, VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v));
}

static void
encode_json(StringInfo buf, Datum value)
{
	int			start = begin_field(buf);

	mr_json_canonical(buf, &DatumGetJsonbP(value)->root);
	end_field(buf, start);
}

/* An array is one field, whose value is the fields of its elements. */
static void
encode_array(StringInfo buf, Datum value, Oid element)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			start = begin_field(buf);
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	int16		len;
	bool		byval;
	char		align;

	if (ARR_NDIM(array) > 1 || (ARR_NDIM(array) == 1 && ARR_LBOUND(array)[0] != 1))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array must have one dimension that starts at 1")));
	get_typlenbyvalalign(element, &len, &byval, &align);
	deconstruct_array(array, element, len, byval, align, &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
		mr_encode_datum(buf, element, elements[i], nulls[i]);
	end_field(buf, start);
}

/* Every other type in its binary wire format: fixed, and big-endian. */
static void
encode_by_send(StringInfo buf, Oid type, Datum value)
{
	Oid			send;
	bool		is_varlena;
	bytea	   *wire;

	getTypeBinaryOutputInfo(type, &send, &is_varlena);
	wire = OidSendFunctionCall(send, value);
	mr_encode_bytes(buf, VARDATA(wire), VARSIZE(wire) - VARHDRSZ);
	pfree(wire);
}

/* A number or time as its wire format has it, without a look at catalogs. */
static void
encode_int(StringInfo buf, uint64 value, uint32 len)
{
	uint64		wire = pg_hton64(value);

	mr_encode_bytes(buf, (char *) &wire + sizeof(wire) - len, len);
}

/* A NaN is written with one and the same bit pattern, whatever its sign and payload were. */
static void
encode_float(StringInfo buf, float8 value)
{
	uint64		bits;

	if (isnan(value))
		value = get_float8_nan();
	memcpy(&bits, &value, sizeof(bits));
	encode_int(buf, bits, sizeof(bits));
}

/* Append one value of a column. */
void
mr_encode_datum(StringInfo buf, Oid type, Datum value, bool isnull)
{
	if (isnull)
	{
		mr_append(buf, "", 1);
		return;
	}
	switch (type)
	{
		case TEXTOID:
		case BYTEAOID:
			encode_varlena(buf, value);
			break;
		case JSONBOID:
			encode_json(buf, value);
			break;
		case TEXTARRAYOID:
			encode_array(buf, value, TEXTOID);
			break;
		case FLOAT8ARRAYOID:
			encode_array(buf, value, FLOAT8OID);
			break;
		case INT8ARRAYOID:
			encode_array(buf, value, INT8OID);
			break;
		case INT8OID:
		case TIMESTAMPTZOID:
			encode_int(buf, DatumGetInt64(value), sizeof(int64));
			break;
		case INT4OID:
			encode_int(buf, (uint32) DatumGetInt32(value), sizeof(int32));
			break;
		case INT2OID:
			encode_int(buf, (uint16) DatumGetInt16(value), sizeof(int16));
			break;
		case BOOLOID:
			encode_int(buf, DatumGetBool(value), 1);
			break;
		case FLOAT8OID:
			encode_float(buf, DatumGetFloat8(value));
			break;
		case UUIDOID:
			mr_encode_bytes(buf, DatumGetUUIDP(value)->data, UUID_LEN);
			break;
		default:
			encode_by_send(buf, type, value);
			break;
	}
}

/* What every row's encoding begins with. */
void
mr_encode_row_start(StringInfo buf, const char *table, int16 format)
{
	mr_encode_bytes(buf, "modelreg", strlen("modelreg"));
	mr_encode_bytes(buf, table, strlen(table));
	mr_encode_datum(buf, INT2OID, Int16GetDatum(format), false);
}

/*
 * The hash of a row: of its first natts columns, which is what format 1 of
 * every table covers (the column "hash" follows them).
 */
bytea *
mr_row_hash(const char *table, int16 format, TupleDesc desc, int natts,
			const Datum *values, const bool *nulls)
{
	StringInfoData buf;
	bytea	   *result;

	initStringInfo(&buf);
	mr_encode_row_start(&buf, table, format);
	for (int i = 0; i < natts; i++)
		mr_encode_datum(&buf, TupleDescAttr(desc, i)->atttypid,
						values[i], nulls[i]);
	result = mr_sha256_bytea(buf.data, buf.len);
	pfree(buf.data);
	return result;
}

/*
 * modelreg.row_hash(table_name text, format smallint, VARIADIC "any")
 *		returns bytea: the same hash, for CHECK constraints and verifiers.
 *
 * Errors: 22004 when table or format is NULL, 42883 for a type without a
 * binary wire format.
 */
Datum
modelreg_row_hash(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("table name and format must not be null")));
	if (get_fn_expr_variadic(fcinfo->flinfo))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("fields must be given one by one, not as a VARIADIC array")));
	initStringInfo(&buf);
	mr_encode_row_start(&buf, text_to_cstring(PG_GETARG_TEXT_PP(0)),
						PG_GETARG_INT16(1));
	for (int i = 2; i < PG_NARGS(); i++)
	{
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, i);

		mr_encode_datum(&buf, type == UNKNOWNOID ? TEXTOID : type,
						type == UNKNOWNOID && !PG_ARGISNULL(i) ?
						CStringGetTextDatum(DatumGetCString(PG_GETARG_DATUM(i))) :
						PG_GETARG_DATUM(i),
						PG_ARGISNULL(i));
	}
	PG_RETURN_BYTEA_P(mr_sha256_bytea(buf.data, buf.len));
}

/*
 * SHA-256 of len bytes into hash, which has room for MR_HASH_LEN bytes.  The
 * algorithm and a context are kept as long as the backend lives: to find and
 * make them takes longer than to hash a row.
 */
void
mr_sha256(const void *data, size_t len, uint8 *hash)
{
	static EVP_MD *algorithm = NULL;
	static EVP_MD_CTX *context = NULL;

	if (algorithm == NULL)
		algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (context == NULL)
		context = EVP_MD_CTX_new();
	if (algorithm == NULL || context == NULL ||
		!EVP_DigestInit_ex(context, algorithm, NULL) ||
		!EVP_DigestUpdate(context, data, len) ||
		!EVP_DigestFinal_ex(context, hash, NULL))
		elog(ERROR, "could not compute SHA-256: %s",
			 ERR_reason_error_string(ERR_get_error()));
}

bytea *
mr_sha256_bytea(const void *data, size_t len)
{
	uint8		hash[MR_HASH_LEN];

	mr_sha256(data, len, hash);
	return mr_hash_datum(hash);
}

/* A hash as a bytea, palloc'd. */
bytea *
mr_hash_datum(const uint8 *hash)
{
	bytea	   *result = palloc(VARHDRSZ + MR_HASH_LEN);

	SET_VARSIZE(result, VARHDRSZ + MR_HASH_LEN);
	memcpy(VARDATA(result), hash, MR_HASH_LEN);
	return result;
}

/* Lower-case hexadecimal of a hash, palloc'd. */
char *
mr_hash_to_hex(const uint8 *hash)
{
	char	   *hex = palloc(2 * MR_HASH_LEN + 1);

	hex_encode((const char *) hash, MR_HASH_LEN, hex);
	hex[2 * MR_HASH_LEN] = '\0';
	return hex;
}
