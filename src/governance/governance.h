/*
 * governance.h
 *		Policies, and the verbs that move stages and what is current.
 */
#ifndef MODELREG_GOVERNANCE_H
#define MODELREG_GOVERNANCE_H

#include "types/stage.h"

extern bool mr_policy_allows(const char *policy, MrStage from, MrStage to);

extern void mr_governance_init(void);

#endif							/* MODELREG_GOVERNANCE_H */
