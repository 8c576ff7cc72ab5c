/*
 * held_name.h
 *		Names of what a team has: who holds one, and held it when.
 *
 * The tables of such names have the same columns: team, name, id of the
 * holder, since, until; with an index on the first two and since.
 */
#ifndef MODELREG_HELD_NAME_H
#define MODELREG_HELD_NAME_H

#include "base/table.h"
#include "datatype/timestamp.h"

extern int64 mr_held_name_at(MrTable *table, const char *index, int64 team,
							 const char *name, TimestampTz at);
extern void mr_held_name_begin(const char *table, int64 team, const char *name,
							   int64 holder, TimestampTz at);
extern void mr_held_name_end(MrTable *table, const char *index, int64 team,
							 const char *name, TimestampTz at);

#endif							/* MODELREG_HELD_NAME_H */
