/*
 * policy.h
 *		Policies: what a document says, and where it is kept.
 */
#ifndef MODELREG_POLICY_H
#define MODELREG_POLICY_H

#include "audit/audit.h"
#include "governance/gate.h"
#include "types/stage.h"

#define MR_STAGES (MR_STAGE_ARCHIVED + 1)
#define MR_STAGE_BIT(stage) (1 << (stage))

/* Who may be asked to be another person than somebody else. */
typedef enum MrPart
{
	MR_PART_REQUESTER,
	MR_PART_REGISTRANT,
	MR_PART_EVALUATOR,
	MR_PART_APPROVER,
	MR_PARTS
} MrPart;

/* Kinds of traffic; bits. */
#define MR_TRAFFIC_SHADOW	(1 << 0)
#define MR_TRAFFIC_CANARY	(1 << 1)
#define MR_TRAFFIC_LINEAR	(1 << 2)
#define MR_TRAFFIC_FULL		(1 << 3)

typedef struct MrPolicyTransition
{
	uint32		from;			/* MR_STAGE_BIT()s */
	MrStage		to;
	MrRights	levels;			/* who may ask for it */
	bool		automatic;
	int		   *gates;			/* places in the policy's gates */
	int			ngates;
	int			approvals;
	MrRights	approvers;
} MrPolicyTransition;

typedef struct MrPolicy
{
	Jsonb	   *document;
	MrPolicyTransition *transitions;
	int			ntransitions;
	MrGate	   *gates;
	int			ngates;
	bool		distinct[MR_PARTS][MR_PARTS];
	MrRights	return_levels;
	MrRights	emergency_levels;
	bool		several_in_production;
	uint32		traffic[MR_STAGES]; /* what each stage may take */
} MrPolicy;

extern MrPolicy *mr_policy_parse(Jsonb *document, StringInfo mistakes);
extern const MrPolicyTransition *mr_policy_transition(const MrPolicy *policy,
													  MrStage from, MrStage to);
extern const char *mr_levels_text(MrRights levels);
extern void mr_policy_require_level(const char *policy, MrRights levels,
									MrRights rights, const char *what);

/* The policies that come with the extension. */
typedef struct MrTier
{
	const char *name;
	int32		revision;
	const char *document;
} MrTier;

extern const MrTier *mr_tier_find(const char *name);
extern const MrTier *mr_tier_next(const MrTier *tier);
extern Jsonb *mr_tier_document(const MrTier *tier);

/* A revision, as it is kept. */
typedef struct MrPolicyRow
{
	const char *name;
	int32		revision;
	bytea	   *digest;			/* of the document */
	Jsonb	   *document;
	bool		built_in;
} MrPolicyRow;

extern bool mr_policy_find_document(int64 team, MrPolicyRow *row);
extern int32 mr_policy_last_revision(int64 team, const char *name,
									 Snapshot snapshot);
extern void mr_policy_insert(MrVerb *verb, MrHead *team,
							 const MrPolicyRow *row);
extern MrPolicyRow mr_policy_require(int64 team, const char *name,
									 int32 revision, Snapshot snapshot);
extern void mr_policy_raise_not_allowed(const char *team, const char *name,
										int32 revision);
extern int32 mr_policy_revision_of(int64 team, const char *name,
								   const bytea *digest, Snapshot snapshot);
extern int32 mr_team_policy(int64 team, const char *name, Snapshot snapshot);
extern MrPolicyRow mr_policy_choose(MrVerb *verb, MrHead *team,
									const char *name);
extern MrPolicyRow mr_policy_row_of(const MrModel *model, Snapshot snapshot);
extern MrPolicy *mr_policy_of(const MrModel *model, Snapshot snapshot);

#endif							/* MODELREG_POLICY_H */
