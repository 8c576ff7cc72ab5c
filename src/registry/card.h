/*
 * card.h
 *		Model cards: what people have to know of a version, by section.
 */
#ifndef MODELREG_CARD_H
#define MODELREG_CARD_H

#include "registry/stored_json.h"
#include "utils/snapshot.h"

extern MrStoredJson mr_card_find(int64 model, int32 version,
								 Snapshot snapshot);
extern int	mr_card_changes(int64 model, int32 version, Snapshot snapshot);
extern bool mr_card_has(Jsonb *card, const char *section);

/* What a name of a section may be; for messages. */
#define MR_CARD_SECTION_RULE \
	"1 to 63 lower-case letters, digits and underscores, a letter first"
extern bool mr_card_section_is_valid(const char *name, Size len);

#endif							/* MODELREG_CARD_H */
