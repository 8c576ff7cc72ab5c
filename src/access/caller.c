/*
 * caller.c
 *		Who is calling, and the refusals.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "access/access.h"
#include "base/errors.h"
#include "types/parse.h"

static JsonbValue
json_string(const char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = unconstify(char *, text);
	value.val.string.len = strlen(text);
	return value;
}

static void
add_role(JsonbParseState **state, const char *key, const char *oid_key, Oid role)
{
	char	   *name = GetUserNameFromId(role, true);
	JsonbValue	value = json_string(key);

	pushJsonbValue(state, WJB_KEY, &value);
	value = json_string(name ? name : "");
	pushJsonbValue(state, WJB_VALUE, &value);
	value = json_string(oid_key);
	pushJsonbValue(state, WJB_KEY, &value);
	value.type = jbvNumeric;
	value.val.numeric = int64_to_numeric(role);
	pushJsonbValue(state, WJB_VALUE, &value);
}

/*
 * The caller as rows and events store it: the calling role, and the outer
 * (SET ROLE) and session roles where they are others, by name and OID.
 * Called before mr_owner_begin().
 */
Jsonb *
mr_who(void)
{
	JsonbParseState *state = NULL;
	Oid			role = GetUserId();

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	add_role(&state, "role", "role_oid", role);
	if (GetOuterUserId() != role)
		add_role(&state, "outer", "outer_oid", GetOuterUserId());
	if (GetSessionUserId() != role)
		add_role(&state, "session", "session_oid", GetSessionUserId());
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/*
 * Error 42501 unless the caller has one of the rights (bits) in the team.
 * A retired team changes no more: 55000, unless only MR_READER is asked.
 */
void
mr_require_rights(const MrTeam *team, MrRights level)
{
	if (!(team->rights & level))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for team \"%s\"", team->name),
				 errdetail("This needs the level %s.",
						   mr_level_name(level & ~(level - 1))),
				 errhint("A maintainer of the team can grant it with modelreg.grant_level()."),
				 mr_reason("permission_denied")));
	if (team->retired && level != MR_READER)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("team \"%s\" is retired", team->name),
				 mr_reason("team_retired")));
}

static MrTeam
require_found(const MrTeam *found, const char *name, MrRights level)
{
	MrTeam		team;

	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("team \"%s\" does not exist or you may not read it",
						mr_text_clip(name)),
				 errhint("modelreg.my_rights() lists the teams that you may read."),
				 mr_reason("team_not_found")));
	team = *found;
	team.name = pstrdup(found->name);
	mr_require_rights(&team, level);
	return team;
}

/*
 * The team of that name, in which the caller has one of the rights.  A team
 * that the caller may not read does not exist for him: 42704.
 */
MrTeam
mr_require_team(const char *name, MrRights level)
{
	return require_found(mr_team_by_name(name), name, level);
}

/*
 * The same by id.  Who could read the team a moment ago may have lost that
 * right since: each look at the rights is a new one.
 */
MrTeam
mr_require_team_by_id(int64 id, MrRights level)
{
	return require_found(mr_team_by_id(id), psprintf(INT64_FORMAT, id), level);
}

/* Error 42501 unless the caller has one of the registry-wide rights. */
void
mr_require_registry(MrRights rights)
{
	if (mr_registry_rights() & rights)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for the registry"),
			 errdetail("This needs the registry-wide right %s.",
					   mr_level_name(rights & ~(rights - 1))),
			 errhint("A superuser can grant it with modelreg.grant_registry_right()."),
			 mr_reason("permission_denied")));
}
