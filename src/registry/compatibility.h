/*
 * compatibility.h
 *		Whether what was written for one signature or schema works with another.
 */
#ifndef MODELREG_COMPATIBILITY_H
#define MODELREG_COMPATIBILITY_H

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"
#include "utils/palloc.h"

/* The modes of schema registries, as sets of directions. */
typedef enum MrCompatibility
{
	MR_COMPATIBILITY_NONE = 0,	/* no mode at all */
	MR_BACKWARD = 1,
	MR_FORWARD = 2,
	MR_FULL = MR_BACKWARD | MR_FORWARD
} MrCompatibility;

#define MR_COMPATIBILITY_MODES "BACKWARD, FORWARD or FULL"

extern MrCompatibility mr_compatibility_parse(const char *name);
extern MrCompatibility mr_compatibility_argument(FunctionCallInfo fcinfo, int n);

/*
 * Called for each thing that is not compatible: of which side (inputs,
 * outputs, params; NULL for a schema), which item (NULL: all of the side),
 * and why, as the end of a sentence that begins with the item.
 */
typedef void (*MrIncompatibility) (const char *side, const char *item,
								   const char *detail, void *arg);

/* Puts a row into the result (arg) of a function that returns a table. */
extern void mr_incompatibility_row(const char *side, const char *item,
								   const char *detail, void *arg);

/* Of signatures in their normal form; NULL for one that is missing. */
extern void mr_signature_compare(Jsonb *old_signature, Jsonb *new_signature,
								 MrCompatibility mode,
								 MrIncompatibility report, void *arg);

/* Of schemas of data, which are any JSON; NULL for one that is missing. */
extern void mr_schema_compare(Jsonb *old_schema, Jsonb *new_schema,
							  MrCompatibility mode,
							  MrIncompatibility report, void *arg);

/* One reading of what one side writes, for the two that compare. */
typedef struct MrReading
{
	const char *side;
	const char *writer;			/* "old" or "new" */
	const char *reader;
	bool		by_model;		/* it reads what its callers send */
	bool		of_params;
	StringInfoData path;		/* of what is compared now */
	int			depth;			/* of it, within a schema */
	MrIncompatibility report;
	void	   *arg;
	MemoryContext context;		/* in which that is called */
} MrReading;

extern void mr_reading_report(MrReading *reading, const char *format,...)
			pg_attribute_printf(2, 3);
extern int	mr_reading_enter(MrReading *reading, const char *before,
							 const JsonbValue *name, const char *after);
extern void mr_reading_leave(MrReading *reading, int length);

#endif							/* MODELREG_COMPATIBILITY_H */
