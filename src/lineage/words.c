/*
 * words.c
 *		Numbers in place of the kinds, teams and roles that a walk meets.
 *
 * A walk meets few different ones, however many nodes it visits, so a node
 * needs two small numbers for them.  A set of roles is another set with one
 * role more.  A small one has its roles in ascending order, and so one number.
 * Larger ones come from lineages with very many roles: each is an addition
 * of its own, and may have a role twice, so that adding to it costs the same
 * however large it is.
 */
#include "postgres.h"

#include "nodes/bitmapset.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "base/compat.h"
#include "base/grow.h"
#include "lineage/words.h"

/* A pair of numbers that has a number of its own. */
typedef struct PairKey
{
	int64		a;
	int64		b;
} PairKey;

typedef struct PairEntry
{
	PairKey		key;
	int32		number;
	char		status;			/* for simplehash */
} PairEntry;

static inline uint32
hash_pair(PairKey key)
{
	return hash_combine(mr_hash_id(key.a), mr_hash_id(key.b));
}

#define SH_PREFIX pairs
#define SH_ELEMENT_TYPE PairEntry
#define SH_KEY_TYPE PairKey
#define SH_KEY key
#define SH_HASH_KEY(table, key) hash_pair(key)
#define SH_EQUAL(table, x, y) ((x).a == (y).a && (x).b == (y).b)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

#define WORD_MAX 64				/* bytes of a role or kind, with its end */

typedef struct WordEntry
{
	char		text[WORD_MAX]; /* hash key */
	int32		number;
} WordEntry;

typedef struct RoleSet
{
	int32		others;			/* the set without its last role */
	int32		role;			/* a TeamWord */
	int32		size;
} RoleSet;

#define SMALL_SET 8				/* roles of one in order */
#define SEARCHED 64				/* last roles, among which one is looked for */

MrWords *
mr_words_create(void)
{
	MrWords    *words = palloc0(sizeof(MrWords));
	HASHCTL		control = {0};

	control.keysize = WORD_MAX;
	control.entrysize = sizeof(WordEntry);
	control.hcxt = CurrentMemoryContext;
	words->by_text = hash_create("modelreg roles and kinds", 32, &control,
								 HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	words->team_word_numbers = pairs_create(CurrentMemoryContext, 32, NULL);
	words->set_numbers = pairs_create(CurrentMemoryContext, 32, NULL);
	words->sets = mr_grow(words->sets, 0, &words->set_room, sizeof(RoleSet));
	words->sets[0].role = -1;
	words->sets[0].size = 0;
	words->nsets = 1;			/* the empty one */
	return words;
}

/* The number of a role or kind. */
static int32
intern_text(MrWords *words, const char *word)
{
	char		key[WORD_MAX];
	WordEntry  *entry;
	bool		found;

	strlcpy(key, word, WORD_MAX);
	entry = hash_search(words->by_text, key, HASH_ENTER, &found);
	if (found)
		return entry->number;
	words->texts = mr_grow(words->texts, words->ntexts, &words->text_room,
						   sizeof(char *));
	words->texts[words->ntexts] = entry->text;
	return entry->number = words->ntexts++;
}

static int32
find_team_word(MrWords *words, int64 team, int32 word)
{
	PairKey		key = {team, word};
	bool		found;
	PairEntry  *entry = pairs_insert(words->team_word_numbers, key, &found);

	if (!found)
	{
		words->team_words = mr_grow(words->team_words, words->nteam_words,
									&words->team_word_room, sizeof(MrTeamWord));
		words->team_words[words->nteam_words].team = team;
		words->team_words[words->nteam_words].word = word;
		words->team_words[words->nteam_words].alone = 0;
		entry->number = words->nteam_words++;
	}
	return entry->number;
}

/* Who asks for one after another mostly asks for the same. */
uint32
mr_words_class(MrWords *words, int64 team, const char *kind)
{
	uint32		last = words->last_class;

	if (words->nteam_words > 0 && mr_words_team(words, last) == team &&
		strcmp(mr_words_kind(words, last), kind) == 0)
		return last;
	return words->last_class = find_team_word(words, team, intern_text(words, kind));
}

int64
mr_words_team(const MrWords *words, uint32 class)
{
	return words->team_words[class].team;
}

const char *
mr_words_kind(const MrWords *words, uint32 class)
{
	return words->texts[words->team_words[class].word];
}

static bool
set_has(const MrWords *words, int32 set, int32 role)
{
	for (int i = 0; i < SEARCHED && set != 0; i++, set = words->sets[set].others)
		if (words->sets[set].role == role)
			return true;
	return false;
}

static int32
add_set(MrWords *words, int32 others, int32 role)
{
	if (words->nsets == PG_INT32_MAX)
		elog(ERROR, "too many sets of roles in one walk");
	words->sets = mr_grow(words->sets, words->nsets, &words->set_room,
						  sizeof(RoleSet));
	words->sets[words->nsets].others = others;
	words->sets[words->nsets].role = role;
	words->sets[words->nsets].size = words->sets[others].size + 1;
	return words->nsets++;
}

/* The small set of another and of a role that is greater than all of its. */
static int32
find_set(MrWords *words, int32 others, int32 role)
{
	PairKey		key = {others, role};
	bool		found;
	PairEntry  *entry = pairs_insert(words->set_numbers, key, &found);

	if (!found)
		entry->number = add_set(words, others, role);
	return entry->number;
}

/* Add a role that the set does not have. */
static int32
add_role(MrWords *words, int32 set, int32 role)
{
	int32		greatest = words->sets[set].role;

	if (words->sets[set].size >= SMALL_SET)
		return add_set(words, set, role);
	if (set == 0 || greatest < role)
		return find_set(words, set, role);
	return find_set(words, add_role(words, words->sets[set].others, role), greatest);
}

/* The set with a role more that may be in it. */
int32
mr_words_add_role(MrWords *words, int32 set, int32 role)
{
	return set_has(words, set, role) ? set : add_role(words, set, role);
}

/* The set of the roles of two. */
int32
mr_words_unite(MrWords *words, int32 a, int32 b)
{
	Bitmapset  *known = NULL;

	if (a == 0 || a == b)
		return b;
	for (int32 set = a; set != 0; set = words->sets[set].others)
		known = bms_add_member(known, words->sets[set].role);
	for (; b != 0; b = words->sets[b].others)
		if (!bms_is_member(words->sets[b].role, known))
		{
			a = add_role(words, a, words->sets[b].role);
			known = bms_add_member(known, words->sets[b].role);
		}
	bms_free(known);
	return a;
}

/* The number of the ending's role, of a child of that team; the ending keeps it. */
int32
mr_words_learn_role(MrWords *words, MrEnding *ending, int64 child_team)
{
	int32		role = find_team_word(words, child_team, ending->role);

	if (words->team_words[role].alone == 0)
		words->team_words[role].alone = add_role(words, 0, role);
	ending->team_role = role;
	ending->role_team = child_team;
	return role;
}

/* The number of a role or kind as it lies in an entry. */
static int32
intern_datum(MrWords *words, const char *value)
{
	char	   *word = TextDatumGetCString(PointerGetDatum(value));
	int32		number = intern_text(words, word);

	pfree(word);
	return number;
}

/*
 * Learn an ending that is not in its slot, and put it there.  Its bytes are
 * two texts as they lie in an entry, the role and then the kind.
 */
MrEnding *
mr_words_learn(MrWords *words, MrEnding **slot, int64 team, const uint32 *bytes,
			   int size)
{
	char	   *role = (char *) bytes;
	char	   *kind = (char *) att_align_pointer(role + VARSIZE_ANY(role),
												  TYPALIGN_INT, -1,
												  role + VARSIZE_ANY(role));
	MrEnding   *ending = *slot;

	if (ending == NULL)
		ending = *slot = palloc(sizeof(MrEnding));
	ending->size = 0;
	ending->role = intern_datum(words, role);
	ending->class = find_team_word(words, team, intern_datum(words, kind));
	ending->team = team;
	ending->role_team = 0;
	if (size <= MR_ENDING_MAX)
	{
		ending->size = size;
		memcpy(ending->bytes, bytes, size * sizeof(uint32));
	}
	return ending;
}

static int
compare_roles(const void *a, const void *b)
{
	const MrWalkRole *x = a;
	const MrWalkRole *y = b;
	int			order = strcmp(x->role, y->role);

	if (order != 0)
		return order;
	return (x->child_team > y->child_team) - (x->child_team < y->child_team);
}

/* The roles of a set, ordered by text and team; valid until the next call. */
int
mr_words_roles(MrWords *words, int32 set, const MrWalkRole **roles)
{
	int			n = 0;

	for (; set != 0; set = words->sets[set].others)
	{
		MrTeamWord *role = &words->team_words[words->sets[set].role];

		words->roles = mr_grow(words->roles, n, &words->role_room,
							   sizeof(MrWalkRole));
		words->roles[n].role = words->texts[role->word];
		words->roles[n++].child_team = role->team;
	}
	if (n > 1)
		qsort(words->roles, n, sizeof(MrWalkRole), compare_roles);
	*roles = words->roles;
	return n;
}
