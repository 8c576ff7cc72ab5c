/*
 * automatic.h
 *		Promotion by the policy alone.
 */
#ifndef MODELREG_AUTOMATIC_H
#define MODELREG_AUTOMATIC_H

extern void mr_automatic_init(void);

#endif							/* MODELREG_AUTOMATIC_H */
