/*
 * owner.h
 *		Acting as the extension's owner for a stretch of C code.
 */
#ifndef MODELREG_OWNER_H
#define MODELREG_OWNER_H

#include "utils/jsonb.h"

typedef struct MrOwnerScope
{
	Oid			user;
	int			context;
	int			guc_level;
} MrOwnerScope;

/* The same for statements that run as the caller. */
typedef struct MrCallerScope
{
	int			guc_level;
	MemoryContext memory;
} MrCallerScope;

extern void mr_owner_begin(MrOwnerScope *scope);
extern void mr_owner_end(MrOwnerScope *scope);

extern void mr_caller_begin(MrCallerScope *scope);
extern void mr_caller_end(MrCallerScope *scope);

extern Oid	mr_relation_oid(const char *name);
extern int64 mr_nextval(const char *sequence);

#endif							/* MODELREG_OWNER_H */
