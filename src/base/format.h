/*
 * format.h
 *		Adding formatted text to a buffer, for functions with arguments of their
 *		own.
 */
#ifndef MODELREG_FORMAT_H
#define MODELREG_FORMAT_H

#include "lib/stringinfo.h"

/* appendStringInfo() for arguments that the caller has begun, and ends. */
extern void mr_append_va(StringInfo buf, const char *format, va_list args)
			pg_attribute_printf(2, 0);

#endif							/* MODELREG_FORMAT_H */
