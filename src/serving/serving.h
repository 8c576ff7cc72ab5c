/*
 * serving.h
 *		Endpoints, rollouts and what serves.
 */
#ifndef MODELREG_SERVING_H
#define MODELREG_SERVING_H

extern void mr_serving_init(void);

#endif							/* MODELREG_SERVING_H */
