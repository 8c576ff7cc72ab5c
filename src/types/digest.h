/*
 * digest.h
 *		The digest of some bytes, with the algorithm that made it.
 */
#ifndef MODELREG_DIGEST_H
#define MODELREG_DIGEST_H

#include "fmgr.h"
#include "nodes/nodes.h"

#include "types/parse.h"

/* May be short, compressed or toasted on disk: use the functions below. */
typedef struct varlena MrDigest;

/* The stored byte: a number is never given to another algorithm. */
typedef enum MrDigestAlgorithm
{
	MR_DIGEST_SHA256 = 1
} MrDigestAlgorithm;

#define MR_SHA256_LENGTH 32

static inline MrDigest *
DatumGetMrDigest(Datum datum)
{
	return pg_detoast_datum_packed((struct varlena *) DatumGetPointer(datum));
}

static inline Datum
MrDigestGetDatum(const MrDigest *digest)
{
	return PointerGetDatum(digest);
}

#define PG_GETARG_MRDIGEST(n) DatumGetMrDigest(PG_GETARG_DATUM(n))
#define PG_RETURN_MRDIGEST(digest) PG_RETURN_DATUM(MrDigestGetDatum(digest))

/* A digest of bytes that are already hashed. */
extern MrDigest *mr_digest_sha256(const uint8 bytes[MR_SHA256_LENGTH]);

/* The hash itself, without the algorithm; points into the digest. */
extern const uint8 *mr_digest_bytes(const MrDigest *digest);

extern bool mr_digest_equal(const MrDigest *a, const MrDigest *b);

/* Parses a text, or notes what is malformed and returns NULL. */
extern MrDigest *mr_digest_scan(const char *text, MrFault *fault);

/* Raises what is malformed, or saves the error and returns NULL. */
extern MrDigest *mr_digest_parse(const char *text, Node *escontext);

/* The text form, as sha256:<64 lower-case hexadecimal digits>. */
extern char *mr_digest_to_cstring(const MrDigest *digest);

#endif							/* MODELREG_DIGEST_H */
