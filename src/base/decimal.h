/*
 * decimal.h
 *		Exact arithmetic on decimals.
 */
#ifndef MODELREG_DECIMAL_H
#define MODELREG_DECIMAL_H

#include "fmgr.h"
#include "utils/numeric.h"

extern Numeric mr_decimal(float8 value);
extern Numeric mr_calculate(PGFunction function, Numeric a, Numeric b);
extern int	mr_decimal_compare(Numeric a, Numeric b);

#endif							/* MODELREG_DECIMAL_H */
