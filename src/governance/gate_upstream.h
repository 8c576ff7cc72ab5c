/*
 * gate_upstream.h
 *		What a version was made from, for the gates that ask for it.
 */
#ifndef MODELREG_GATE_UPSTREAM_H
#define MODELREG_GATE_UPSTREAM_H

#include "governance/gate.h"

#define MR_ROLE_TRAINING "training"

extern MrNodeIds mr_training_nodes(int64 node, Snapshot snapshot);
extern const MrNodeIds *mr_gate_training(const MrGateSubject *subject);
extern bool mr_node_is_superseded_in(int64 node, const MrNodeIds *by,
									 Snapshot snapshot);

/* What is known of how a version was made, each by the node that tells it. */
typedef enum MrOrigin
{
	MR_ORIGIN_TRAINING,			/* a snapshot in role training */
	MR_ORIGIN_RUN,
	MR_ORIGIN_COMMIT,
	MR_ORIGIN_TRANSFORM,
	MR_ORIGINS
} MrOrigin;

extern bool mr_find_origins(int64 version, const bool *wanted,
							Snapshot snapshot, int64 *found);

#endif							/* MODELREG_GATE_UPSTREAM_H */
