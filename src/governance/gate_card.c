/*
 * gate_card.c
 *		Gate "model_card": the version has one, with the sections that are
 *		needed.
 */
#include "postgres.h"

#include "governance/gate.h"
#include "governance/gate_texts.h"
#include "registry/card.h"
#include "types/parse.h"

static const MrMember card_members[] = {
	{"sections", MR_MEMBER_TEXTS, false},
	{NULL}
};

static void
check_sections(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	int			n;
	char	  **sections = mr_member_texts(definition, "sections", &n);

	for (int i = 0; i < n; i++)
		if (!mr_card_section_is_valid(sections[i], strlen(sections[i])))
			mr_mistake(mistakes, "\"sections\" of %s names \"%s\", which is not " MR_CARD_SECTION_RULE ".",
					   where, mr_text_clip(sections[i]));
}

static char *
required_text(char **sections, int n)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "a model card");
	for (int i = 0; i < n; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : " with ", sections[i]);
	return buf.data;
}

/* What is missing of a card that is there; NULL for nothing. */
static char *
find_missing(Jsonb *card, char **sections, int n)
{
	MrGateTexts missing = {0};

	for (int i = 0; i < n; i++)
		if (!mr_card_has(card, sections[i]))
			mr_gate_texts_add(&missing, psprintf("no section %s", sections[i]));
	return missing.n == 0 ? NULL : mr_gate_texts_join(&missing);
}

static void
test_card(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	int			n;
	char	  **sections = mr_member_texts(gate->definition, "sections", &n);
	MrStoredJson card = mr_card_find(subject->model->id, subject->version, subject->snapshot);
	char	   *missing = card.json == NULL ? NULL : find_missing(card.json, sections, n);

	result->holds = card.json != NULL && missing == NULL;
	/* so that another card is other evidence, whatever both have */
	result->earlier = Max(0, mr_card_changes(subject->model->id, subject->version, subject->snapshot) - 1);
	result->required = required_text(sections, n);
	result->observed = card.redacted ? "the model card was redacted" :
		card.json == NULL ? "no model card" :
		missing != NULL ? missing :
		n > 0 ? "a model card with all of it" : "a model card";
}

const MrGateKind mr_gate_model_card = {
	.name = "model_card",.members = card_members,.check = check_sections,
	.test = test_card,.news = MR_NEWS_CARD
};
