/*
 * split.h
 *		Shares of the traffic, and which positions they are.
 *
 * Nothing here reads or writes the database.  Results are in the current
 * memory context.
 */
#ifndef MODELREG_SPLIT_H
#define MODELREG_SPLIT_H

#include "types/traffic_split.h"	/* MR_WHOLE, MR_MAX_ARMS */

typedef struct MrArm
{
	int64		model;
	int32		version;
} MrArm;

typedef struct MrShare
{
	MrArm		arm;
	int32		weight;			/* millionths, at least 1 */
} MrShare;

/* In canonical order, by model and version; weights add up to MR_WHOLE. */
typedef struct MrSplit
{
	MrShare    *shares;
	int			n;
} MrSplit;

typedef struct MrSegment
{
	MrArm		arm;
	int32		width;			/* positions, at least 1 */
} MrSegment;

/*
 * Which arm each position has: in the order of positions, without a gap;
 * neighbours are of different arms; widths add up to MR_WHOLE.
 */
typedef struct MrSegments
{
	MrSegment  *segments;
	int			n;
} MrSegments;

#define MR_MAX_SEGMENTS 4096

static inline int
mr_arm_compare(const MrArm *a, const MrArm *b)
{
	if (a->model != b->model)
		return a->model < b->model ? -1 : 1;
	return (a->version > b->version) - (a->version < b->version);
}

/* Is it the arm that is meant, or, if that has the version 0, any of its model? */
static inline bool
mr_arm_is(const MrArm *arm, const MrArm *meant)
{
	return arm->model == meant->model &&
		(meant->version == 0 || arm->version == meant->version);
}

/* For qsort: canonical order. */
extern int	mr_share_compare(const void *a, const void *b);

extern MrSplit mr_split_whole(MrArm arm);
extern MrSplit mr_split_of(const MrSegments *segments);
extern int32 mr_split_weight(const MrSplit *split, const MrArm *arm);
extern bool mr_split_equal(const MrSplit *a, const MrSplit *b);
extern MrSplit mr_split_between(const MrSplit *from, const MrSplit *target,
								int32 p);

extern MrSegments mr_segments_of(const MrSplit *split);
extern MrSegments mr_segments_moved(const MrSegments *segments,
									const MrSplit *to);
extern void mr_segments_raise_too_many(void);
extern MrSegments mr_segments_move(const MrSegments *segments,
								   const MrSplit *to);
extern MrSegments mr_segments_move_back(const MrSegments *segments,
										const MrSplit *to);
extern const MrArm *mr_segments_at(const MrSegments *segments,
								   int32 position);
extern bool mr_segments_equal(const MrSegments *a, const MrSegments *b);

#endif							/* MODELREG_SPLIT_H */
