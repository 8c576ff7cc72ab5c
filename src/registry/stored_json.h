/*
 * stored_json.h
 *		JSON that rows name by its digest.
 */
#ifndef MODELREG_STORED_JSON_H
#define MODELREG_STORED_JSON_H

#include "base/table.h"
#include "utils/jsonb.h"

typedef struct MrStoredJson
{
	Jsonb	   *json;			/* NULL for none */
	bool		redacted;
} MrStoredJson;

extern MrStoredJson mr_stored_json(MrTable *table, AttrNumber attno);
extern MrStoredJson mr_stored_schema(int64 node, Snapshot snapshot);

#endif							/* MODELREG_STORED_JSON_H */
