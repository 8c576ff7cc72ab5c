/*
 * check.h
 *		Looking at the gates of a move for a reader.
 */
#ifndef MODELREG_CHECK_H
#define MODELREG_CHECK_H

#include "governance/promotion.h"

extern void mr_look_as_reader(MrLook *look, int64 request);

#endif							/* MODELREG_CHECK_H */
