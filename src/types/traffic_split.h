/*
 * traffic_split.h
 *		Which share of the traffic each of several versions has.
 */
#ifndef MODELREG_TRAFFIC_SPLIT_H
#define MODELREG_TRAFFIC_SPLIT_H

#include "lib/stringinfo.h"
#include "nodes/nodes.h"

#include "types/parse.h"

/* Shares are millionths. */
#define MR_WHOLE 1000000
#define MR_MAX_ARMS 64

/* A version, and of which model; NULL: of the one that the context names. */
typedef struct MrNamedArm
{
	char	   *model;			/* team.name */
	int32		version;
} MrNamedArm;

typedef struct MrNamedShare
{
	MrNamedArm	arm;
	int32		share;
} MrNamedShare;

/*
 * In canonical order: arms without a model by version, then those with one
 * by its name's bytes and version.
 */
typedef struct MrTrafficSplit
{
	MrNamedShare shares[MR_MAX_ARMS];
	int			n;
} MrTrafficSplit;

extern int	mr_named_arm_compare(const MrNamedArm *a, const MrNamedArm *b);
extern bool mr_named_arm_scan(const char *start, Size len, MrNamedArm *arm,
							  MrFault *fault);
extern char *mr_named_arm_print(const MrNamedArm *arm);

/* Raises what is malformed, or saves the error and returns false. */
extern bool mr_traffic_split_parse(const char *text, Node *escontext,
								   MrTrafficSplit *out);

/* The canonical text, which is also what a traffic_split stores. */
extern char *mr_traffic_split_print(const MrTrafficSplit *split);

/* Percent with up to four decimals, such as 12.5%, in exactly len bytes. */
extern bool mr_percent_scan(const char *start, Size len, int32 *millionths,
							MrFault *fault);
extern void mr_percent_append(StringInfo buf, int64 millionths);

#endif							/* MODELREG_TRAFFIC_SPLIT_H */
