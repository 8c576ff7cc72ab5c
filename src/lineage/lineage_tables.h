/*
 * lineage_tables.h
 *		Column numbers of the tables and indexes in lineage.sql.
 */
#ifndef MODELREG_LINEAGE_TABLES_H
#define MODELREG_LINEAGE_TABLES_H

enum
{
	NODE_ID = 1, NODE_TEAM_ID, NODE_BATCH, NODE_KIND, NODE_NAME, NODE_VERSION,
	NODE_SUPERSEDES, NODE_LEVEL, NODE_LOW, NODE_INPUT_ROLES, NODE_INPUT_IDS,
	NODE_URI, NODE_DIGEST, NODE_ROWS, NODE_PROPERTIES, NODE_WHO,
	NODE_RECORDED_AT, NODE_OCCURRED_AT, NODE_HASH, NODE_FORMAT,
	NODE_COLUMNS = NODE_FORMAT
};

enum
{
	EDGE_CHILD = 1, EDGE_PARENT, EDGE_PARENT_LOW, EDGE_CHILD_TEAM,
	EDGE_PARENT_TEAM, EDGE_PARENT_LEVEL, EDGE_ROLE, EDGE_CHILD_KIND,
	EDGE_PARENT_KIND, EDGE_COLUMNS = EDGE_PARENT_KIND
};

/* Columns of the index edge_up. */
enum
{
	EDGE_UP_CHILD = 1, EDGE_UP_PARENT, EDGE_UP_PARENT_LOW,
	EDGE_UP_PARENT_TEAM, EDGE_UP_PARENT_LEVEL, EDGE_UP_ROLE,
	EDGE_UP_PARENT_KIND
};

/* Columns of the index edge_down. */
enum
{
	EDGE_DOWN_PARENT = 1, EDGE_DOWN_CHILD, EDGE_DOWN_CHILD_TEAM,
	EDGE_DOWN_ROLE, EDGE_DOWN_CHILD_KIND
};

/*
 * An entry of the index edge_up, and one of edge_down, behind its header: no
 * column is NULL, and those of a fixed width come first.  Both begin alike:
 * from where the edge leads, and to where, in the direction of the index.  The
 * texts are role and kind, with zeros up to the entry's end.
 */
typedef struct MrEdgeUp
{
	int64		child;
	int64		parent;
	int64		parent_low;
	int64		parent_team;
	int32		parent_level;
	uint32		texts[FLEXIBLE_ARRAY_MEMBER];
} MrEdgeUp;

typedef struct MrEdgeDown
{
	int64		parent;
	int64		child;
	int64		child_team;
	uint32		texts[FLEXIBLE_ARRAY_MEMBER];
} MrEdgeDown;

#endif							/* MODELREG_LINEAGE_TABLES_H */
