/*
 * person.c
 *		Whether two acts are by different persons.
 *
 * Rows and events say who acted: the calling role, and the outer and session
 * roles where they are others.  Two acts are by different persons if no role of
 * the one is any of the other's: who comes through a pooler as himself, and
 * logs in to be another role, is one person.  A session role that an admin
 * listed as a pooler, which connects for many, says nothing.  A role is the same by its name or by its
 * OID, as roles are renamed, and are made anew where a dump is restored.
 */
#include "postgres.h"

#include "access/access.h"
#include "audit/audit.h"
#include "base/hash.h"
#include "governance/person.h"

/* By what roles are known in rows and events. */
static const char *const keys[] = {"role", "outer", "session"};

#define SESSION 2

typedef struct Role
{
	char	   *name;
	int64		oid;
} Role;

/* One of the roles; what is not said is the calling one. */
static Role
role_of(Jsonb *who, const char *key)
{
	Role		role;

	if (!mr_json_has(&who->root, key))
		key = "role";
	role.name = mr_json_get_text(who, key);
	role.oid = mr_json_get_int(who, psprintf("%s_oid", key));
	return role;
}

static bool
same_role(const Role *a, const Role *b)
{
	return a->oid == b->oid || strcmp(a->name, b->name) == 0;
}

/* Does the session role say nothing of who it was? */
static bool
says_nothing(int key, const Role *role)
{
	return key == SESSION && mr_role_is_pooler(role->name);
}

bool
mr_same_person(Jsonb *a, Jsonb *b)
{
	for (int i = 0; i < lengthof(keys); i++)
		for (int j = 0; j < lengthof(keys); j++)
		{
			Role		x = role_of(a, keys[i]);
			Role		y = role_of(b, keys[j]);

			if (same_role(&x, &y) && !says_nothing(i, &x) && !says_nothing(j, &y))
				return true;
		}
	return false;
}
