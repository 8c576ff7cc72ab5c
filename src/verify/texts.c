/*
 * texts.c
 *		Is each text that a row names there, and each text named by a row?
 *
 * Every text has a salt of its own, so it is named once: the bag of names is
 * that of the texts.  If not, a statement says what is wrong.
 */
#include "postgres.h"

#include "base/bag.h"
#include "base/hash.h"
#include "verify/verify.h"

struct MrTexts
{
	MrBagKey	key;
	MrBag		named;
	MrBag		stored;
	bool		fit;
};

static void
add(MrTexts *texts, MrBag *bag, Datum digest, int64 team)
{
	int64		row[5];
	uint8		hash[MR_HASH_LEN];

	if (!mr_verify_read_hash(digest, false, hash))
	{
		texts->fit = false;
		return;
	}
	memcpy(row, hash, MR_HASH_LEN);
	row[4] = team;
	mr_bag_add(bag, &texts->key, row, lengthof(row));
}

MrTexts *
mr_verify_texts_begin(void)
{
	MrTexts    *texts = palloc0(sizeof(MrTexts));

	mr_bag_key(&texts->key);
	texts->fit = true;
	return texts;
}

/* A row of the team names a text by its digest. */
void
mr_verify_texts_name(MrTexts *texts, Datum digest, int64 team)
{
	add(texts, &texts->named, digest, team);
}

static void
walk_payload(MrVerify *verify, TupleTableSlot *slot, void *state)
{
	MrTexts    *texts = state;

	if (slot->tts_isnull[0] || slot->tts_isnull[1])
		texts->fit = false;
	else
		add(texts, &texts->stored, slot->tts_values[0], DatumGetInt64(slot->tts_values[1]));
}

static void
compare_texts(MrVerify *verify, const void *arg)
{
	static const char *const shows[] = {"texts"};
	MrTexts    *texts = verify->texts;

	mr_verify_scan(verify, "SELECT p.digest, p.team_id FROM modelreg.payload p", walk_payload, texts);
	if (texts->fit && mr_bag_equal(&texts->named, &texts->stored))
		mr_verify_show(verify, shows, lengthof(shows));
}

/* All rows were read. */
void
mr_verify_texts_end(MrVerify *verify)
{
	(void) mr_verify_try(verify, "texts as named", compare_texts, NULL);
	pfree(verify->texts);
	verify->texts = NULL;
}
