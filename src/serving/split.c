/*
 * split.c
 *		Shares of the traffic, and which positions they are.
 *
 * Whatever changes a split, a ramp, an abort or a rollback, does so through
 * mr_segments_moved(): a position changes its arm only if it goes from one
 * that shrinks to one that grows.  Only a way back that would make too many
 * segments does not.
 */
#include "postgres.h"

#include "base/errors.h"
#include "serving/split.h"

int
mr_share_compare(const void *a, const void *b)
{
	return mr_arm_compare(&((const MrShare *) a)->arm, &((const MrShare *) b)->arm);
}

MrSplit
mr_split_whole(MrArm arm)
{
	MrSplit		split = {palloc(sizeof(MrShare)), 1};

	split.shares[0] = (MrShare) {arm, MR_WHOLE};
	return split;
}

/* Sort shares by their arms, and put those of the same arm together. */
static void
gather_shares(MrSplit *split)
{
	int			n = 0;

	qsort(split->shares, split->n, sizeof(MrShare), mr_share_compare);
	for (int i = 0; i < split->n; i++)
	{
		if (n > 0 && mr_arm_compare(&split->shares[n - 1].arm, &split->shares[i].arm) == 0)
			split->shares[n - 1].weight += split->shares[i].weight;
		else
			split->shares[n++] = split->shares[i];
	}
	split->n = n;
}

MrSplit
mr_split_of(const MrSegments *segments)
{
	MrSplit		split = {palloc(segments->n * sizeof(MrShare)), segments->n};

	for (int i = 0; i < segments->n; i++)
		split.shares[i] = (MrShare) {segments->segments[i].arm, segments->segments[i].width};
	gather_shares(&split);
	return split;
}

/* The weight of an arm; 0 if it has none. */
int32
mr_split_weight(const MrSplit *split, const MrArm *arm)
{
	MrShare		key = {*arm, 0};
	MrShare    *share = split->n == 0 ? NULL :
		bsearch(&key, split->shares, split->n, sizeof(MrShare), mr_share_compare);

	return share == NULL ? 0 : share->weight;
}

bool
mr_split_equal(const MrSplit *a, const MrSplit *b)
{
	if (a->n != b->n)
		return false;
	for (int i = 0; i < a->n; i++)
		if (mr_arm_compare(&a->shares[i].arm, &b->shares[i].arm) != 0 ||
			a->shares[i].weight != b->shares[i].weight)
			return false;
	return true;
}

/* The arms of both, in canonical order, without weights. */
static MrSplit
arms_of_both(const MrSplit *a, const MrSplit *b)
{
	MrSplit		both = {palloc((a->n + b->n) * sizeof(MrShare)), a->n + b->n};

	for (int i = 0; i < a->n; i++)
		both.shares[i] = (MrShare) {a->shares[i].arm, 0};
	for (int i = 0; i < b->n; i++)
		both.shares[a->n + i] = (MrShare) {b->shares[i].arm, 0};
	gather_shares(&both);
	return both;
}

static void
drop_empty_shares(MrSplit *split)
{
	int			n = 0;

	for (int i = 0; i < split->n; i++)
		if (split->shares[i].weight > 0)
			split->shares[n++] = split->shares[i];
	split->n = n;
}

/* The largest remainder that is left, of equal ones the first. */
static int
largest_remainder(const int32 *remainders, int n)
{
	int			largest = 0;

	for (int i = 1; i < n; i++)
		if (remainders[i] > remainders[largest])
			largest = i;
	return largest;
}

/*
 * The split of which p millionths of the way from one to another are gone.
 * What rounding down leaves over goes to the largest remainders, of equal
 * ones to the first in canonical order.
 */
MrSplit
mr_split_between(const MrSplit *from, const MrSplit *target, int32 p)
{
	MrSplit		split = arms_of_both(from, target);
	int32	   *remainders = palloc(split.n * sizeof(int32));
	int32		left = MR_WHOLE;

	for (int i = 0; i < split.n; i++)
	{
		int64		a = mr_split_weight(from, &split.shares[i].arm);
		int64		b = mr_split_weight(target, &split.shares[i].arm);
		int64		exact = a * MR_WHOLE + (b - a) * p;

		split.shares[i].weight = (int32) (exact / MR_WHOLE);
		remainders[i] = (int32) (exact % MR_WHOLE);
		left -= split.shares[i].weight;
	}
	for (; left > 0; left--)
	{
		int			i = largest_remainder(remainders, split.n);

		split.shares[i].weight++;
		remainders[i] = -1;
	}
	pfree(remainders);
	drop_empty_shares(&split);
	return split;
}

/* Segments in canonical order, one for each arm. */
MrSegments
mr_segments_of(const MrSplit *split)
{
	MrSegments	segments = {palloc(split->n * sizeof(MrSegment)), split->n};

	for (int i = 0; i < split->n; i++)
		segments.segments[i] = (MrSegment) {split->shares[i].arm, split->shares[i].weight};
	return segments;
}

/* What changes hands: of each arm that gives or takes, how many positions. */
typedef struct Moving
{
	MrSplit		arms;			/* of both splits, without weights */
	int32	   *gives;
	int32	   *takes;
} Moving;

static void
count_moving(Moving *moving, const MrSplit *from, const MrSplit *to)
{
	moving->arms = arms_of_both(from, to);
	moving->gives = palloc(moving->arms.n * sizeof(int32));
	moving->takes = palloc(moving->arms.n * sizeof(int32));
	for (int i = 0; i < moving->arms.n; i++)
	{
		int32		more = mr_split_weight(to, &moving->arms.shares[i].arm) -
			mr_split_weight(from, &moving->arms.shares[i].arm);

		moving->gives[i] = Max(-more, 0);
		moving->takes[i] = Max(more, 0);
	}
}

static int
find_arm(const Moving *moving, const MrArm *arm)
{
	int			i = 0;

	while (mr_arm_compare(&moving->arms.shares[i].arm, arm) != 0)
		i++;
	return i;
}

/*
 * Cut each segment into what its arm keeps and, at its end, what it gives:
 * the highest positions of an arm go, so cuts are made from the highest
 * segment downward.  A segment that is given belongs to giver i; kept ones to
 * -1.  The pieces come out in the order of positions.
 */
typedef struct Piece
{
	MrSegment	segment;
	int			giver;
} Piece;

static Piece *
cut_segments(const MrSegments *segments, Moving *moving, int *n)
{
	int			room = 2 * segments->n;
	Piece	   *pieces = palloc(room * sizeof(Piece));
	int			at = room;

	for (int i = segments->n - 1; i >= 0; i--)
	{
		MrSegment	segment = segments->segments[i];
		int			arm = find_arm(moving, &segment.arm);
		int32		given = Min(moving->gives[arm], segment.width);

		moving->gives[arm] -= given;
		if (given > 0)
			pieces[--at] = (Piece) {{segment.arm, given}, arm};
		if (given < segment.width)
			pieces[--at] = (Piece) {{segment.arm, segment.width - given}, -1};
	}
	*n = room - at;
	return pieces + at;
}

void
mr_segments_raise_too_many(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the traffic would be cut into more than %d segments", MR_MAX_SEGMENTS),
			 errhint("Take a plan with fewer steps, or a target with fewer arms that grow."),
			 mr_reason("schedule_too_large")));
}

static void
add_segment(MrSegments *to, MrArm arm, int32 width)
{
	if (to->n > 0 && mr_arm_compare(&to->segments[to->n - 1].arm, &arm) == 0)
		to->segments[to->n - 1].width += width;
	else
		to->segments[to->n++] = (MrSegment) {arm, width};
}

/*
 * Who takes what: the pieces of each giver, in canonical order, one after the
 * other, and of each giver in the order of positions, go to the takers, in
 * canonical order.  So those of a giver begin behind all that the givers
 * before it give; starts says where.
 */
static void
find_starts(const Piece *pieces, int n, int narms, int32 *starts)
{
	memset(starts, 0, narms * sizeof(int32));
	for (int i = 0; i < n; i++)
		if (pieces[i].giver >= 0 && pieces[i].giver + 1 < narms)
			starts[pieces[i].giver + 1] += pieces[i].segment.width;
	for (int i = 1; i < narms; i++)
		starts[i] += starts[i - 1];
}

/* Hand over a piece that is number start of all that is given. */
static void
hand_over(const Piece *piece, int32 start, const Moving *moving, MrSegments *to)
{
	int32		end = start + piece->segment.width;
	int32		taken = 0;

	for (int i = 0; i < moving->arms.n && taken < end; i++)
	{
		int32		first = Max(start, taken);

		taken += moving->takes[i];
		if (Min(end, taken) > first)
			add_segment(to, moving->arms.shares[i].arm, Min(end, taken) - first);
	}
}

/* Segments moved to another split, as many as that makes. */
MrSegments
mr_segments_moved(const MrSegments *segments, const MrSplit *to)
{
	MrSplit		from = mr_split_of(segments);
	Moving		moving;
	int			n;
	Piece	   *pieces;
	int32	   *starts;
	MrSegments	result = {NULL, 0};

	count_moving(&moving, &from, to);
	pieces = cut_segments(segments, &moving, &n);
	starts = palloc(moving.arms.n * sizeof(int32));
	find_starts(pieces, n, moving.arms.n, starts);
	/* a piece is cut where one taker has enough, which is once for each taker */
	result.segments = palloc((n + moving.arms.n) * sizeof(MrSegment));
	for (int i = 0; i < n; i++)
	{
		const Piece *piece = &pieces[i];

		if (piece->giver < 0)
			add_segment(&result, piece->segment.arm, piece->segment.width);
		else
		{
			hand_over(piece, starts[piece->giver], &moving, &result);
			starts[piece->giver] += piece->segment.width;
		}
	}
	return result;
}

/* The same; an error where these are too many. */
MrSegments
mr_segments_move(const MrSegments *segments, const MrSplit *to)
{
	MrSegments	result = mr_segments_moved(segments, to);

	if (result.n > MR_MAX_SEGMENTS)
		mr_segments_raise_too_many();
	return result;
}

/*
 * The same on the way back, which the number of segments must not stand in the way of: where
 * they would be too many they are laid down anew, and keys move.
 */
MrSegments
mr_segments_move_back(const MrSegments *segments, const MrSplit *to)
{
	MrSegments	result = mr_segments_moved(segments, to);

	return result.n > MR_MAX_SEGMENTS ? mr_segments_of(to) : result;
}

/* The arm of a position from 0 to MR_WHOLE - 1. */
const MrArm *
mr_segments_at(const MrSegments *segments, int32 position)
{
	const MrSegment *segment = segments->segments;

	while (position >= segment->width)
		position -= (segment++)->width;
	return &segment->arm;
}

bool
mr_segments_equal(const MrSegments *a, const MrSegments *b)
{
	if (a->n != b->n)
		return false;
	for (int i = 0; i < a->n; i++)
		if (mr_arm_compare(&a->segments[i].arm, &b->segments[i].arm) != 0 ||
			a->segments[i].width != b->segments[i].width)
			return false;
	return true;
}
