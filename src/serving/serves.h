/*
 * serves.h
 *		Where versions serve, for who would take that from them.
 */
#ifndef MODELREG_SERVES_H
#define MODELREG_SERVES_H

extern void mr_serves_init(void);

#endif							/* MODELREG_SERVES_H */
