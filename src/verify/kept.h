/*
 * kept.h
 *		What folds keep in memory, and read of events.
 */
#ifndef MODELREG_VERIFY_KEPT_H
#define MODELREG_VERIFY_KEPT_H

#include "utils/hsearch.h"
#include "utils/jsonb.h"

extern void *mr_verify_keep(HTAB *table, const void *key, Size keysize,
							Size entrysize);
extern bool mr_verify_read_hex(const JsonbValue *value, uint8 *bytes);

#endif							/* MODELREG_VERIFY_KEPT_H */
