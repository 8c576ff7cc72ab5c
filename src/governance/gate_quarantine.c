/*
 * gate_quarantine.c
 *		The gate that asks for no quarantined node upstream.
 *
 * It stands before every move to Staging and Production.  A policy may narrow
 * it to roles, so that what is quarantined may still be, say, a teacher; it
 * always blocks.
 */
#include "postgres.h"

#include "governance/gate.h"
#include "governance/policy.h"
#include "governance/quarantine.h"
#include "registry/quarantine.h"

/* So many nodes are told of. */
#define NODES_MAX 100

static const MrMember members[] = {
	{"roles", MR_MEMBER_TEXTS, false},
	{NULL}
};

static void
check(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	char	   *severity = mr_member_text(definition, "severity");

	if (severity != NULL && strcmp(severity, "block") != 0)
		mr_mistake(mistakes, "%s: a gate of kind \"quarantine\" always blocks.", where);
}

static char *
required_text(char **roles, int n)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, "no quarantined node upstream");
	for (int i = 0; i < n; i++)
		appendStringInfo(&text, "%s%s", i == 0 ? " in role " : i == n - 1 ? " or " : ", ",
						 roles[i]);
	return text.data;
}

static void
test(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	int			n = 0;
	bool		complete = true;
	char	  **roles = mr_member_texts(gate->definition, "roles", &n);
	MrQuarantined found = mr_upstream_quarantined(subject->node, n == 0 ? NULL :
												  (const char *const *) roles,
												  n, subject->snapshot, &complete);

	result->holds = found.n == 0;
	result->required = required_text(roles, n);
	result->observed = found.n == 0 ? pstrdup("none") :
		psprintf(INT64_FORMAT " quarantined", found.n);
	for (int64 i = 0; i < Min(found.n, NODES_MAX); i++)
		mr_gate_saw_node(result, found.nodes[i]);
	if (!complete)
		mr_gate_saw_too_many(result);
}

const MrGateKind mr_gate_quarantine = {
	.name = "quarantine",
	.members = members,
	.check = check,
	.test = test,
	.implicit = true,
	.absolute = true,
};

/* Add the roles of a gate's definition to the object's list. */
static void
push_roles(JsonbParseState **state, JsonbContainer *definition)
{
	int			n;
	char	  **roles = mr_member_texts(definition, "roles", &n);

	for (int i = 0; i < n; i++)
	{
		JsonbValue	role = {.type = jbvString};

		role.val.string.val = roles[i];
		role.val.string.len = strlen(roles[i]);
		pushJsonbValue(state, WJB_ELEM, &role);
	}
}

/* Add the roles to which a transition narrows the gate; false where every role counts. */
static bool
push_narrowed(JsonbParseState **state, const MrPolicy *policy,
			  const MrPolicyTransition *transition)
{
	bool		narrowed = false;

	for (int i = 0; transition != NULL && i < transition->ngates; i++)
	{
		const MrGate *gate = &policy->gates[transition->gates[i]];

		if (gate->kind != &mr_gate_quarantine)
			continue;
		if (mr_member_array(gate->definition, "roles") == NULL)
			return false;
		push_roles(state, gate->definition);
		narrowed = true;
	}
	return narrowed;
}

static void
begin_roles(JsonbParseState **state)
{
	JsonbValue	key = {.type = jbvString,.val.string = {5, "roles"}};

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	pushJsonbValue(state, WJB_KEY, &key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
}

static Jsonb *
end_roles(JsonbParseState **state)
{
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	return JsonbValueToJsonb(pushJsonbValue(state, WJB_END_OBJECT, NULL));
}

/*
 * The roles to which a transition narrows the gate, as {"roles": [...]}; NULL
 * where it does not, so that every role counts.
 */
Jsonb *
mr_quarantine_roles(const MrPolicy *policy, const MrPolicyTransition *transition)
{
	JsonbParseState *state = NULL;

	begin_roles(&state);
	return push_narrowed(&state, policy, transition) ? end_roles(&state) : NULL;
}

/* The same for what is in a stage, whichever way it came: all roles that count on any. */
Jsonb *
mr_quarantine_roles_in(const MrPolicy *policy, MrStage stage)
{
	JsonbParseState *state = NULL;
	bool		narrowed = false;

	begin_roles(&state);
	for (int i = 0; i < policy->ntransitions; i++)
	{
		if (policy->transitions[i].to != stage)
			continue;
		if (!push_narrowed(&state, policy, &policy->transitions[i]))
			return NULL;
		narrowed = true;
	}
	return narrowed ? end_roles(&state) : NULL;
}
