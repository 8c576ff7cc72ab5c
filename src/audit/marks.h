/*
 * marks.h
 *		What this transaction has to do before it commits.
 */
#ifndef MODELREG_MARKS_H
#define MODELREG_MARKS_H

#include "datatype/timestamp.h"

extern void mr_mark_decision(TimestampTz at);
extern void mr_mark_registration(void);

#endif							/* MODELREG_MARKS_H */
