/*
 * stored.c
 *		Do all events fit, read in the order in which they are stored?
 *
 * That is nearly always the order of each chain, as events are only ever
 * added; one that was put into a gap of an earlier page waits in memory for
 * those before it.  One pass, with a place in memory for each chain, then
 * shows what else takes an ordered walk and three statements: links, numbers
 * and times, teams, heads, and that no event is there twice.  Where anything
 * is amiss, or too much would wait, these say what it is.
 */
#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/timestamp.h"

#include "base/hash.h"
#include "verify/verify.h"

/* More chains or events that wait would take more memory than is theirs. */
#define MAX_CHAINS 500000
#define MAX_WAITING 100000

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
} Event;

/* How far a chain was read. */
typedef struct Place
{
	ChainKey	key;
	Event		last;
	int			waiting;
	bool		has_head;
} Place;

typedef struct Places
{
	HTAB	   *chains;
	HTAB	   *waiting;
	bool		fit;
} Places;

static const char events_sql[] =
"SELECT t.chain, t.chain_id, t.seq, t.at, t.team_id, t.prev, t.hash FROM modelreg.event t";

static const char heads_sql[] =
"SELECT h.chain, h.id, h.team FROM (" MR_SQL_HEADS ") h";

/* A chain's place; before its first event it has a number 0 and no hash. */
static Place *
find_place(Places *places, const Event *event)
{
	bool		found;
	Place	   *place = hash_search(places->chains, &event->key.chain, HASH_ENTER, &found);

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

/* Take an event if it comes next in its chain, and is of the chain's team. */
static bool
take(Place *place, const Event *event)
{
	const Event *last = &place->last;

	if (event->key.seq != last->key.seq + 1 || event->at <= last->at ||
		event->team != last->team ||
		memcmp(event->prev, last->hash, MR_HASH_LEN) != 0)
		return false;
	place->last = *event;
	return true;
}

/* Let an event wait for those before it; false if it can be no such. */
static bool
wait_for_others(Places *places, Place *place, const Event *event)
{
	bool		found;
	Event	   *waiting;

	if (event->key.seq <= place->last.key.seq ||
		hash_get_num_entries(places->waiting) >= MAX_WAITING)
		return false;
	waiting = hash_search(places->waiting, &event->key, HASH_ENTER, &found);
	*waiting = *event;
	place->waiting++;
	return !found;
}

/* Take those that waited for the event that was taken. */
static bool
take_waiting(Places *places, Place *place)
{
	while (place->waiting > 0)
	{
		EventKey	key = {place->key, place->last.key.seq + 1};
		Event	   *event = hash_search(places->waiting, &key, HASH_FIND, NULL);

		if (event == NULL)
			return true;
		if (!take(place, event))
			return false;
		hash_search(places->waiting, &key, HASH_REMOVE, NULL);
		place->waiting--;
	}
	return true;
}

static bool
read_event(const Datum *values, const bool *nulls, Event *event)
{
	for (int i = 0; i < 5; i++)
		if (nulls[i])
			return false;
	event->key.chain.chain = DatumGetInt16(values[0]);
	event->key.chain.id = DatumGetInt64(values[1]);
	event->key.seq = DatumGetInt64(values[2]);
	event->at = DatumGetTimestampTz(values[3]);
	event->team = DatumGetInt64(values[4]);
	return mr_verify_read_hash(values[5], nulls[5], event->prev) &&
		mr_verify_read_hash(values[6], nulls[6], event->hash);
}

static bool
place_event(Places *places, const Datum *values, const bool *nulls)
{
	Event		event;
	Place	   *place;

	if (!read_event(values, nulls, &event) ||
		hash_get_num_entries(places->chains) >= MAX_CHAINS)
		return false;
	place = find_place(places, &event);
	return take(place, &event) ? take_waiting(places, place) :
		wait_for_others(places, place, &event);
}

static void
walk_event(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	Places	   *places = state;

	if (places->fit)
		places->fit = place_event(places, slot->tts_values, slot->tts_isnull);
}

/* A head without events is another check's. */
static void
walk_head(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	Places	   *places = state;
	const Datum *values = slot->tts_values;
	ChainKey	key;
	Place	   *place;

	if (slot->tts_isnull[1] || slot->tts_isnull[2])
	{
		places->fit = false;
		return;
	}
	key.chain = DatumGetInt32(values[0]);
	key.id = DatumGetInt64(values[1]);
	place = hash_search(places->chains, &key, HASH_FIND, NULL);
	if (place == NULL)
		return;
	place->has_head = true;
	if (place->last.team != DatumGetInt64(values[2]))
		places->fit = false;
}

static bool
all_have_heads(Places *places)
{
	HASH_SEQ_STATUS status;
	Place	   *place;
	bool		all = true;

	hash_seq_init(&status, places->chains);
	while ((place = hash_seq_search(&status)) != NULL)
		all = all && place->has_head;
	return all;
}

static HTAB *
make_table(const char *name, Size keysize, Size entrysize)
{
	HASHCTL		control = {.keysize = keysize,.entrysize = entrysize,.hcxt = CurrentMemoryContext};

	return hash_create(name, 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
verify_as_stored(MrVerify *verify, const void *arg)
{
	Places		places = {.fit = true};

	places.chains = make_table("modelreg verify chains", sizeof(ChainKey), sizeof(Place));
	places.waiting = make_table("modelreg verify waiting", sizeof(EventKey), sizeof(Event));
	mr_verify_scan(verify, events_sql, walk_event, &places);
	if (places.fit)
		mr_verify_scan(verify, heads_sql, walk_head, &places);
	verify->events_fit = places.fit && all_have_heads(&places) &&
		hash_get_num_entries(places.waiting) == 0;
	hash_destroy(places.waiting);
	hash_destroy(places.chains);
}

/* Sets events_fit, of the whole registry. */
void
mr_verify_stored(MrVerify *verify)
{
	if (verify->scope == MR_VERIFY_ALL)
		mr_verify_run(verify, "events as stored", verify_as_stored, NULL);
}
