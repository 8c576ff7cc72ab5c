/*
 * gate_attestation.c
 *		Gate "attestation": somebody whose key is named signed a statement.
 *
 * What counts is whose valid key signed it when it was recorded, not who
 * recorded it.  A statement whose key was compromised before that does not
 * count, one whose key was revoked later does.  A key that has two names, the
 * team's and the registry's, is one.  Nor does one about a part of
 * the version: the same part may be in any other version.
 */
#include "postgres.h"

#include "attestation/attested.h"
#include "base/grow.h"
#include "governance/gate.h"
#include "governance/gate_texts.h"
#include "types/parse.h"

static const MrMember attestation_members[] = {
	{"predicate_type", MR_MEMBER_TEXT, true},
	{"keys", MR_MEMBER_TEXTS, false},
	{"registry_keys", MR_MEMBER_TEXTS, false},
	{"at_least", MR_MEMBER_COUNT, false},
	{NULL}
};

typedef struct Signers
{
	char	  **keys;			/* of the team */
	int			nkeys;
	char	  **registry_keys;
	int			nregistry_keys;
	int			statements;		/* signatures of them, of any key */
	int			compromised;	/* of these */
	int			partial;		/* signatures of those about a part of the version */
	char	  **counted;		/* keyids of keys that are wanted, each once */
	int			ncounted;
	int64		room;
	MrGateTexts names;			/* of these */
} Signers;

static bool
is_in(const char *name, char **names, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static char *
print_key(const char *name, bool of_registry)
{
	return psprintf("\"%s\"%s", mr_text_clip(name), of_registry ? " of the registry" : "");
}

/*
 * How a key that is wanted is called; NULL if it is not.  It is wanted under
 * each of the names that it has; without a list each key will do.
 */
static char *
wanted_name(const Signers *signers, const MrAttested *attested)
{
	bool		of_registry = attested->key_team == MR_NO_TEAM;
	const char *of_team = of_registry ? attested->other_name : attested->key_name;
	const char *registry_name = of_registry ? attested->key_name : attested->other_name;

	if (signers->nkeys == 0 && signers->nregistry_keys == 0)
		return print_key(attested->key_name, of_registry);
	if (of_team != NULL && is_in(of_team, signers->keys, signers->nkeys))
		return print_key(of_team, false);
	if (registry_name != NULL && is_in(registry_name, signers->registry_keys, signers->nregistry_keys))
		return print_key(registry_name, true);
	return NULL;
}

static void
count_signer(const MrAttested *attested, void *arg)
{
	Signers    *signers = arg;
	char	   *name;

	if (!attested->about_all)
	{
		signers->partial++;
		return;
	}
	signers->statements++;
	signers->compromised += attested->compromised;
	name = attested->compromised ? NULL : wanted_name(signers, attested);
	if (name == NULL)
		return;
	if (is_in(attested->keyid, signers->counted, signers->ncounted))
		return;
	signers->counted = mr_grow(signers->counted, signers->ncounted, &signers->room, sizeof(char *));
	signers->counted[signers->ncounted++] = attested->keyid;
	mr_gate_texts_add(&signers->names, name);
}

static char *
required_text(const Signers *signers, const char *predicate_type, int at_least)
{
	StringInfoData buf;
	int			n = signers->nkeys + signers->nregistry_keys;

	initStringInfo(&buf);
	appendStringInfo(&buf, "\"%s\" signed by at least %d of ", mr_text_clip(predicate_type), at_least);
	if (n == 0)
		appendStringInfoString(&buf, "all keys");
	for (int i = 0; i < n; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "",
						 i < signers->nkeys ? print_key(signers->keys[i], false) :
						 print_key(signers->registry_keys[i - signers->nkeys], true));
	return buf.data;
}

static char *
observed_text(const Signers *signers)
{
	if (signers->statements == 0)
		return signers->partial > 0 ? "such a statement about artifacts only" : "no such statement";
	return psprintf("signed by %s%s",
					signers->ncounted > 0 ? mr_gate_texts_join(&signers->names) :
					"none of these keys",
					signers->compromised > 0 ? ", and by a key that was compromised before" : "");
}

static void
check_attestation(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	int			nkeys;
	int			nregistry_keys;
	int			at_least = mr_member_count(definition, "at_least", 1);

	(void) mr_member_texts(definition, "keys", &nkeys);
	(void) mr_member_texts(definition, "registry_keys", &nregistry_keys);
	if (nkeys + nregistry_keys > 0 && at_least > nkeys + nregistry_keys)
		mr_mistake(mistakes, "\"at_least\" of %s is %d, but only %d keys are named.",
				   where, at_least, nkeys + nregistry_keys);
}

static void
test_attestation(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	Signers		signers = {0};
	char	   *predicate_type = mr_member_text(gate->definition, "predicate_type");
	int			at_least = mr_member_count(gate->definition, "at_least", 1);

	signers.keys = mr_member_texts(gate->definition, "keys", &signers.nkeys);
	signers.registry_keys = mr_member_texts(gate->definition, "registry_keys", &signers.nregistry_keys);
	mr_attested_each(subject->model->id, subject->version, predicate_type,
					 subject->snapshot, count_signer, &signers);
	result->holds = signers.ncounted >= at_least;
	result->required = required_text(&signers, predicate_type, at_least);
	result->observed = observed_text(&signers);
}

const MrGateKind mr_gate_attestation = {
	.name = "attestation",.members = attestation_members,
	.check = check_attestation,.test = test_attestation,.news = MR_NEWS_STATEMENT
};
