/*
 * digest.c
 *		The type digest: an algorithm and the bytes that it made.
 *
 * Stored, and sent in binary, after the length word:
 *
 *		byte 0		algorithm, the number in the table below
 *		bytes 1..	the hash, as many bytes as the algorithm makes
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/hash.h"
#include "types/digest.h"
#include "types/parse.h"

#define DIGEST_TYPE "modelreg.digest"

typedef struct Algorithm
{
	MrDigestAlgorithm number;
	const char *name;
	Size		length;
} Algorithm;

static const Algorithm algorithms[] = {
	{MR_DIGEST_SHA256, "sha256", MR_SHA256_LENGTH}
};

static const Algorithm *
algorithm_by_number(int number)
{
	for (int i = 0; i < lengthof(algorithms); i++)
	{
		if ((int) algorithms[i].number == number)
			return &algorithms[i];
	}
	return NULL;
}

static const Algorithm *
algorithm_by_name(const char *start, Size len)
{
	for (int i = 0; i < lengthof(algorithms); i++)
	{
		if (strlen(algorithms[i].name) == len &&
			memcmp(algorithms[i].name, start, len) == 0)
			return &algorithms[i];
	}
	return NULL;
}

/* A digest of len bytes that are already hashed; len must fit. */
static MrDigest *
make_digest(MrDigestAlgorithm algorithm, const uint8 *bytes, Size len)
{
	const Algorithm *entry = algorithm_by_number(algorithm);
	MrDigest   *digest;

	if (entry == NULL || entry->length != len)
		elog(ERROR, "digest algorithm %d does not make %zu bytes",
			 (int) algorithm, len);
	digest = (MrDigest *) palloc(VARHDRSZ + 1 + len);
	SET_VARSIZE(digest, VARHDRSZ + 1 + len);
	VARDATA(digest)[0] = (char) algorithm;
	memcpy(VARDATA(digest) + 1, bytes, len);
	return digest;
}

MrDigest *
mr_digest_sha256(const uint8 bytes[MR_SHA256_LENGTH])
{
	return make_digest(MR_DIGEST_SHA256, bytes, MR_SHA256_LENGTH);
}

static const Algorithm *
digest_algorithm(const MrDigest *digest)
{
	int			number = VARSIZE_ANY_EXHDR(digest) > 0 ?
		(uint8) VARDATA_ANY(digest)[0] : 0;
	const Algorithm *entry = algorithm_by_number(number);

	if (entry == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("unknown digest algorithm number: %d", number)));
	return entry;
}

const uint8 *
mr_digest_bytes(const MrDigest *digest)
{
	return (const uint8 *) VARDATA_ANY(digest) + 1;
}

static Size
digest_length(const MrDigest *digest)
{
	return VARSIZE_ANY_EXHDR(digest) - 1;
}

bool
mr_digest_equal(const MrDigest *a, const MrDigest *b)
{
	Size		length = VARSIZE_ANY_EXHDR(a);

	return length == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), length) == 0;
}

/* The algorithm named before the colon; *digits is what follows it. */
static const Algorithm *
scan_algorithm(const char *text, const char **digits, MrFault *fault)
{
	const char *colon = strchr(text, ':');
	const Algorithm *entry;

	if (colon == NULL)
	{
		mr_fault_set(fault, text,
					 "a digest begins with its algorithm and a colon, as in \"sha256:\".");
		return NULL;
	}
	entry = algorithm_by_name(text, colon - text);
	if (entry == NULL)
		mr_fault_set(fault, text, "\"%s\" is not a known digest algorithm.",
					 mr_text_clip_part(text, colon - text));
	*digits = colon + 1;
	return entry;
}

static bool
check_digits(const Algorithm *entry, const char *digits, MrFault *fault)
{
	const char *p = digits;

	while (mr_hex_value(*p) >= 0)
		p++;
	if (*p != '\0')
		return mr_fault_set(fault, p, "\"%.*s\" is not a hexadecimal digit.",
							mr_char_length(p), p);
	if ((Size) (p - digits) != entry->length * 2)
		return mr_fault_set(fault, digits,
							"%s has %zu hexadecimal digits, not %zu.",
							entry->name, entry->length * 2,
							(Size) (p - digits));
	return true;
}

static MrDigest *
make_from_digits(const Algorithm *entry, const char *digits)
{
	uint8	   *bytes = palloc(entry->length);

	for (Size i = 0; i < entry->length; i++)
		bytes[i] = (uint8) (mr_hex_value(digits[2 * i]) << 4 |
							mr_hex_value(digits[2 * i + 1]));
	return make_digest(entry->number, bytes, entry->length);
}

MrDigest *
mr_digest_scan(const char *text, MrFault *fault)
{
	const char *digits;
	const Algorithm *entry = scan_algorithm(text, &digits, fault);

	if (entry == NULL || !check_digits(entry, digits, fault))
		return NULL;
	return make_from_digits(entry, digits);
}

MrDigest *
mr_digest_parse(const char *text, Node *escontext)
{
	MrFault		fault;
	MrDigest   *digest = mr_digest_scan(text, &fault);

	if (digest == NULL)
		mr_syntax_error(DIGEST_TYPE, text, &fault, escontext);
	return digest;
}

char *
mr_digest_to_cstring(const MrDigest *digest)
{
	const char *name = digest_algorithm(digest)->name;
	Size		length = digest_length(digest);
	Size		prefix = strlen(name) + 1;
	char	   *text = palloc(prefix + length * 2 + 1);

	sprintf(text, "%s:", name);
	hex_encode((const char *) mr_digest_bytes(digest), length, text + prefix);
	text[prefix + length * 2] = '\0';
	return text;
}

PG_FUNCTION_INFO_V1(modelreg_digest_in);
Datum
modelreg_digest_in(PG_FUNCTION_ARGS)
{
	MrDigest   *digest = mr_digest_parse(PG_GETARG_CSTRING(0), fcinfo->context);

	if (digest == NULL)
		PG_RETURN_NULL();
	PG_RETURN_MRDIGEST(digest);
}

PG_FUNCTION_INFO_V1(modelreg_digest_out);
Datum
modelreg_digest_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(mr_digest_to_cstring(PG_GETARG_MRDIGEST(0)));
}

PG_FUNCTION_INFO_V1(modelreg_digest_send);
Datum
modelreg_digest_send(PG_FUNCTION_ARGS)
{
	MrDigest   *digest = PG_GETARG_MRDIGEST(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, digest_algorithm(digest)->number);
	pq_sendbytes(&buf, (const char *) mr_digest_bytes(digest),
				 digest_length(digest));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

static void
binary_error(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid binary format for type %s", DIGEST_TYPE),
			 errdetail_internal("%s", what),
			 mr_reason("invalid_binary")));
}

PG_FUNCTION_INFO_V1(modelreg_digest_recv);
Datum
modelreg_digest_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			number = pq_getmsgbyte(buf);
	const Algorithm *entry = algorithm_by_number(number);
	Size		length = buf->len - buf->cursor;
	const char *bytes;

	if (entry == NULL)
		binary_error(psprintf("Digest algorithm number %d is not known.",
							  number));
	if (length != entry->length)
		binary_error(psprintf("%s has %zu bytes, not %zu.",
							  entry->name, entry->length, length));
	bytes = pq_getmsgbytes(buf, length);
	PG_RETURN_MRDIGEST(make_digest(entry->number, (const uint8 *) bytes,
									  length));
}

PG_FUNCTION_INFO_V1(modelreg_digest_algorithm);
Datum
modelreg_digest_algorithm(PG_FUNCTION_ARGS)
{
	MrDigest   *digest = PG_GETARG_MRDIGEST(0);

	PG_RETURN_TEXT_P(cstring_to_text(digest_algorithm(digest)->name));
}

PG_FUNCTION_INFO_V1(modelreg_digest_bytes);
Datum
modelreg_digest_bytes(PG_FUNCTION_ARGS)
{
	MrDigest   *digest = PG_GETARG_MRDIGEST(0);
	const char *bytes = (const char *) mr_digest_bytes(digest);

	PG_RETURN_BYTEA_P(cstring_to_text_with_len(bytes,
											   digest_length(digest)));
}

PG_FUNCTION_INFO_V1(modelreg_sha256_digest);
Datum
modelreg_sha256_digest(PG_FUNCTION_ARGS)
{
	bytea	   *data = PG_GETARG_BYTEA_PP(0);
	uint8		bytes[MR_SHA256_LENGTH];

	mr_sha256(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), bytes);
	PG_RETURN_MRDIGEST(mr_digest_sha256(bytes));
}
