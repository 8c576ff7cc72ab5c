/*
 * marks.h
 *		What this transaction has to do before it commits.
 */
#ifndef MODELREG_MARKS_H
#define MODELREG_MARKS_H

#include "datatype/timestamp.h"
#include "utils/jsonb.h"

extern void mr_mark_decision(TimestampTz at);
extern void mr_mark_registration(void);

/*
 * What later rooms have to do before the transaction commits, in the order in
 * which it is done: what locks a head comes before what locks anything else.
 */
typedef enum MrMarkKind
{
	MR_MARK_PROMOTION,			/* versions registered or evaluated */
	MR_MARK_ROLLOUT_GUARD,		/* observations that a guard of a rollout (node: the
								 * endpoint) asks for */
	MR_MARK_QUARANTINE,			/* nodes quarantined, versions let in */
	MR_MARK_TRAFFIC,			/* schedules laid down (node: the endpoint), versions
								 * moved to another stage, or (0) models under
								 * another policy */
	MR_MARK_LEAVING,			/* models of what an endpoint served, or of which
								 * something is leaving */
	MR_MARK_KINDS
} MrMarkKind;

/* What such a room is to know again; what it does not need is 0 or NULL. */
typedef struct MrMark
{
	SubTransactionId subxact;	/* filled in by mr_mark() */
	int64		team;
	int64		model;
	int32		version;
	int64		node;
	int64		observation;
	TimestampTz at;				/* of what was decided about the model, or the endpoint */
	Jsonb	   *who;			/* this and the next are copied by mr_mark() */
	Jsonb	   *what;
} MrMark;

/*
 * Called once if there is any mark of the kind, with all of them in the order
 * in which they were made, under an active snapshot, by whoever is the
 * current user.  It may add marks of the kinds that follow its own.
 */
typedef void (*MrMarksRun) (const MrMark *marks, int64 n);

extern void mr_marks_run_by(MrMarkKind kind, MrMarksRun run);
extern void mr_mark(MrMarkKind kind, const MrMark *mark);

#endif							/* MODELREG_MARKS_H */
