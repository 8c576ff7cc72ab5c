/*
 * lock.c
 *		Waiting for whoever writes the same key.
 *
 * Two transactions that insert one key would meet in its unique index, where
 * the second gets an error.  Each takes the key's lock first and looks again
 * under the latest snapshot, so that the second finds the first one's row.
 * Who inserts many keys in one transaction lets go of each lock when its row
 * is there, and looks with mr_table_await_key() first.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"

#include "base/lock.h"

static LOCKTAG
make_tag(MrLockClass class, const void *key, int len)
{
	uint64		hash = hash_bytes_extended(key, len, 0);
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32),
						 (uint32) hash, class);
	return tag;
}

static bool
lock_key(MrLockClass class, const void *key, int len, LOCKMODE mode,
		 bool only_if_free)
{
	LOCKTAG		tag = make_tag(class, key, len);

	return LockAcquire(&tag, mode, false, only_if_free) != LOCKACQUIRE_NOT_AVAIL;
}

/*
 * Lock a key until the end of the transaction.  The lock is of the advisory
 * kind, on a hash of the key: keys that share it only wait for each other.
 */
void
mr_lock_key(MrLockClass class, const void *key, int len)
{
	(void) lock_key(class, key, len, ExclusiveLock, false);
}

/* Let go of a key before the end of the transaction. */
void
mr_unlock_key(MrLockClass class, const void *key, int len)
{
	LOCKTAG		tag = make_tag(class, key, len);

	(void) LockRelease(&tag, ExclusiveLock, false);
}

/* The same together with others that share it. */
void
mr_lock_key_shared(MrLockClass class, const void *key, int len)
{
	(void) lock_key(class, key, len, ShareLock, false);
}

/* Let go of a shared key before the end of the transaction. */
void
mr_unlock_key_shared(MrLockClass class, const void *key, int len)
{
	LOCKTAG		tag = make_tag(class, key, len);

	(void) LockRelease(&tag, ShareLock, false);
}

/* Lock a key if nobody holds it; false if somebody does. */
bool
mr_lock_key_try(MrLockClass class, const void *key, int len)
{
	return lock_key(class, key, len, ExclusiveLock, true);
}
