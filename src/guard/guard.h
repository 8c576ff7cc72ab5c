/*
 * guard.h
 *		Immutability of rows, and protection against DDL and drops.
 */
#ifndef MODELREG_GUARD_H
#define MODELREG_GUARD_H

#include "base/compat.h"
#include "verify/verify.h"

extern void mr_guard_init(void);

extern void mr_guard_verify(MrVerify *verify, const void *arg);

/* What of the catalogs is the registry's; owned.c. */
extern bool mr_guard_is_off(void);
extern bool mr_guard_owns(Oid catalog, Oid object);
extern bool mr_guard_owns_part(Oid catalog, Oid object, Oid *relation);
extern Oid	mr_guard_parent(Oid relation);
extern bool mr_guard_is_partition(Oid relation);

pg_noreturn extern void mr_guard_refuse(Oid catalog, Oid object,
										const char *what);

/* May this index stand on one of the registry's tables?  index.c. */
extern void mr_guard_check_index(Oid index);
extern bool mr_guard_index_is_harmless(Oid index);

/* May this table be a partition, and this trigger stand on one?  partition.c. */
extern void mr_guard_check_partition(Oid partition);
extern bool mr_guard_trigger_passes(Oid trigger, bool altered);

#endif							/* MODELREG_GUARD_H */
