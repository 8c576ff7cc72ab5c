/*
 * gate_texts.h
 *		What the gates of signatures, lineage and artifacts have in common.
 */
#ifndef MODELREG_GATE_TEXTS_H
#define MODELREG_GATE_TEXTS_H

#include "lib/stringinfo.h"
#include "governance/gate.h"
#include "lineage/lineage.h"
#include "utils/jsonb.h"

/* Things that a gate observed, of which only the first are told. */
typedef struct MrGateTexts
{
	int64		n;
	StringInfoData told;
} MrGateTexts;

extern void mr_gate_texts_add(MrGateTexts *texts, const char *text);
extern char *mr_gate_texts_join(const MrGateTexts *texts);
extern char *mr_gate_tell_node(const MrGateSubject *subject, const MrNode *node);

/* For MrGateKind.check: member "mode", if there is one, is known. */
extern void mr_gate_check_mode(JsonbContainer *definition, const char *where,
							   StringInfo mistakes);

#endif							/* MODELREG_GATE_TEXTS_H */
