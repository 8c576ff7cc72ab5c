/*
 * words.h
 *		Numbers in place of the kinds, teams and roles that a walk meets.
 */
#ifndef MODELREG_WORDS_H
#define MODELREG_WORDS_H

#include "common/hashfn.h"

/*
 * A role in which the last step of a shortest path arrived.  It is written
 * in the record of the edge's child, so who may not read child_team may not
 * see it.
 */
typedef struct MrWalkRole
{
	const char *role;
	int64		child_team;
} MrWalkRole;

typedef struct MrWords MrWords;

/* Ids are dense, so each half is mixed. */
static inline uint32
mr_hash_id(int64 id)
{
	return murmurhash32((uint32) id) ^ murmurhash32((uint32) (id >> 32) + 1);
}

extern MrWords *mr_words_create(void);

/* A class is a team with a kind. */
extern uint32 mr_words_class(MrWords *words, int64 team, Datum kind);
extern int64 mr_words_team(const MrWords *words, uint32 class);
extern const char *mr_words_kind(const MrWords *words, uint32 class);

/* Sets of roles, each with the team of the child; 0 is the empty one. */
extern int32 mr_words_role(MrWords *words, int64 child_team, Datum role);
extern int32 mr_words_with_role(MrWords *words, int32 set, int32 role);
extern int	mr_words_roles(MrWords *words, int32 set, const MrWalkRole **roles);

#endif							/* MODELREG_WORDS_H */
