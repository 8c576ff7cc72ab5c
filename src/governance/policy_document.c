/*
 * policy_document.c
 *		What the document of a policy says, and what is wrong with one.
 *
 * All mistakes are found at once.  A document that has passed is parsed by
 * the same code again, without any.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/errors.h"
#include "base/grow.h"
#include "base/hash.h"
#include "governance/policy.h"
#include "types/names.h"

/* Sets of gates and of what transitions ask are words of 64 bits. */
#define GATES_MAX 32
#define TRANSITIONS_MAX 32
#define APPROVALS_MAX 10

#define LEVELS (MR_CONTRIBUTOR | MR_EVALUATOR | MR_REVIEWER | MR_MAINTAINER)

typedef struct Parse
{
	MrPolicy   *policy;
	StringInfo	mistakes;
	int			number;			/* of the element of a list */
	const char *where;
} Parse;

static const MrMember policy_members[] = {
	{"format", MR_MEMBER_COUNT, true},
	{"transitions", MR_MEMBER_ARRAY, true},
	{"gates", MR_MEMBER_OBJECT, false},
	{"distinct", MR_MEMBER_ARRAY, false},
	{"return", MR_MEMBER_OBJECT, false},
	{"emergency", MR_MEMBER_OBJECT, false},
	{"several_in_production", MR_MEMBER_BOOL, false},
	{"traffic", MR_MEMBER_OBJECT, false},
	{"retention_days", MR_MEMBER_OBJECT, false},
	{NULL}
};

static const MrMember transition_members[] = {
	{"from", MR_MEMBER_TEXTS, true},
	{"to", MR_MEMBER_TEXT, true},
	{"levels", MR_MEMBER_TEXTS, true},
	{"automatic", MR_MEMBER_BOOL, false},
	{"gates", MR_MEMBER_TEXTS, false},
	{"approvals", MR_MEMBER_COUNT, false},
	{"approvers", MR_MEMBER_TEXTS, false},
	{NULL}
};

static const MrMember path_members[] = {
	{"levels", MR_MEMBER_TEXTS, true},
	{NULL}
};

static const MrMember stage_texts[] = {
	{"Experimental", MR_MEMBER_TEXTS, false},
	{"Staging", MR_MEMBER_TEXTS, false},
	{"Production", MR_MEMBER_TEXTS, false},
	{"Archived", MR_MEMBER_TEXTS, false},
	{NULL}
};

static const MrMember stage_counts[] = {
	{"Experimental", MR_MEMBER_COUNT, false},
	{"Staging", MR_MEMBER_COUNT, false},
	{"Production", MR_MEMBER_COUNT, false},
	{"Archived", MR_MEMBER_COUNT, false},
	{NULL}
};

/* The names of levels, for a message. */
const char *
mr_levels_text(MrRights levels)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (MrRights level = MR_CONTRIBUTOR; level <= MR_MAINTAINER; level <<= 1)
		if (levels & level)
			appendStringInfo(&buf, "%s%s", buf.len > 0 ? ", " : "", mr_level_name(level));
	return buf.len > 0 ? buf.data : "nobody";
}

/* Error 42501 unless the caller has one of the levels in the model's team. */
void
mr_policy_require_level(const char *policy, MrRights levels, MrRights rights,
						const char *what)
{
	if (rights & levels)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("policy \"%s\" does not let you %s", policy, what),
			 errdetail("This needs one of the levels %s.", mr_levels_text(levels)),
			 mr_reason("permission_denied")));
}

static MrRights
parse_levels(JsonbContainer *object, const char *name, const char *where,
			 StringInfo mistakes)
{
	int			n;
	char	  **texts = mr_member_texts(object, name, &n);
	MrRights	levels = 0;

	for (int i = 0; i < n; i++)
	{
		MrRights	level = mr_level_parse(texts[i]) & LEVELS;

		if (level == 0)
			mr_mistake(mistakes, "\"%s\" of %s names \"%s\", which is none of %s.",
					   name, where, mr_text_clip(texts[i]), mr_levels_text(LEVELS));
		levels |= level;
	}
	return levels;
}

/* By its exact name, so that a stage is written in one way. */
static MrStage
parse_stage(const char *name, const char *where, StringInfo mistakes)
{
	MrStage		stage = mr_stage_lookup(name, strlen(name));

	if (stage != MR_STAGE_NONE && strcmp(mr_stage_name(stage), name) == 0)
		return stage;
	mr_mistake(mistakes, "%s names \"%s\", which is no stage.", where, mr_text_clip(name));
	return MR_STAGE_NONE;
}

static const MrMember gate_members[] = {
	{"kind", MR_MEMBER_TEXT, true},
	{"severity", MR_MEMBER_TEXT, false},
	{NULL}
};

/* A definition with its kind's members, if the kind is known. */
static void
check_gate(const MrGate *gate, const char *where, StringInfo mistakes)
{
	const char *kind = mr_member_text(gate->definition, "kind");
	const char *severity = mr_member_text(gate->definition, "severity");
	int			before = mistakes->len;

	if (kind != NULL && gate->kind == NULL)
	{
		mr_mistake(mistakes, "%s is of an unknown kind \"%s\".", where, mr_text_clip(kind));
		return;
	}
	mr_members_check(gate->definition, gate_members, gate->kind ? gate->kind->members : NULL,
					 where, mistakes);
	if (severity != NULL && strcmp(severity, "warn") != 0 && strcmp(severity, "block") != 0)
		mr_mistake(mistakes, "\"severity\" of %s must be block or warn.", where);
	if (gate->kind != NULL && gate->kind->check != NULL && mistakes->len == before)
		gate->kind->check(gate->definition, where, mistakes);
}

static void
add_gate(const char *name, const JsonbValue *value, void *arg)
{
	Parse	   *parse = arg;
	MrGate	   *gate = &parse->policy->gates[parse->policy->ngates];
	char	   *where = psprintf("gate \"%s\"", mr_text_clip(name));
	MrFault		fault;
	const char *kind;
	const char *severity;

	if (parse->policy->ngates == GATES_MAX)
		return;
	parse->policy->ngates++;
	gate->name = name;
	gate->definition = mr_value_object(value);
	if (!mr_name_scan(MR_NAME_OBJECT, name, strlen(name), &fault))
		mr_mistake(parse->mistakes, "%s: %s", where, fault.what);
	if (gate->definition == NULL)
	{
		mr_mistake(parse->mistakes, "%s must be an object.", where);
		return;
	}
	kind = mr_member_text(gate->definition, "kind");
	severity = mr_member_text(gate->definition, "severity");
	gate->kind = kind ? mr_gate_kind(kind) : NULL;
	gate->blocks = severity == NULL || strcmp(severity, "warn") != 0;
	check_gate(gate, where, parse->mistakes);
}

static int
find_gate(const MrPolicy *policy, const char *name)
{
	for (int i = 0; i < policy->ngates; i++)
		if (strcmp(policy->gates[i].name, name) == 0)
			return i;
	return -1;
}

static void
parse_gates_of(Parse *parse, MrPolicyTransition *transition, JsonbContainer *object)
{
	int			n;
	char	  **names = mr_member_texts(object, "gates", &n);

	transition->gates = palloc((n + 1) * sizeof(int));
	for (int i = 0; i < n; i++)
	{
		int			gate = find_gate(parse->policy, names[i]);

		if (gate < 0)
			mr_mistake(parse->mistakes, "%s asks for the gate \"%s\", which is not defined.",
					   parse->where, mr_text_clip(names[i]));
		else
			transition->gates[transition->ngates++] = gate;
	}
}

static void
parse_stages_of(Parse *parse, MrPolicyTransition *transition, JsonbContainer *object)
{
	char	   *to = mr_member_text(object, "to");
	int			n;
	char	  **from = mr_member_texts(object, "from", &n);

	if (to != NULL)
		transition->to = parse_stage(to, parse->where, parse->mistakes);
	for (int i = 0; i < n; i++)
		transition->from |= MR_STAGE_BIT(parse_stage(from[i], parse->where, parse->mistakes));
	transition->from &= ~MR_STAGE_BIT(MR_STAGE_NONE);
	if (transition->to != MR_STAGE_NONE &&
		transition->from & MR_STAGE_BIT(transition->to))
		mr_mistake(parse->mistakes, "%s leads from %s to itself.", parse->where, to);
}

/* Nobody asks for an automatic move, so something has to decide it. */
static void
check_automatic(Parse *parse, const MrPolicyTransition *transition)
{
	bool		decided = false;

	if (!transition->automatic)
		return;
	for (int i = 0; i < transition->ngates; i++)
		decided |= parse->policy->gates[transition->gates[i]].blocks;
	if (!decided)
		mr_mistake(parse->mistakes, "%s is automatic and needs a gate that blocks.", parse->where);
	if (transition->approvals > 0)
		mr_mistake(parse->mistakes, "%s is automatic and asks for approvals.", parse->where);
	if ((transition->to != MR_STAGE_STAGING && transition->to != MR_STAGE_PRODUCTION) ||
		transition->from & (MR_STAGE_BIT(MR_STAGE_PRODUCTION) | MR_STAGE_BIT(MR_STAGE_ARCHIVED)))
		mr_mistake(parse->mistakes, "%s is automatic and does not lead onward to Staging or Production.",
				   parse->where);
}

/* No two transitions say different things of the same move. */
static void
check_others(Parse *parse, const MrPolicyTransition *transition)
{
	const MrPolicy *policy = parse->policy;

	for (int i = 0; i < policy->ntransitions - 1; i++)
		if (policy->transitions[i].to == transition->to &&
			policy->transitions[i].from & transition->from)
			mr_mistake(parse->mistakes, "%s says again what transition %d does.",
					   parse->where, i + 1);
}

static void
add_transition(const char *name, const JsonbValue *value, void *arg)
{
	Parse	   *parse = arg;
	MrPolicy   *policy = parse->policy;
	MrPolicyTransition *transition = &policy->transitions[policy->ntransitions];
	JsonbContainer *object = mr_value_object(value);

	parse->number++;
	parse->where = psprintf("transition %d", parse->number);
	if (policy->ntransitions == TRANSITIONS_MAX)
		return;
	policy->ntransitions++;
	if (object == NULL)
	{
		mr_mistake(parse->mistakes, "%s must be an object.", parse->where);
		return;
	}
	mr_members_check(object, NULL, transition_members, parse->where, parse->mistakes);
	parse_stages_of(parse, transition, object);
	parse_gates_of(parse, transition, object);
	transition->levels = parse_levels(object, "levels", parse->where, parse->mistakes);
	transition->automatic = mr_member_bool(object, "automatic", false);
	transition->approvals = mr_member_count(object, "approvals", 0);
	transition->approvers = parse_levels(object, "approvers", parse->where, parse->mistakes);
	if ((transition->approvals > 0) != (transition->approvers != 0))
		mr_mistake(parse->mistakes, "%s needs both approvals and approvers, or neither.", parse->where);
	if (transition->approvals > APPROVALS_MAX)
		mr_mistake(parse->mistakes, "%s asks for more than %d approvals.", parse->where, APPROVALS_MAX);
	check_automatic(parse, transition);
	check_others(parse, transition);
}

static int
parse_part(const char *name)
{
	static const char *const names[MR_PARTS] = {"requester", "registrant",
	"evaluator", "approver"};

	for (int i = 0; i < MR_PARTS; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

static void
set_distinct(MrPolicy *policy, MrPart a, MrPart b)
{
	policy->distinct[a][b] = policy->distinct[b][a] = true;
}

static void
add_distinct(const char *name, const JsonbValue *value, void *arg)
{
	Parse	   *parse = arg;
	bool		is_array = value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data);
	int			parts[2] = {-1, -1};

	for (int i = 0; is_array && i < 2 && JsonContainerSize(value->val.binary.data) == 2; i++)
	{
		JsonbValue *part = getIthJsonbValueFromContainer(value->val.binary.data, i);

		if (part->type == jbvString)
			parts[i] = parse_part(mr_json_cstring(part));
	}
	if (parts[0] < 0 || parts[1] < 0 || parts[0] == parts[1])
		mr_mistake(parse->mistakes, "\"distinct\" must be a list of pairs of requester, registrant, evaluator and approver.");
	else
		set_distinct(parse->policy, parts[0], parts[1]);
}

static MrRights
parse_path(JsonbContainer *document, const char *name, StringInfo mistakes)
{
	JsonbContainer *object = mr_member_object(document, name);
	char	   *where = psprintf("\"%s\"", name);

	if (object == NULL)
		return 0;
	mr_members_check(object, NULL, path_members, where, mistakes);
	return parse_levels(object, "levels", where, mistakes);
}

/* The bit of a kind of traffic by its name; 0 for none. */
static uint32
traffic_bit(const char *name)
{
	static const char *const names[] = {"shadow", "canary", "linear", "full"};

	for (int i = 0; i < lengthof(names); i++)
		if (strcmp(names[i], name) == 0)
			return 1 << i;
	return 0;
}

static void
add_traffic(const char *stage, const JsonbValue *value, void *arg)
{
	Parse	   *parse = arg;
	int			n;
	JsonbContainer *traffic = mr_member_object(&parse->policy->document->root, "traffic");
	char	  **texts = mr_member_texts(traffic, stage, &n);

	for (int i = 0; i < n; i++)
	{
		uint32		bit = traffic_bit(texts[i]);

		if (bit == 0)
			mr_mistake(parse->mistakes, "\"traffic\" names \"%s\", which is none of shadow, canary, linear, full.",
					   mr_text_clip(texts[i]));
		parse->policy->traffic[mr_stage_lookup(stage, strlen(stage))] |= bit;
	}
}

/* Where a policy says nothing of traffic, Production may have it, and nothing else. */
static void
parse_traffic(Parse *parse, JsonbContainer *traffic)
{
	uint32	   *stages = parse->policy->traffic;

	if (traffic == NULL)
		stages[MR_STAGE_PRODUCTION] = MR_TRAFFIC_SHADOW | MR_TRAFFIC_CANARY |
			MR_TRAFFIC_LINEAR | MR_TRAFFIC_FULL;
	else
	{
		mr_members_check(traffic, NULL, stage_texts, "\"traffic\"", parse->mistakes);
		mr_member_each(traffic, add_traffic, parse);
	}
	/* what is archived takes none, whatever the document says */
	stages[MR_STAGE_ARCHIVED] = stages[MR_STAGE_NONE] = 0;
}

static void
check_stages(Parse *parse)
{
	JsonbContainer *document = &parse->policy->document->root;
	JsonbContainer *traffic = mr_member_object(document, "traffic");
	JsonbContainer *retention = mr_member_object(document, "retention_days");

	parse_traffic(parse, traffic);
	if (retention != NULL)
		mr_members_check(retention, NULL, stage_counts, "\"retention_days\"", parse->mistakes);
}

/* Does what one transition asks of approvals satisfy another? */
static bool
approvals_cover(const MrPolicyTransition *a, const MrPolicyTransition *b)
{
	return a->approvals >= b->approvals && (a->approvers & ~b->approvers) == 0;
}

/*
 * What a transition asks, as a set: gates that block, and the approvals of
 * each transition (after the gates) that those of this one satisfy.
 */
static uint64
asks_of(const MrPolicy *policy, const MrPolicyTransition *transition)
{
	uint64		asks = 0;

	for (int i = 0; i < transition->ngates; i++)
		if (policy->gates[transition->gates[i]].blocks)
			asks |= UINT64CONST(1) << transition->gates[i];
	for (int i = 0; transition->approvals > 0 && i < policy->ntransitions; i++)
		if (policy->transitions[i].approvals > 0 &&
			approvals_cover(transition, &policy->transitions[i]))
			asks |= UINT64CONST(1) << (GATES_MAX + i);
	return asks;
}

/*
 * What every way into each stage has asked, from the birth of a version on.
 * A promotion archives what it replaces, so a way leads from Production to
 * Archived in any policy.
 */
static void
find_guarantees(const MrPolicy *policy, uint64 *guaranteed)
{
	bool		changed = true;

	for (int stage = 0; stage < MR_STAGES; stage++)
		guaranteed[stage] = stage == MR_STAGE_EXPERIMENTAL ? 0 : ~UINT64CONST(0);
	while (changed)
	{
		uint64		before = guaranteed[MR_STAGE_ARCHIVED];

		guaranteed[MR_STAGE_ARCHIVED] &= guaranteed[MR_STAGE_PRODUCTION];
		changed = guaranteed[MR_STAGE_ARCHIVED] != before;
		for (int i = 0; i < policy->ntransitions; i++)
			for (int from = MR_STAGE_EXPERIMENTAL; from < MR_STAGES; from++)
			{
				const MrPolicyTransition *way = &policy->transitions[i];

				if (!(way->from & MR_STAGE_BIT(from)))
					continue;
				before = guaranteed[way->to];
				guaranteed[way->to] &= guaranteed[from] | asks_of(policy, way);
				changed |= guaranteed[way->to] != before;
			}
	}
}

/* What every transition to Production asks itself. */
static uint64
asked_for_production(const MrPolicy *policy)
{
	uint64		asked = ~UINT64CONST(0);

	for (int i = 0; i < policy->ntransitions; i++)
		if (policy->transitions[i].to == MR_STAGE_PRODUCTION)
			asked &= asks_of(policy, &policy->transitions[i]);
	return asked;
}

/*
 * A promotion to Production stands by itself: a version may have come to where
 * it is under another policy, or in an emergency.  So what is asked on the way
 * to Staging is asked again, and no transition asks for more approvals.
 */
static void
check_production_asks(Parse *parse, uint64 asked)
{
	const MrPolicy *policy = parse->policy;
	int			most = 0;

	for (int i = 0; i < policy->ntransitions; i++)
		if (policy->transitions[i].approvals > policy->transitions[most].approvals)
			most = i;
	for (int i = 0; i < policy->ntransitions; i++)
	{
		const MrPolicyTransition *way = &policy->transitions[i];
		uint64		skipped = asks_of(policy, way) & ~asked;

		if (way->to == MR_STAGE_PRODUCTION &&
			way->approvals < policy->transitions[most].approvals)
			mr_mistake(parse->mistakes, "transition %d leads to Production and asks for fewer approvals than transition %d.",
					   i + 1, most + 1);
		for (int gate = 0; way->to == MR_STAGE_STAGING && gate < policy->ngates; gate++)
			if (skipped & UINT64CONST(1) << gate)
				mr_mistake(parse->mistakes, "transition %d asks for the gate \"%s\" for Staging, and not every transition to Production asks for it again.",
						   i + 1, policy->gates[gate].name);
	}
}

/*
 * No way into Staging or Production skips what another way asks; of one into
 * Production it does not count what was asked before.
 */
static void
check_ways(Parse *parse)
{
	const MrPolicy *policy = parse->policy;
	uint64		guaranteed[MR_STAGES];

	find_guarantees(policy, guaranteed);
	guaranteed[MR_STAGE_PRODUCTION] = asked_for_production(policy);
	check_production_asks(parse, guaranteed[MR_STAGE_PRODUCTION]);
	for (int i = 0; i < policy->ntransitions; i++)
	{
		const MrPolicyTransition *way = &policy->transitions[i];
		uint64		skipped;

		if (way->to != MR_STAGE_STAGING && way->to != MR_STAGE_PRODUCTION)
			continue;
		skipped = asks_of(policy, way) & ~guaranteed[way->to];
		for (int gate = 0; gate < policy->ngates; gate++)
			if (skipped & UINT64CONST(1) << gate)
				mr_mistake(parse->mistakes, "transition %d asks for the gate \"%s\", and another way to %s skips it.",
						   i + 1, policy->gates[gate].name, mr_stage_name(way->to));
		if (way->approvals > 0 && skipped & UINT64CONST(1) << (GATES_MAX + i))
			mr_mistake(parse->mistakes, "transition %d asks for approvals, and another way to %s skips them.",
					   i + 1, mr_stage_name(way->to));
	}
}

static bool
leads_to_production(const MrPolicy *policy)
{
	for (int i = 0; i < policy->ntransitions; i++)
		if (policy->transitions[i].to == MR_STAGE_PRODUCTION)
			return true;
	return false;
}

static void
check_sizes(Parse *parse)
{
	JsonbContainer *document = &parse->policy->document->root;
	JsonbContainer *gates = mr_member_object(document, "gates");
	JsonbContainer *transitions = mr_member_array(document, "transitions");

	if (mr_member_count(document, "format", 1) != 1)
		mr_mistake(parse->mistakes, "\"format\" must be 1.");
	if (gates != NULL && JsonContainerSize(gates) > GATES_MAX)
		mr_mistake(parse->mistakes, "a policy has at most %d gates.", GATES_MAX);
	if (transitions != NULL && JsonContainerSize(transitions) > TRANSITIONS_MAX)
		mr_mistake(parse->mistakes, "a policy has at most %d transitions.", TRANSITIONS_MAX);
}

/*
 * The policy of a document, which lives as long as the document.  What is
 * wrong with it is added to the mistakes; the policy is of use only if there
 * are none.
 */
MrPolicy *
mr_policy_parse(Jsonb *document, StringInfo mistakes)
{
	MrPolicy   *policy = palloc0(sizeof(MrPolicy));
	Parse		parse = {.policy = policy,.mistakes = mistakes};
	JsonbContainer *root = &document->root;
	JsonbContainer *part;

	policy->document = document;
	mr_members_check(root, NULL, policy_members, "the policy", mistakes);
	check_sizes(&parse);
	policy->gates = palloc0(GATES_MAX * sizeof(MrGate));
	policy->transitions = palloc0(TRANSITIONS_MAX * sizeof(MrPolicyTransition));
	if ((part = mr_member_object(root, "gates")) != NULL)
		mr_member_each(part, add_gate, &parse);
	if ((part = mr_member_array(root, "transitions")) != NULL)
		mr_member_each(part, add_transition, &parse);
	/* An approval by who asked or registered would be none. */
	set_distinct(policy, MR_PART_APPROVER, MR_PART_REQUESTER);
	set_distinct(policy, MR_PART_APPROVER, MR_PART_REGISTRANT);
	if ((part = mr_member_array(root, "distinct")) != NULL)
		mr_member_each(part, add_distinct, &parse);
	policy->return_levels = parse_path(root, "return", mistakes);
	policy->emergency_levels = parse_path(root, "emergency", mistakes);
	policy->several_in_production = mr_member_bool(root, "several_in_production", false);
	check_stages(&parse);
	if (mistakes->len == 0 && !leads_to_production(policy))
		mr_mistake(mistakes, "no transition leads to Production.");
	if (mistakes->len == 0)
		check_ways(&parse);
	return policy;
}

/* The transition for a move; NULL when the policy has none. */
const MrPolicyTransition *
mr_policy_transition(const MrPolicy *policy, MrStage from, MrStage to)
{
	for (int i = 0; i < policy->ntransitions; i++)
		if (policy->transitions[i].to == to &&
			policy->transitions[i].from & MR_STAGE_BIT(from))
			return &policy->transitions[i];
	return NULL;
}
