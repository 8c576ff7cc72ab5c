/*
 * former_name.h
 *		Which models had a name before, and which of them were in Production.
 */
#ifndef MODELREG_FORMER_NAME_H
#define MODELREG_FORMER_NAME_H

#include "registry/registry.h"
#include "utils/snapshot.h"

extern int64 mr_model_last_holder(int64 team, const char *name,
								  bool (*wanted) (int64 model));
extern int64 *mr_model_former_holders(int64 model, Snapshot snapshot, int *n);
extern void mr_model_check_takes_place(const MrModel *model,
									   const char *new_name);

#endif							/* MODELREG_FORMER_NAME_H */
