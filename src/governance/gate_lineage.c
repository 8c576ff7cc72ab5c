/*
 * gate_lineage.c
 *		Gate "lineage_complete": how the version was made is known.
 */
#include "postgres.h"

#include "governance/gate.h"
#include "governance/gate_upstream.h"
#include "types/parse.h"

static const MrMember lineage_members[] = {
	{"needs", MR_MEMBER_TEXTS, false},
	{NULL}
};

/* By MrOrigin: what a definition calls it, and what people do. */
static const char *const origins[MR_ORIGINS][2] = {
	{"training", "training snapshot"}, {"run", "run"}, {"commit", "commit"},
	{"transform", "transform"}
};

static int
find_origin_name(const char *name)
{
	for (int i = 0; i < MR_ORIGINS; i++)
		if (strcmp(origins[i][0], name) == 0)
			return i;
	return -1;
}

static void
check_lineage(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	int			n;
	char	  **needs = mr_member_texts(definition, "needs", &n);

	for (int i = 0; i < n; i++)
		if (find_origin_name(needs[i]) < 0)
			mr_mistake(mistakes, "\"needs\" of %s names \"%s\", which is none of training, run, commit, transform.",
					   where, mr_text_clip(needs[i]));
}

/* Without a choice all are needed. */
static void
read_needs(const MrGate *gate, bool *wanted)
{
	int			n;
	char	  **needs = mr_member_texts(gate->definition, "needs", &n);

	for (int i = 0; i < MR_ORIGINS; i++)
		wanted[i] = n == 0;
	for (int i = 0; i < n; i++)
		wanted[find_origin_name(needs[i])] = true;
}

static void
append_origin(StringInfo list, int origin)
{
	appendStringInfo(list, "%s%s", list->len > 0 ? ", " : "", origins[origin][1]);
}

static void
test_lineage(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	bool		wanted[MR_ORIGINS];
	int64		found[MR_ORIGINS];
	StringInfoData needed;
	StringInfoData missing;
	bool		complete;

	initStringInfo(&needed);
	initStringInfo(&missing);
	read_needs(gate, wanted);
	complete = mr_find_origins(subject->node, wanted, subject->snapshot, found);
	for (int i = 0; i < MR_ORIGINS; i++)
	{
		if (!wanted[i])
			continue;
		append_origin(&needed, i);
		if (found[i] == 0)
			append_origin(&missing, i);
		else
			mr_gate_saw_node(result, found[i]);
	}
	result->holds = missing.len == 0;
	result->required = psprintf("known upstream: %s", needed.data);
	result->observed = result->holds ? "all are known" :
		psprintf("not known: %s", missing.data);
	if (!complete)
		mr_gate_saw_too_many(result);
}

const MrGateKind mr_gate_lineage_complete = {
	.name = "lineage_complete",.members = lineage_members,.check = check_lineage,
	.test = test_lineage
};
