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

/*
 * What the entries of the edges' indexes end with: a team, a role and a kind.
 * A walk meets few of these, again and again, so it compares the bytes with
 * those of an ending that it knows, and rarely looks at the texts.
 */
#define MR_ENDING_MAX 36		/* words of 4 bytes of role and kind */
#define MR_ENDINGS 64			/* that are at hand */

typedef struct MrEnding
{
	int64		team;			/* of the node that the edge leads to */
	int			size;			/* in words of 4 bytes, 0 for too many */
	uint32		bytes[MR_ENDING_MAX];
	uint32		class;			/* that team with the kind */
	int32		role;
	int64		role_team;		/* that the role came with last, or 0 */
	int32		team_role;		/* number of both */
} MrEnding;

/* A team with a kind (a class) or with a role. */
typedef struct MrTeamWord
{
	int64		team;
	int32		word;
	int32		alone;			/* the set of this role alone, or 0 */
} MrTeamWord;

typedef struct MrWords
{
	MrEnding   *endings[MR_ENDINGS];	/* by a hash */
	struct HTAB *by_text;
	const char **texts;			/* of entries of by_text */
	int64		ntexts;
	int64		text_room;
	MrTeamWord *team_words;
	int64		nteam_words;
	int64		team_word_room;
	struct pairs_hash *team_word_numbers;	/* by team and word */
	uint32		last_class;		/* that was asked for */
	struct RoleSet *sets;
	int64		nsets;
	int64		set_room;
	struct pairs_hash *set_numbers; /* of small ones, by set and greatest role */
	MrWalkRole *roles;			/* of the set that was shown last */
	int64		role_room;
} MrWords;

/* Ids are dense, so each half is mixed. */
static inline uint32
mr_hash_id(int64 id)
{
	return murmurhash32((uint32) id) ^ murmurhash32((uint32) (id >> 32) + 1);
}

extern MrWords *mr_words_create(void);

/* A class is a team with a kind. */
extern uint32 mr_words_class(MrWords *words, int64 team, const char *kind);
extern int64 mr_words_team(const MrWords *words, uint32 class);
extern const char *mr_words_kind(const MrWords *words, uint32 class);

extern MrEnding *mr_words_learn(MrWords *words, MrEnding **slot, int64 team,
								const uint32 *bytes, int size);

/* Sets of roles, each with the team of the child; 0 is the empty one. */
extern int32 mr_words_learn_role(MrWords *words, MrEnding *ending, int64 child_team);
extern int32 mr_words_add_role(MrWords *words, int32 set, int32 role);
extern int32 mr_words_unite(MrWords *words, int32 a, int32 b);
extern int	mr_words_roles(MrWords *words, int32 set, const MrWalkRole **roles);

/* The ending of an entry, whose role and kind are so many words of 4 bytes. */
static inline MrEnding *
mr_words_ending(MrWords *words, int64 team, const uint32 *bytes, int size)
{
	uint32		hash = (uint32) team * 0x9E3779B9;
	MrEnding  **slot;
	MrEnding   *ending;
	int			i = 0;

	for (int n = 0; n < size; n++)
		hash = (hash ^ bytes[n]) * 0x85EBCA6B;
	slot = &words->endings[(hash >> 16) % MR_ENDINGS];
	ending = *slot;
	if (ending == NULL || ending->team != team || ending->size != size)
		return mr_words_learn(words, slot, team, bytes, size);
	while (i < size && ending->bytes[i] == bytes[i])
		i++;
	return i == size ? ending : mr_words_learn(words, slot, team, bytes, size);
}

/* The number of the ending's role, of a child of that team. */
static inline int32
mr_words_role(MrWords *words, MrEnding *ending, int64 child_team)
{
	return ending->role_team == child_team ? ending->team_role :
		mr_words_learn_role(words, ending, child_team);
}

/* The set with one role more; most sets have one. */
static inline int32
mr_words_with_role(MrWords *words, int32 set, int32 role)
{
	int32		alone = words->team_words[role].alone;

	return set == 0 || set == alone ? alone : mr_words_add_role(words, set, role);
}

#endif							/* MODELREG_WORDS_H */
