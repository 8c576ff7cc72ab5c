/*
 * lock.c
 *		Waiting for whoever writes the same key.
 *
 * Two transactions that insert one key would meet in its unique index, where
 * the second gets an error.  Each takes the key's lock first and looks again
 * under the latest snapshot, so that the second finds the first one's row.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"

#include "base/lock.h"

/*
 * Lock a key until the end of the transaction.  The lock is of the advisory
 * kind, on a hash of the key: keys that share it only wait for each other.
 */
void
mr_lock_key(MrLockClass class, const void *key, int len)
{
	uint64		hash = hash_bytes_extended(key, len, 0);
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32),
						 (uint32) hash, class);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}
