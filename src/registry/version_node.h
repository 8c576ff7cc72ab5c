/*
 * version_node.h
 *		The node of a version in the lineage, and the address of a version.
 */
#ifndef MODELREG_VERSION_NODE_H
#define MODELREG_VERSION_NODE_H

#include "lineage/walk.h"

typedef struct MrVersionName
{
	char	   *name;			/* of the model, without the team */
	char	   *address;
	bool		is_current;
} MrVersionName;

extern int64 mr_find_version_node(const char *address, bool as_input,
								  Snapshot snapshot);
extern int64 mr_version_node_id(int64 model, int32 version,
								Snapshot snapshot);
extern char *mr_find_version_address(int64 team_id, int64 model,
									 int32 version, Snapshot snapshot,
									 char **name);
extern void mr_describe_version(const char *team, int64 model, int32 version,
								Snapshot snapshot, MrVersionName *out);
extern bool mr_want_version(const MrWalkStep *step, void *arg);

#endif							/* MODELREG_VERSION_NODE_H */
