/*
 * history.h
 *		Was the server's history taken back since the registry was written?
 */
#ifndef MODELREG_HISTORY_H
#define MODELREG_HISTORY_H

extern void mr_history_stamp(Datum *values, bool *nulls);
extern void mr_history_require(void);

#endif							/* MODELREG_HISTORY_H */
