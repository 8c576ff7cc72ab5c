/*
 * hold.h
 *		A quarantine holds the rollouts towards what derives from the node.
 */
#ifndef MODELREG_HOLD_H
#define MODELREG_HOLD_H

extern void mr_hold_init(void);

#endif							/* MODELREG_HOLD_H */
