/*
 * errors.h
 *		The stable reason of an error, for programs.
 *
 * Every error that modelreg raises for a mistake of its caller carries a
 * standard SQLSTATE and, in the CONSTRAINT NAME field, a reason that does
 * not change when the wording of a message does.
 */
#ifndef MODELREG_ERRORS_H
#define MODELREG_ERRORS_H

#include "utils/elog.h"

/* In an ereport(): mr_reason("version_not_found"). */
#define mr_reason(reason) \
	err_generic_string(PG_DIAG_CONSTRAINT_NAME, "modelreg_" reason)

#endif							/* MODELREG_ERRORS_H */
