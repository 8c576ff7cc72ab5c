/*
 * artifact.h
 *		Bytes, uploads, and the artifacts of versions.
 *
 * A row of modelreg.artifact without a uri stands for bytes that the registry
 * holds: modelreg.blob has them by digest.
 */
#ifndef MODELREG_ARTIFACT_H
#define MODELREG_ARTIFACT_H

#include "access/access.h"
#include "datatype/timestamp.h"
#include "types/digest.h"
#include "utils/jsonb.h"
#include "utils/snapshot.h"

/*
 * No statement takes or returns more bytes of an artifact at once.  Even as a
 * literal in hexadecimal a chunk takes the server no more than 64 MB.
 */
#define MR_CHUNK_MAX (4 * 1024 * 1024)

/* What register_version is told of one artifact; NULL for what is not said. */
typedef struct MrArtifactSpec
{
	char	   *name;
	MrDigest   *digest;
	int64		size;
	char	   *media_type;
	char	   *uri;			/* NULL: the registry holds the bytes */
	char	   *store_version;
} MrArtifactSpec;

/*
 * Before mr_verb_begin(), because the caller's own rights count: parse and
 * look up.  The bytes stay until the end of the transaction.
 */
extern MrArtifactSpec *mr_artifacts_resolve(const MrTeam *team,
											Jsonb *artifacts, int *n);
/* Within the verb: write the rows; returns the hash over their hashes. */
extern bytea *mr_artifacts_insert(int64 team, int64 model, int32 version,
								  const MrArtifactSpec *specs, int n);

/* What is stored for a digest, as a snapshot sees it (NULL: the latest). */
typedef struct MrBlob
{
	int64		id;
	int64		size;
	Oid			object;			/* InvalidOid when the bytes were purged */
} MrBlob;

extern bool mr_blob_find(const MrDigest *digest, Snapshot snapshot,
						 MrBlob *blob);

/* What became of the bytes of an artifact; a name of it is for people. */
typedef enum MrBytesState
{
	MR_BYTES_OK,
	MR_BYTES_PURGED,
	MR_BYTES_MISSING,
	MR_BYTES_ALTERED,
	MR_BYTES_EXPOSED			/* others were given rights on them */
} MrBytesState;

extern MrBytesState mr_bytes_check(const MrDigest *digest, int64 size,
								   bool deep);
extern const char *mr_bytes_state_name(MrBytesState state);

/* Who registers keeps the bytes, who removes them asks to. */
extern void mr_bytes_keep(const MrDigest *digest);
extern bool mr_bytes_try_release(const MrDigest *digest);

/*
 * Purging a version: its bytes go, unless something else needs them too.  Called
 * within a verb, with what could use the version locked.  The first says
 * whether nobody is busy with any of the bytes now; the other two may follow.
 */
extern bool mr_purge_try_begin(int64 team, int64 model, int32 version,
							   TimestampTz registered_at);
extern void mr_purge_bytes(int64 team, int64 model, int32 version,
						   TimestampTz registered_at);
extern void mr_purge_record(int64 team, int64 model, int32 version,
							TimestampTz at, int64 seq);
extern bool mr_version_is_purged(int64 model, int32 version,
								 Snapshot snapshot);

/* For the guard: no large object of ours is dropped but by us. */
extern bool mr_object_is_ours(Oid object);
extern bool mr_object_drop_passes(Oid object);

#endif							/* MODELREG_ARTIFACT_H */
