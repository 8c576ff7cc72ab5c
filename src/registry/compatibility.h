/*
 * compatibility.h
 *		Whether what was written for one signature or schema works with another.
 */
#ifndef MODELREG_COMPATIBILITY_H
#define MODELREG_COMPATIBILITY_H

#include "utils/jsonb.h"

/* The modes of schema registries, as sets of directions. */
typedef enum MrCompatibility
{
	MR_COMPATIBILITY_NONE = 0,	/* no mode at all */
	MR_BACKWARD = 1,
	MR_FORWARD = 2,
	MR_FULL = MR_BACKWARD | MR_FORWARD
} MrCompatibility;

#define MR_COMPATIBILITY_MODES "BACKWARD, FORWARD or FULL"

extern MrCompatibility mr_compatibility_parse(const char *name, int len);

/*
 * Called for each thing that is not compatible: of which side (inputs,
 * outputs, params; columns of a schema), which item (NULL: all of the side),
 * and why, as the end of a sentence that begins with the item.
 */
typedef void (*MrIncompatibility) (const char *side, const char *item,
								   const char *detail, void *arg);

/* Of signatures in their normal form; NULL for one that is missing. */
extern void mr_signature_compare(Jsonb *old_signature, Jsonb *new_signature,
								 MrCompatibility mode,
								 MrIncompatibility report, void *arg);

#endif							/* MODELREG_COMPATIBILITY_H */
