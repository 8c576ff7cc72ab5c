/*
 * access.h
 *		Teams, rights, and who is calling.
 */
#ifndef MODELREG_ACCESS_H
#define MODELREG_ACCESS_H

#include "utils/jsonb.h"

/* Rights are bits; every level of a team includes MR_READER. */
typedef uint32 MrRights;

#define MR_READER		(1 << 0)
#define MR_CONTRIBUTOR	(1 << 1)
#define MR_EVALUATOR	(1 << 2)
#define MR_REVIEWER		(1 << 3)
#define MR_MAINTAINER	(1 << 4)
#define MR_ADMIN		(1 << 5)
#define MR_AUDITOR		(1 << 6)
#define MR_POOLER		(1 << 7)	/* a role that connects for many persons */

typedef struct MrTeam
{
	int64		id;
	char	   *name;
	MrRights	rights;
	bool		retired;
} MrTeam;

/* Id under which registry-wide rights and events are kept. */
#define MR_NO_TEAM ((int64) 0)

extern const char *mr_level_name(MrRights level);
extern MrRights mr_level_parse(const char *name);

extern void mr_access_init(void);

extern MrRights mr_registry_rights(void);
extern MrRights mr_role_registry_rights(Oid role);
extern const MrTeam *mr_team_by_name(const char *name);
extern const MrTeam *mr_team_by_id(int64 id);
extern bool mr_role_is_pooler(const char *name);
extern bool mr_may_read(int64 team);
extern int64 *mr_readable_teams(int *n);

extern bool mr_team_is_discoverable(int64 id);
extern int64 mr_discoverable_team(const char *name);
extern bool mr_role_is_named(Oid role, const char *name);
extern MrRights mr_role_rights(Oid role, const char *name, int64 team);

extern MrTeam mr_require_team(const char *name, MrRights level);
extern MrTeam mr_require_team_by_id(int64 id, MrRights level);
extern void mr_require_rights(const MrTeam *team, MrRights level);
extern void mr_require_registry(MrRights rights);
extern void mr_rights_changed(void);

extern Jsonb *mr_who(void);

#endif							/* MODELREG_ACCESS_H */
