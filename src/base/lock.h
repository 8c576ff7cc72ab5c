/*
 * lock.h
 *		Waiting for whoever writes the same key.
 */
#ifndef MODELREG_LOCK_H
#define MODELREG_LOCK_H

/* What a key is of.  pg_advisory_lock() uses the classes 1 and 2. */
typedef enum MrLockClass
{
	MR_LOCK_REQUEST_ID = 3,
	MR_LOCK_NODE
} MrLockClass;

extern void mr_lock_key(MrLockClass class, const void *key, int len);

#endif							/* MODELREG_LOCK_H */
