/*
 * gate.h
 *		Gates: what has to hold of a version before it may move.
 *
 * A gate is a JSON object of a policy.  Its kind has a list of the members
 * that it may have, and a test, which looks at the version and says in texts
 * what it asked and what it saw.  To add a kind, write the two and add it to
 * the table in gate.c.
 */
#ifndef MODELREG_GATE_H
#define MODELREG_GATE_H

#include "base/hooks.h"
#include "governance/member.h"
#include "registry/registry.h"

struct MrGateKind;

/* A gate as a policy defines it. */
typedef struct MrGate
{
	const char *name;			/* in the policy */
	const struct MrGateKind *kind;
	JsonbContainer *definition;
	bool		blocks;			/* else it only warns */
} MrGate;

typedef struct MrNodeIds
{
	int64	   *ids;			/* ascending, each once */
	int64		n;
	int64		room;
	bool		too_many;		/* to be walked over; there are none then */
} MrNodeIds;

/* What tests found out that others ask too. */
typedef struct MrGateFound
{
	bool		has_training;
	MrNodeIds	training;		/* see mr_gate_training() */
} MrGateFound;

/* What is tested.  A test runs as the owner, with SPI connected. */
typedef struct MrGateSubject
{
	const MrModel *model;
	int32		version;
	int64		node;			/* of the version */
	Jsonb	   *registrant;		/* who registered it */
	MrStage		from;
	MrStage		to;
	int32		current;		/* in Production and another one, where none is
								 * the last that was, or 0 */
	int64		current_model;	/* its model, which may be one that had the
								 * name before */
	int64		current_node;
	bool		evaluator_differs;	/* evaluations by the registrant count as
									 * failed */
	Snapshot	snapshot;
	TimestampTz now;
	MrGateFound *found;
} MrGateSubject;

/*
 * The outcome.  Two looks at the same state give the same texts: no ages, and
 * no settings of the session but mr_gate_saw_too_many()'s.  Texts name no node of a team that a reader of the
 * model may not read: nodes go into nodes, by their ids.
 */
typedef struct MrGateResult
{
	const MrGate *gate;
	bool		holds;
	char	   *required;
	char	   *observed;
	int64	   *evaluations;	/* ids of those that it looked at */
	int			nevaluations;
	int64		evaluation_room;
	int64	   *nodes;
	int			nnodes;
	int64		node_room;
	int			earlier;		/* evaluations before the one that counts */
} MrGateResult;

typedef struct MrGateKind
{
	const char *name;

	/* The members of a definition, beside "kind" and "severity". */
	const MrMember *members;

	/*
	 * What else is wrong with a definition whose members are as they should,
	 * or NULL; where is what mistakes call it.
	 */
	void		(*check) (JsonbContainer *definition, const char *where,
						  StringInfo mistakes);

	/* Fills holds, required, observed and what it looked at. */
	void		(*test) (const MrGateSubject *subject, const MrGate *gate,
						 MrGateResult *result);

	/*
	 * Tested before every move to Staging and Production, if the transition
	 * names no gate of the kind.
	 */
	bool		implicit;

	/*
	 * The kind of evaluations that it looks at where the member "evaluation"
	 * does not say; NULL for none.
	 */
	const char *evaluation;

	/*
	 * The MrVersionNews, beside its registration and evaluations, after which
	 * it may hold that did not; 0 for none.
	 */
	uint32		news;

	/* Refuses an emergency promotion too. */
	bool		absolute;
} MrGateKind;

extern const MrGateKind *mr_gate_kind(const char *name);

extern const char *mr_gate_evaluation_kind(const MrGate *gate);
extern void mr_gate_check_evaluation_kind(JsonbContainer *definition,
										  const char *where,
										  StringInfo mistakes);
extern void mr_gate_saw_evaluation(MrGateResult *result, int64 id);
extern void mr_gate_saw_node(MrGateResult *result, int64 id);
extern void mr_gate_saw_too_many(MrGateResult *result);

/* What the version is compared with, in words. */
extern char *mr_gate_compared(const MrGateSubject *subject);

/* A moment, in UTC and the same in every session. */
extern char *mr_gate_time(TimestampTz at);

/* The kinds, each in a file with those like it. */
extern const MrGateKind mr_gate_evaluation;
extern const MrGateKind mr_gate_metric;
extern const MrGateKind mr_gate_fairness;
extern const MrGateKind mr_gate_calibration;
extern const MrGateKind mr_gate_lineage_complete;
extern const MrGateKind mr_gate_data_quality;
extern const MrGateKind mr_gate_schema_compatible;
extern const MrGateKind mr_gate_signature;
extern const MrGateKind mr_gate_artifacts;
extern const MrGateKind mr_gate_quarantine;
extern const MrGateKind mr_gate_attestation;
extern const MrGateKind mr_gate_model_card;

#endif							/* MODELREG_GATE_H */
