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
	MR_LOCK_NODE,
	MR_LOCK_TEAM_BYTES,			/* a team's row of modelreg.team_bytes */
	MR_LOCK_BLOB,				/* a digest that is being stored */
	MR_LOCK_BYTES,				/* shared: bytes stay; exclusive: they go */
	MR_LOCK_EVALUATION,			/* of one node */
	MR_LOCK_NOTE,				/* what is said of a model under one key */
	MR_LOCK_QUARANTINE,			/* shared: versions are let in; exclusive: nodes
								 * are quarantined; at the end of a transaction */
	MR_LOCK_SIGNING_KEYS,		/* shared: a look at a team's; exclusive: one goes */
	MR_LOCK_TRAFFIC,			/* of a model; shared: its versions are let into
								 * splits; exclusive: they change their stage; at
								 * the end of a transaction */
	MR_LOCK_INSTANCE,			/* what a serving process reports */
	MR_LOCK_ROLLOUT_GUARD,		/* of an endpoint; at the end of a transaction */
	MR_LOCK_PARTITIONS,			/* who makes or drops some */
	MR_LOCK_ROLES				/* that setup_roles() looks for, by their prefix */
} MrLockClass;

extern void mr_lock_key(MrLockClass class, const void *key, int len);
extern void mr_unlock_key(MrLockClass class, const void *key, int len);
extern void mr_lock_key_shared(MrLockClass class, const void *key, int len);
extern void mr_unlock_key_shared(MrLockClass class, const void *key, int len);
extern bool mr_lock_key_try(MrLockClass class, const void *key, int len);

#endif							/* MODELREG_LOCK_H */
