/*
 * governance.h
 *		Policies, and the verbs that move stages and what is current.
 */
#ifndef MODELREG_GOVERNANCE_H
#define MODELREG_GOVERNANCE_H

extern void mr_governance_init(void);

#endif							/* MODELREG_GOVERNANCE_H */
