/*
 * gate_found.h
 *		The evaluations of a version that a gate asks for.
 */
#ifndef MODELREG_GATE_FOUND_H
#define MODELREG_GATE_FOUND_H

#include "governance/gate.h"
#include "types/names.h"
#include "utils/numeric.h"

/* What a gate looks for among the evaluations of a node. */
typedef struct MrGateSearch
{
	const char *kind;
	const char *metric;			/* or NULL */
	const char *slice;			/* or NULL: any but "" */
	const char *dataset;		/* an address, or NULL */
	MrNodeKey	key;			/* of the data set */
	int64		team;			/* of the data set */
} MrGateSearch;

/* An evaluation, as far as gates ask. */
typedef struct MrFound
{
	int64		id;
	int64		dataset;		/* where the gate names no version; 0 for none */
	char	   *slice;
	bool		passed;
	bool		failed;
	float8		value;			/* of the metric */
	TimestampTz at;				/* when it was made, or else recorded */
	Jsonb	   *who;
	int			earlier;		/* how many came before it */
} MrFound;

typedef struct MrFoundList
{
	MrFound	   *items;
	int			n;
	int64		room;
} MrFoundList;

extern char *mr_gate_number_text(Numeric number);
extern MrGateSearch mr_gate_search_of(const MrGateSubject *subject,
									  const MrGate *gate);
extern MrFoundList mr_gate_find_evaluations(int64 node,
											const MrGateSearch *search,
											Snapshot snapshot);
extern char *mr_gate_fault_of(const MrGateSubject *subject,
							  const MrGate *gate, const MrFound *found);
extern char *mr_gate_fault_of_evaluator(const MrGateSubject *subject,
										Jsonb *who);
extern char *mr_gate_search_text(const MrGateSearch *search);
extern void mr_gate_append_age(StringInfo buf, const MrGate *gate);
extern void mr_gate_saw_found(MrGateResult *result, const MrFound *found);
extern char *mr_gate_with_dataset(const MrGateSubject *subject,
								  const MrFound *found, char *text,
								  MrGateResult *result);
extern void mr_gate_check_search(JsonbContainer *definition,
								 const char *where, StringInfo mistakes);
extern void mr_gate_check_bounds(JsonbContainer *definition,
								 const char *where, StringInfo mistakes);
extern bool mr_gate_within_bounds(JsonbContainer *definition, Numeric value,
								  StringInfo required);

#endif							/* MODELREG_GATE_FOUND_H */
