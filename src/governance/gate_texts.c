/*
 * gate_texts.c
 *		What the gates of signatures, lineage and artifacts have in common.
 */
#include "postgres.h"

#include "governance/gate_texts.h"
#include "governance/member.h"
#include "registry/compatibility.h"
#include "types/parse.h"

#define TOLD_MAX 10

void
mr_gate_texts_add(MrGateTexts *texts, const char *text)
{
	if (texts->n == 0)
		initStringInfo(&texts->told);
	if (++texts->n <= TOLD_MAX)
		appendStringInfo(&texts->told, "%s%s", texts->n > 1 ? "; " : "", text);
}

/* The first of them, and how many more there are. */
char *
mr_gate_texts_join(const MrGateTexts *texts)
{
	if (texts->n <= TOLD_MAX)
		return texts->told.data;
	return psprintf("%s; and " INT64_FORMAT " more", texts->told.data, texts->n - TOLD_MAX);
}

/* What readers of the model may be told of a node. */
char *
mr_gate_tell_node(const MrGateSubject *subject, const MrNode *node)
{
	if (node->team != subject->model->team.id)
		return pstrdup("data of another team");
	return psprintf("%s \"%s@%s\"", node->kind, node->name, node->version);
}

void
mr_gate_check_mode(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	const char *mode = mr_member_text(definition, "mode");

	if (mode != NULL && mr_compatibility_parse(mode) == MR_COMPATIBILITY_NONE)
		mr_mistake(mistakes, "\"mode\" of %s is \"%s\", and must be " MR_COMPATIBILITY_MODES ".",
				   where, mr_text_clip(mode));
}
