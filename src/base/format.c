/*
 * format.c
 *		Adding formatted text to a buffer, for functions with arguments of their
 *		own.
 */
#include "postgres.h"

#include "base/format.h"

/* Each try reads the arguments from their beginning. */
void
mr_append_va(StringInfo buf, const char *format, va_list args)
{
	for (;;)
	{
		va_list		again;
		int			needed;

		va_copy(again, args);
		needed = appendStringInfoVA(buf, format, again);
		va_end(again);
		if (needed == 0)
			return;
		enlargeStringInfo(buf, needed);
	}
}
