/*
 * evidence.h
 *		What the gates of a transition said, as it is kept and shown.
 */
#ifndef MODELREG_EVIDENCE_H
#define MODELREG_EVIDENCE_H

#include "governance/gate_run.h"

typedef struct MrEvidence
{
	Jsonb	   *document;
	bytea	   *digest;			/* of its canonical JSON */
} MrEvidence;

extern MrEvidence mr_evidence_of(const MrGateSubject *subject,
								 const MrGateResults *results,
								 int64 request);
extern void mr_evidence_store(const MrModel *model, int32 version,
							  const MrEvidence *evidence);
extern char *mr_evidence_text(const bytea *digest);
extern void mr_gates_raise_refused(const MrGateSubject *subject,
								   const MrGateResults *results);

#endif							/* MODELREG_EVIDENCE_H */
