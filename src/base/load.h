/*
 * load.h
 *		Loading many rows into a partitioned table.
 */
#ifndef MODELREG_LOAD_H
#define MODELREG_LOAD_H

#include "base/table.h"

typedef struct MrLoad MrLoad;

extern MrLoad *mr_load_begin(MrTable *table);
extern void mr_load_row(MrLoad *load, const Datum *values, const bool *nulls);
extern void mr_load_end(MrLoad *load);

#endif							/* MODELREG_LOAD_H */
