/*
 * policy.c
 *		Policies: which transitions a model's versions may make.
 *
 * A policy is a document, named by the digest of its canonical JSON; a model
 * pins one and every decision stores which.  So far there is one, open: any
 * move that is a move, with no gate.
 */
#include "postgres.h"

#include "base/errors.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "governance/governance.h"
#include "governance/quarantine.h"

/* Canonical JSON: compiled in, so it must never change. */
static const char open_policy[] =
"{\"format\":1,\"name\":\"open\",\"transitions\":["
"{\"from\":\"Experimental\",\"to\":[\"Staging\",\"Production\",\"Archived\"]},"
"{\"from\":\"Staging\",\"to\":[\"Experimental\",\"Production\",\"Archived\"]},"
"{\"from\":\"Production\",\"to\":[\"Experimental\",\"Staging\",\"Archived\"]},"
"{\"from\":\"Archived\",\"to\":[\"Experimental\",\"Staging\",\"Production\"]}]}";

/* The digest of a team's policy.  Error 22023 for an unknown one. */
static bytea *
find_policy(int64 team, const char *name)
{
	if (strcmp(name, "open") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown policy \"%s\"", name),
				 errhint("The only policy so far is \"open\"."),
				 mr_reason("policy_not_found")));
	return mr_sha256_bytea(open_policy, strlen(open_policy));
}

/* Does the policy allow the transition at all? */
bool
mr_policy_allows(const char *policy, MrStage from, MrStage to)
{
	return strcmp(policy, "open") == 0 && from != to;
}

void
mr_governance_init(void)
{
	mr_policy_digest = find_policy;
	mr_quarantine_init();
}
