/*
 * stored.c
 *		Do all events fit, read in the order in which they are stored, and is
 *		the state what they tell?
 *
 * That is nearly always the order of each chain, as events are only ever
 * added; one that was put into a gap of an earlier page waits in memory for
 * those before it.  One pass, with a place in memory for each chain, then
 * shows what else takes an ordered walk and many statements: links, numbers
 * and times, teams, heads, that no event is there twice, and what the folds
 * show (audit/fold.h), which are given each event as it is taken.  Where
 * anything is amiss, or too much would wait, these say what it is.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "audit/fold.h"
#include "base/hash.h"
#include "verify/verify.h"

/* More chains, or bytes of events that wait, would take more memory than is theirs. */
#define MAX_CHAINS 500000
#define MAX_WAITING_BYTES (64 * 1024 * 1024)

/* Hash keys. */
typedef struct ChainKey
{
	int64		chain;
	int64		id;
} ChainKey;

typedef struct EventKey
{
	ChainKey	chain;
	int64		seq;
} EventKey;

/* An event: the last one of a chain that was taken, or one that waits. */
typedef struct Event
{
	EventKey	key;
	TimestampTz at;
	int64		team;
	uint8		prev[MR_HASH_LEN];
	uint8		hash[MR_HASH_LEN];
	text	   *kind;			/* of one that waits, copied */
	Jsonb	   *what;
} Event;

/* How far a chain was read. */
typedef struct Place
{
	ChainKey	key;
	Event		last;
	int			waiting;
	bool		has_head;
} Place;

/* A fold, as long as it may hold. */
typedef struct Fold
{
	const MrFold *fold;
	void	   *state;
	bool		holds;
} Fold;

struct MrPass
{
	MemoryContext context;
	HTAB	   *chains;
	HTAB	   *waiting;
	Size		waiting_bytes;
	Fold	   *folds;
	int			nfolds;
	bool		fit;
	bool		has_request_ids;
};

static const char heads_sql[] =
"SELECT h.chain, h.id, h.team, h.seq, h.head_at, h.head_hash FROM (" MR_SQL_HEADS ") h";

/* What the pass itself shows. */
static const char *const shows[] = {
	"chains", "heads", "chains without a head", "teams of events", "event(chain, chain_id, seq)"
};
static const char *const shows_without_request_ids[] = {"request ids of events"};

/* A chain's place; before its first event it has a number 0 and no hash. */
static Place *
find_place(MrPass *pass, const Event *event)
{
	bool		found;
	Place	   *place = hash_search(pass->chains, &event->key.chain, HASH_ENTER, &found);

	if (found)
		return place;
	memset(&place->last, 0, sizeof(Event));
	place->last.key.chain = event->key.chain;
	place->last.at = DT_NOBEGIN;
	place->last.team = event->team;
	place->waiting = 0;
	place->has_head = false;
	return place;
}

static const MrFoldStep *
find_step(const MrFold *fold, const MrEventRow *row)
{
	for (int i = 0; i < fold->nsteps; i++)
	{
		const MrFoldStep *step = &fold->steps[i];

		if (step->chain == row->chain &&
			(step->kind == NULL || (strlen(step->kind) == row->kind_len &&
									memcmp(step->kind, row->kind, row->kind_len) == 0)))
			return step;
	}
	return NULL;
}

/* Give an event to the folds. */
static void
fold_event(MrPass *pass, const Event *event)
{
	MrEventRow	row = {.chain = event->key.chain.chain,.chain_id = event->key.chain.id,
		.seq = event->key.seq,.at = event->at,.team = event->team,
	.kind = VARDATA_ANY(event->kind),.kind_len = VARSIZE_ANY_EXHDR(event->kind),.what = event->what};

	for (int i = 0; i < pass->nfolds; i++)
	{
		Fold	   *fold = &pass->folds[i];
		const MrFoldStep *step = fold->holds ? find_step(fold->fold, &row) : NULL;

		if (step != NULL)
			fold->holds = step->take(fold->state, &row);
		if (step != NULL && !fold->holds)
			ereport(DEBUG1,
					(errmsg_internal("verify: the statements have to look, because of event %s/" INT64_FORMAT "/" INT64_FORMAT,
									 mr_verify_chain_name(row.chain), row.chain_id, row.seq)));
	}
}

/* Take an event if it comes next in its chain, and is of the chain's team. */
static bool
take(MrPass *pass, Place *place, const Event *event)
{
	const Event *last = &place->last;

	if (event->key.seq != last->key.seq + 1 || event->at <= last->at ||
		event->team != last->team ||
		memcmp(event->prev, last->hash, MR_HASH_LEN) != 0)
		return false;
	fold_event(pass, event);
	place->last = *event;
	return true;
}

static Size
size_of_waiting(const Event *event)
{
	return sizeof(Event) + VARSIZE(event->kind) + VARSIZE(event->what);
}

/* Let an event wait for those before it; false if it can be no such. */
static bool
wait_for_others(MrPass *pass, Place *place, const Event *event)
{
	MemoryContext old;
	bool		found;
	Event	   *waiting;

	if (event->key.seq <= place->last.key.seq || pass->waiting_bytes > MAX_WAITING_BYTES)
		return false;
	waiting = hash_search(pass->waiting, &event->key, HASH_ENTER, &found);
	*waiting = *event;
	old = MemoryContextSwitchTo(pass->context);
	waiting->kind = DatumGetTextPCopy(PointerGetDatum(event->kind));
	waiting->what = DatumGetJsonbPCopy(JsonbPGetDatum(event->what));
	MemoryContextSwitchTo(old);
	pass->waiting_bytes += size_of_waiting(waiting);
	place->waiting++;
	return !found;
}

static void
forget_waiting(MrPass *pass, Place *place, Event *event)
{
	pass->waiting_bytes -= size_of_waiting(event);
	pfree(event->kind);
	pfree(event->what);
	hash_search(pass->waiting, &event->key, HASH_REMOVE, NULL);
	place->waiting--;
}

/* Take those that waited for the event that was taken. */
static bool
take_waiting(MrPass *pass, Place *place)
{
	while (place->waiting > 0)
	{
		EventKey	key = {place->key, place->last.key.seq + 1};
		Event	   *event = hash_search(pass->waiting, &key, HASH_FIND, NULL);

		if (event == NULL)
			return true;
		if (!take(pass, place, event))
			return false;
		forget_waiting(pass, place, event);
	}
	return true;
}

/* The columns of an event, which stand as format 1 has them. */
enum
{
	EVENT_CHAIN, EVENT_CHAIN_ID, EVENT_SEQ, EVENT_AT, EVENT_KIND, EVENT_TEAM_ID,
	EVENT_REQUEST_ID = 9, EVENT_WHAT, EVENT_PREV = 12, EVENT_HASH
};

static bool
read_event(const Datum *values, const bool *nulls, Event *event)
{
	for (int i = EVENT_CHAIN; i <= EVENT_TEAM_ID; i++)
		if (nulls[i])
			return false;
	if (nulls[EVENT_WHAT])
		return false;
	event->key.chain.chain = DatumGetInt16(values[EVENT_CHAIN]);
	event->key.chain.id = DatumGetInt64(values[EVENT_CHAIN_ID]);
	event->key.seq = DatumGetInt64(values[EVENT_SEQ]);
	event->at = DatumGetTimestampTz(values[EVENT_AT]);
	event->team = DatumGetInt64(values[EVENT_TEAM_ID]);
	event->kind = DatumGetTextPP(values[EVENT_KIND]);
	event->what = DatumGetJsonbP(values[EVENT_WHAT]);
	return mr_verify_read_hash(values[EVENT_PREV], nulls[EVENT_PREV], event->prev) &&
		mr_verify_read_hash(values[EVENT_HASH], nulls[EVENT_HASH], event->hash);
}

static bool
place_event(MrPass *pass, const Datum *values, const bool *nulls)
{
	Event		event;
	Place	   *place;

	if (!read_event(values, nulls, &event) ||
		hash_get_num_entries(pass->chains) >= MAX_CHAINS)
		return false;
	place = find_place(pass, &event);
	return take(pass, place, &event) ? take_waiting(pass, place) :
		wait_for_others(pass, place, &event);
}

/* The next row of event, as it is stored. */
void
mr_verify_pass_event(MrPass *pass, const Datum *values, const bool *nulls)
{
	pass->has_request_ids |= !nulls[EVENT_REQUEST_ID];
	if (pass->fit)
		pass->fit = place_event(pass, values, nulls);
}

/* Is a head at the last event of its chain? */
static bool
fits_head(MrPass *pass, const Datum *values, const bool *nulls)
{
	static const Event none = {.at = DT_NOBEGIN};
	const Event *last = &none;
	ChainKey	key;
	Place	   *place;
	uint8		hash[MR_HASH_LEN];

	for (int i = 0; i < 5; i++)
		if (nulls[i])
			return false;
	key.chain = DatumGetInt32(values[0]);
	key.id = DatumGetInt64(values[1]);
	place = hash_search(pass->chains, &key, HASH_FIND, NULL);
	if (place != NULL)
	{
		last = &place->last;
		place->has_head = true;
		if (last->team != DatumGetInt64(values[2]))
			return false;
	}
	return DatumGetInt64(values[3]) == last->key.seq &&
		DatumGetTimestampTz(values[4]) == last->at &&
		mr_verify_read_hash(values[5], nulls[5], hash) &&
		memcmp(hash, last->hash, MR_HASH_LEN) == 0;
}

static void
walk_head(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	MrPass	   *pass = state;

	if (pass->fit)
		pass->fit = fits_head(pass, slot->tts_values, slot->tts_isnull);
}

static bool
all_have_heads(MrPass *pass)
{
	HASH_SEQ_STATUS status;
	Place	   *place;
	bool		all = true;

	hash_seq_init(&status, pass->chains);
	while ((place = hash_seq_search(&status)) != NULL)
		all = all && place->has_head;
	return all;
}

/* Rows of state for a fold. */
typedef struct FoldRows
{
	Fold	   *fold;
	const MrFoldRows *rows;
} FoldRows;

static void
walk_state(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	FoldRows   *rows = state;

	if (!rows->fold->holds)
		return;
	rows->fold->holds = rows->rows->take(rows->fold->state, slot->tts_values, slot->tts_isnull);
	if (!rows->fold->holds)
		ereport(DEBUG1,
				(errmsg_internal("verify: the statements have to look, because of a row of \"%s\"",
								 rows->rows->sql)));
}

static void
finish_fold(MrVerify *verify, Fold *fold)
{
	for (int i = 0; i < fold->fold->nrows && fold->holds; i++)
	{
		FoldRows	rows = {fold, &fold->fold->rows[i]};

		mr_verify_scan(verify, rows.rows->sql, walk_state, &rows);
	}
	if (fold->holds && fold->fold->end(fold->state))
		mr_verify_show(verify, fold->fold->shows, fold->fold->nshows);
}

static void
finish_pass(MrVerify *verify, const void *arg)
{
	MrPass	   *pass = verify->pass;

	mr_verify_scan(verify, heads_sql, walk_head, pass);
	if (!pass->fit || hash_get_num_entries(pass->waiting) > 0 || !all_have_heads(pass))
		return;
	mr_verify_show(verify, shows, lengthof(shows));
	if (!pass->has_request_ids)
		mr_verify_show(verify, shows_without_request_ids, lengthof(shows_without_request_ids));
	for (int i = 0; i < pass->nfolds; i++)
		finish_fold(verify, &pass->folds[i]);
}

static HTAB *
make_table(MrPass *pass, const char *name, Size keysize, Size entrysize)
{
	HASHCTL		control = {.keysize = keysize,.entrysize = entrysize,.hcxt = pass->context};

	return hash_create(name, 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
begin_folds(MrPass *pass)
{
	while (mr_fold_get(pass->nfolds) != NULL)
		pass->nfolds++;
	pass->folds = MemoryContextAlloc(pass->context, Max(1, pass->nfolds) * sizeof(Fold));
	for (int i = 0; i < pass->nfolds; i++)
	{
		const MrFold *fold = mr_fold_get(i);

		pass->folds[i] = (Fold) {fold, fold->begin(pass->context), true};
	}
}

/* A pass over the events of the whole registry. */
MrPass *
mr_verify_pass_begin(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "modelreg verify pass",
												  ALLOCSET_DEFAULT_SIZES);
	MrPass	   *pass = MemoryContextAllocZero(context, sizeof(MrPass));

	pass->context = context;
	pass->fit = true;
	pass->chains = make_table(pass, "modelreg verify chains", sizeof(ChainKey), sizeof(Place));
	pass->waiting = make_table(pass, "modelreg verify waiting", sizeof(EventKey), sizeof(Event));
	begin_folds(pass);
	return pass;
}

/* All events were read: what follows from them need not be looked for.  What cannot be read, the statements say. */
void
mr_verify_pass_end(MrVerify *verify)
{
	if (verify->pass->fit)
		(void) mr_verify_try(verify, "events as stored", finish_pass, NULL);
	MemoryContextDelete(verify->pass->context);
	verify->pass = NULL;
}
