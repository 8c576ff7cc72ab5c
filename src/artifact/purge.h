/*
 * purge.h
 *		Who needs bytes, and what becomes of those that nobody needs.
 */
#ifndef MODELREG_PURGE_H
#define MODELREG_PURGE_H

#include "base/table.h"
#include "types/digest.h"

/* A version that does not count; model 0 for none. */
typedef struct MrExcept
{
	int64		model;
	int32		version;
} MrExcept;

extern bool mr_bytes_needed(const MrDigest *digest, int64 team,
							const MrExcept *except);
extern bool mr_bytes_uploaded(const MrDigest *digest);
extern void mr_bytes_remove(const MrDigest *digest);
extern void mr_blob_empty(MrTable *table);

#endif							/* MODELREG_PURGE_H */
