/*
 * blob.c
 *		The bytes that the registry holds, by digest, and who keeps them.
 *
 * Bytes that no version names may be removed by a sweep.  So that none are
 * removed while a transaction registers a version with them, that transaction
 * holds a shared lock on their digest, and who removes them needs it alone.
 * The digests share a fixed number of such locks, because a version may have
 * thousands of artifacts and the server's lock table is small.
 */
#include "postgres.h"


#include "artifact/artifact.h"
#include "artifact/artifact_tables.h"
#include "base/lock.h"
#include "base/table.h"

#define BYTES_LOCKS 64

/* What is stored for a digest; false if nothing ever was. */
bool
mr_blob_find(const MrDigest *digest, Snapshot snapshot, MrBlob *blob)
{
	MrTable    *table = mr_table_open_read("blob");
	Datum		key = MrDigestGetDatum(digest);
	bool		found = mr_table_find(table, "blob_digest", 1, &key, snapshot);
	bool		purged;

	if (found)
	{
		blob->id = DatumGetInt64(mr_table_get(table, BLOB_ID, NULL));
		blob->size = DatumGetInt64(mr_table_get(table, BLOB_SIZE, NULL));
		blob->object = DatumGetObjectId(mr_table_get(table, BLOB_OBJECT, &purged));
		if (purged)
			blob->object = InvalidOid;
	}
	mr_table_close(table);
	return found;
}

static uint8
lock_of(const MrDigest *digest)
{
	return mr_digest_bytes(digest)[0] % BYTES_LOCKS;
}

/* Until the end of the transaction nobody removes bytes of this digest. */
void
mr_bytes_keep(const MrDigest *digest)
{
	uint8		key = lock_of(digest);

	mr_lock_key_shared(MR_LOCK_BYTES, &key, sizeof(key));
}

/*
 * May this transaction remove bytes of this digest?  False while another one
 * keeps them, or others that share the lock.
 */
bool
mr_bytes_try_release(const MrDigest *digest)
{
	uint8		key = lock_of(digest);

	return mr_lock_key_try(MR_LOCK_BYTES, &key, sizeof(key));
}
