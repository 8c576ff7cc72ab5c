/*
 * search.h
 *		The derived rows that a search reads.
 */
#ifndef MODELREG_SEARCH_H
#define MODELREG_SEARCH_H

#include "audit/audit.h"

/* Words in byte order, each once. */
typedef struct MrWords
{
	char	  **items;
	int			n;
} MrWords;

extern MrWords mr_search_words(const char *body);
extern MrWords mr_words_of_datum(Datum array);

extern void mr_search_description_changed(MrVerb *verb, int64 model,
										  int32 version, const char *body,
										  const bytea *payload);
extern void mr_search_payload_redacted(const bytea *payload);

#endif							/* MODELREG_SEARCH_H */
