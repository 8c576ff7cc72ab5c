/*
 * checks.h
 *		The CHECKs of the registry's tables, read once.
 */
#ifndef MODELREG_CHECKS_H
#define MODELREG_CHECKS_H

#include "nodes/execnodes.h"

extern void mr_checks_prepare(ResultRelInfo *result_rel, EState *estate);

#endif							/* MODELREG_CHECKS_H */
