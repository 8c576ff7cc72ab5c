/*
 * transition.h
 *		One decision about a model: stages that move, and what is current.
 */
#ifndef MODELREG_TRANSITION_H
#define MODELREG_TRANSITION_H

#include "audit/audit.h"
#include "registry/registry.h"
#include "types/stage.h"

typedef struct MrMove
{
	int32		version;
	MrStage		from;
	MrStage		to;
} MrMove;

typedef struct MrTransition
{
	MrVerb	   *verb;
	MrModel	   *model;
	MrHead	   *head;			/* of the model's decisions, locked */
	MrMove	   *moves;
	int			nmoves;
	int64		room;
	int32	   *leaving;		/* stay in Production while they serve */
	int			nleaving;
	int64		leaving_room;
	int32		current;		/* after the transition; 0 for none */
	int64		previous_seq;	/* of the new row of production; 0 for none */
	const char *reason;
	bytea	   *evidence;		/* what gates said, or NULL */
	int64		request;		/* that was approved, or 0 */
	const int64 *approvals;		/* numbers of those that counted */
	int			napprovals;
	bool		by_policy;		/* nobody asked for it */
	bool		back;			/* to an earlier version, with all followers */
	Jsonb	   *quarantine_roles;	/* of mr_quarantine_roles() */
} MrTransition;

extern MrTransition *mr_transition_begin(MrVerb *verb, MrModel *model,
										 const char *reason);
extern MrTransition *mr_transition_try_begin(MrVerb *verb, MrModel *model,
											 const char *reason);
extern void mr_transition_move(MrTransition *transition, int32 version,
							   MrStage to);
extern void mr_transition_archive(MrTransition *transition, int32 version);
extern void mr_transition_return(MrTransition *transition, int32 version);
extern int64 mr_transition_commit(MrTransition *transition, const char *kind);
extern void mr_transition_abandon(MrTransition *transition);

/* A row of production. */
typedef struct MrTenure
{
	int64		seq;
	TimestampTz at;
	int32		version;		/* 0 for none */
	int64		previous_seq;	/* 0 for none */
} MrTenure;

extern bool mr_tenure_latest(int64 model, Snapshot snapshot, MrTenure *tenure);
extern bool mr_tenure_at(int64 model, TimestampTz at, Snapshot snapshot,
						 MrTenure *tenure);
extern bool mr_tenure_was_current(int64 model, int32 version,
								  Snapshot snapshot);
extern int32 mr_tenure_last_other(int64 model, int32 version,
								  Snapshot snapshot);
extern int32 mr_tenure_before_name(int64 model, Snapshot snapshot,
								   int64 *former);
extern bool mr_tenure_previous(int64 model, Snapshot snapshot,
							   const MrTenure *tenure, MrTenure *previous);
extern bool mr_tenure_may_return(int64 model, int32 version);

#endif							/* MODELREG_TRANSITION_H */
