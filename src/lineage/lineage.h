/*
 * lineage.h
 *		Nodes, their inputs, and walks along the edges.
 */
#ifndef MODELREG_LINEAGE_H
#define MODELREG_LINEAGE_H

#include "audit/audit.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"
#include "utils/snapshot.h"

#define MR_ROLE_RUN "run"		/* the input of a version that made it */

/* What a walk or a new edge has to know of a node. */
typedef struct MrNode
{
	int64		id;
	int64		team;
	char	   *kind;
	char	   *name;
	char	   *version;
	int64		supersedes;		/* 0 for none */
	int32		level;
	int64		low;
	TimestampTz recorded_at;
} MrNode;

/*
 * Finding nodes.  None of these asks for rights but those that take an
 * address or a team's name, for which what the caller may not read does not
 * exist.  A
 * snapshot NULL stands for the latest.
 */
extern bool mr_node_get(int64 id, Snapshot snapshot, MrNode *node);

/* Reading one node after another by its id. */
typedef struct MrNodeReader MrNodeReader;

extern MrNodeReader *mr_node_reader_open(Snapshot snapshot);
extern bool mr_node_read(MrNodeReader *reader, int64 id, MrNode *node);
extern void mr_node_reader_close(MrNodeReader *reader);
extern bool mr_node_find_row(MrTable *table, int64 team, const char *kind,
							 const char *name, const char *version,
							 Snapshot snapshot);
extern bool mr_node_await(MrTable *table, int64 team, const char *kind,
						  const char *name, const char *version);
extern int64 mr_node_team(const char *name, bool as_input);
extern bool mr_node_find_input(MrTable *table, const char *address,
							   MrNode *node);
extern void mr_node_load(const char *address, Snapshot snapshot,
						 MrNode *node);
extern void mr_node_raise_missing(const char *address);
extern int64 mr_node_require(const char *address, Snapshot snapshot);
extern MrTeam mr_node_team_of(const char *address);
extern char *mr_node_address(MrNode *node, Snapshot snapshot);
extern char *mr_node_address_in(char *team, MrNode *node, Snapshot snapshot);

/*
 * Addresses that one call has looked up, and the nodes that it is about to
 * record, whose id is 0 until then.
 */
typedef struct MrKnown MrKnown;

extern MrKnown *mr_known_begin(void);
extern MrNode *mr_known_add(MrKnown *known, const char *address);
extern const MrNode *mr_known_find(MrKnown *known, const char *address,
								   bool *asked_before);
extern void mr_known_end(MrKnown *known);

/*
 * The inputs of a node that is to be recorded.  They are added before
 * mr_verb_begin(), as it is the caller's rights that count;
 * mr_inputs_finish() raises one error that lists all that were not found.
 */
typedef struct MrInput
{
	const char *role;
	const MrNode *node;
} MrInput;

typedef struct MrInputs
{
	MrInput    *items;			/* by role and id, after mr_inputs_sort() */
	int			n;
	int64		room;
	MrKnown    *known;			/* where to look first, or NULL */
	List	   *missing;		/* of addresses with their roles */
} MrInputs;

extern MrInputs *mr_inputs_begin(void);
extern void mr_inputs_add(MrInputs *inputs, const char *role, const char *address);
extern void mr_inputs_add_json(MrInputs *inputs, Jsonb *json);
extern void mr_inputs_finish(MrInputs *inputs);
extern void mr_inputs_sort(MrInputs *inputs);
extern void mr_inputs_raise_missing(List *missing);
extern int64 mr_inputs_first(const MrInputs *inputs, const char *role);

/* A node to record.  What is not known is NULL, 0 where it says so. */
typedef struct MrNodeSpec
{
	int64		team;
	const char *kind;
	const char *name;
	const char *version;		/* "" for none */
	const MrNode *supersedes;	/* NULL for none */
	const MrInputs *inputs;		/* finished */
	const char *uri;
	const char *digest;			/* canonical text */
	const int64 *rows;
	const char *properties;		/* canonical JSON of an object */
	const TimestampTz *occurred_at;
	bool		is_fact;		/* one of the team's facts; else the caller's
								 * event covers the hash */
} MrNodeSpec;

extern int64 mr_node_insert(MrVerb *verb, const MrNodeSpec *spec, bytea **hash);

/* Recording one node after another with the tables open. */
typedef struct MrNodeWriter MrNodeWriter;

extern MrNodeWriter *mr_node_writer_open(MrVerb *verb);
extern bool mr_node_write(MrNodeWriter *writer, const MrNodeSpec *spec,
						  MrNode *node, bytea **hash);
extern void mr_node_writer_close(MrNodeWriter *writer);

#endif							/* MODELREG_LINEAGE_H */
