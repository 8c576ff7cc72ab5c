/*
 * policy_tiers.c
 *		The policies that come with the extension.
 *
 * A revision that was released never changes: a registry that has it as a row
 * and one that takes it from here must say the same.  A team has the row from
 * its first use on.
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"

#include "governance/policy.h"

static const MrTier tiers[] = {
	{"high-risk", 1,
		"{\"format\": 1,"
		" \"transitions\": ["
		"  {\"from\": [\"Experimental\"], \"to\": \"Staging\", \"levels\": [\"contributor\", \"maintainer\"],"
		"   \"gates\": [\"offline\"]},"
		"  {\"from\": [\"Staging\"], \"to\": \"Production\", \"levels\": [\"contributor\", \"reviewer\", \"maintainer\"],"
		"   \"gates\": [\"offline\", \"fairness\", \"calibration\","
		"    \"lineage\", \"data\", \"artifacts\", \"schema\", \"signature\", \"card\"],"
		"   \"approvals\": 2, \"approvers\": [\"reviewer\"]},"
		"  {\"from\": [\"Staging\", \"Production\", \"Archived\"], \"to\": \"Experimental\", \"levels\": [\"reviewer\", \"maintainer\"]},"
		"  {\"from\": [\"Experimental\", \"Staging\", \"Production\"], \"to\": \"Archived\", \"levels\": [\"reviewer\", \"maintainer\"]}],"
		" \"gates\": {"
		"  \"offline\": {\"kind\": \"evaluation\", \"evaluation\": \"offline\", \"passed\": true, \"max_age_days\": 90},"
		"  \"fairness\": {\"kind\": \"fairness\", \"max_age_days\": 90},"
		"  \"calibration\": {\"kind\": \"calibration\", \"max_age_days\": 90},"
		"  \"lineage\": {\"kind\": \"lineage_complete\"},"
		"  \"data\": {\"kind\": \"data_quality\"},"
		"  \"artifacts\": {\"kind\": \"artifacts\", \"max_age_days\": 30},"
		"  \"schema\": {\"kind\": \"schema_compatible\"},"
		"  \"signature\": {\"kind\": \"signature\", \"mode\": \"BACKWARD\"},"
		"  \"card\": {\"kind\": \"model_card\", \"sections\": [\"intended_use\", \"limitations\"]}},"
		" \"distinct\": [[\"approver\", \"requester\"], [\"approver\", \"registrant\"],"
		"  [\"approver\", \"evaluator\"], [\"evaluator\", \"registrant\"]],"
		" \"return\": {\"levels\": [\"reviewer\", \"maintainer\"]},"
		" \"emergency\": {\"levels\": [\"maintainer\"]},"
		" \"traffic\": {\"Staging\": [\"shadow\"], \"Production\": [\"shadow\", \"canary\", \"linear\", \"full\"]},"
		" \"retention_days\": {\"Experimental\": 365, \"Archived\": 3650}}"},
	{"open", 1,
		"{\"format\": 1,"
		" \"transitions\": ["
		"  {\"from\": [\"Staging\", \"Production\", \"Archived\"], \"to\": \"Experimental\","
		"   \"levels\": [\"contributor\", \"reviewer\", \"maintainer\"]},"
		"  {\"from\": [\"Experimental\", \"Production\", \"Archived\"], \"to\": \"Staging\","
		"   \"levels\": [\"contributor\", \"reviewer\", \"maintainer\"]},"
		"  {\"from\": [\"Experimental\", \"Staging\", \"Archived\"], \"to\": \"Production\","
		"   \"levels\": [\"contributor\", \"reviewer\", \"maintainer\"]},"
		"  {\"from\": [\"Experimental\", \"Staging\", \"Production\"], \"to\": \"Archived\","
		"   \"levels\": [\"contributor\", \"reviewer\", \"maintainer\"]}],"
		" \"return\": {\"levels\": [\"contributor\", \"reviewer\", \"maintainer\"]},"
		" \"emergency\": {\"levels\": [\"maintainer\"]},"
		" \"several_in_production\": true,"
		" \"traffic\": {\"Experimental\": [\"shadow\"], \"Staging\": [\"shadow\", \"canary\"],"
		"  \"Production\": [\"shadow\", \"canary\", \"linear\", \"full\"]}}"},
	{"standard", 1,
		"{\"format\": 1,"
		" \"transitions\": ["
		"  {\"from\": [\"Experimental\"], \"to\": \"Staging\", \"levels\": [\"contributor\", \"maintainer\"],"
		"   \"automatic\": true, \"gates\": [\"offline\"]},"
		"  {\"from\": [\"Staging\"], \"to\": \"Production\", \"levels\": [\"contributor\", \"reviewer\", \"maintainer\"],"
		"   \"gates\": [\"offline\"], \"approvals\": 1, \"approvers\": [\"reviewer\"]},"
		"  {\"from\": [\"Staging\", \"Production\", \"Archived\"], \"to\": \"Experimental\","
		"   \"levels\": [\"contributor\", \"reviewer\", \"maintainer\"]},"
		"  {\"from\": [\"Experimental\", \"Staging\", \"Production\"], \"to\": \"Archived\","
		"   \"levels\": [\"contributor\", \"reviewer\", \"maintainer\"]}],"
		" \"gates\": {"
		"  \"offline\": {\"kind\": \"evaluation\", \"evaluation\": \"offline\", \"passed\": true, \"max_age_days\": 90}},"
		" \"distinct\": [[\"approver\", \"registrant\"], [\"approver\", \"requester\"]],"
		" \"return\": {\"levels\": [\"contributor\", \"reviewer\", \"maintainer\"]},"
		" \"emergency\": {\"levels\": [\"maintainer\"]},"
		" \"traffic\": {\"Staging\": [\"shadow\", \"canary\"], \"Production\": [\"shadow\", \"canary\", \"linear\", \"full\"]},"
		" \"retention_days\": {\"Experimental\": 180, \"Archived\": 730}}"},
};

/* The latest revision of a tier; NULL for another policy. */
const MrTier *
mr_tier_find(const char *name)
{
	for (int i = 0; i < lengthof(tiers); i++)
		if (strcmp(tiers[i].name, name) == 0)
			return &tiers[i];
	return NULL;
}

/* One tier after the other; NULL begins and ends. */
const MrTier *
mr_tier_next(const MrTier *tier)
{
	tier = tier == NULL ? tiers : tier + 1;
	return tier == tiers + lengthof(tiers) ? NULL : tier;
}

Jsonb *
mr_tier_document(const MrTier *tier)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(tier->document)));
}
