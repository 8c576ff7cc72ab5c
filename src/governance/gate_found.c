/*
 * gate_found.c
 *		The evaluations of a version that a gate asks for, and the bounds of
 *		what they measured.
 *
 * Of each kind, data set and slice the latest evaluation counts, of those that
 * measured the metric if the gate names one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "access/access_tables.h"
#include "base/decimal.h"
#include "base/grow.h"
#include "base/hash.h"
#include "governance/gate_found.h"
#include "governance/gate_texts.h"
#include "governance/person.h"
#include "registry/registry_tables.h"
#include "types/names.h"

char *
mr_gate_number_text(Numeric number)
{
	JsonbValue	value;

	value.type = jbvNumeric;
	value.val.numeric = number;
	return mr_json_canonical_cstring(JsonbValueToJsonb(&value));
}

/* The team that has, or had, a name; 0 for none. */
static int64
team_named(const char *name, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("team_name");
	Datum		key = CStringGetTextDatum(name);
	int64		team = 0;

	if (mr_table_find(table, "team_name_pkey", 1, &key, snapshot))
		team = DatumGetInt64(mr_table_get(table, TEAM_NAME_TEAM_ID, NULL));
	mr_table_close(table);
	return team;
}

MrGateSearch
mr_gate_search_of(const MrGateSubject *subject, const MrGate *gate)
{
	MrGateSearch search = {0};

	search.kind = mr_gate_evaluation_kind(gate);
	search.metric = mr_member_text(gate->definition, "metric");
	search.slice = mr_member_text(gate->definition, "slice");
	if (search.slice == NULL)
		search.slice = "";
	search.dataset = mr_member_text(gate->definition, "dataset");
	if (search.dataset != NULL)
	{
		mr_node_key_parse(search.dataset, NULL, &search.key);
		search.team = team_named(search.key.team, subject->snapshot);
	}
	return search;
}

/* A data set that the gate names without a version may have any. */
static bool
is_dataset(const MrGateSearch *search, int64 id, Snapshot snapshot)
{
	MrNode		node;

	return id != 0 && mr_node_get(id, snapshot, &node) &&
		node.team == search->team &&
		strcmp(node.kind, search->key.kind) == 0 &&
		strcmp(node.name, search->key.name) == 0 &&
		(search->key.version[0] == '\0' || strcmp(node.version, search->key.version) == 0);
}

static bool
is_text(Datum value, const char *word)
{
	text	   *t = DatumGetTextPP(value);

	return VARSIZE_ANY_EXHDR(t) == strlen(word) &&
		memcmp(VARDATA_ANY(t), word, strlen(word)) == 0;
}

/* The value of a metric in the row of the slot. */
static bool
read_metric(MrTable *table, const char *metric, float8 *value)
{
	Datum	   *names;
	Datum	   *values;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(mr_table_get(table, EVALUATION_METRIC_NAMES, NULL)),
					  TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &n);
	deconstruct_array(DatumGetArrayTypeP(mr_table_get(table, EVALUATION_METRIC_VALUES, NULL)),
					  FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &values, NULL, &n);
	for (int i = 0; i < n; i++)
		if (is_text(names[i], metric))
		{
			*value = DatumGetFloat8(values[i]);
			return true;
		}
	return false;
}

/* Does the row in the slot match?  Then fill found. */
static bool
read_evaluation(MrTable *table, const MrGateSearch *search, Snapshot snapshot, MrFound *found)
{
	bool		isnull;
	Datum		datum = mr_table_get(table, EVALUATION_DATASET_ID, &isnull);
	TimestampTz occurred_at;

	memset(found, 0, sizeof(MrFound));
	if (search->dataset != NULL &&
		!is_dataset(search, isnull ? 0 : DatumGetInt64(datum), snapshot))
		return false;
	if (!isnull && (search->dataset == NULL || search->key.version[0] == '\0'))
		found->dataset = DatumGetInt64(datum);
	found->slice = TextDatumGetCString(mr_table_get(table, EVALUATION_SLICE, NULL));
	if (search->slice == NULL ? found->slice[0] == '\0' :
		strcmp(found->slice, search->slice) != 0)
		return false;
	if (search->metric != NULL && !read_metric(table, search->metric, &found->value))
		return false;
	found->id = DatumGetInt64(mr_table_get(table, EVALUATION_ID, NULL));
	datum = mr_table_get(table, EVALUATION_PASSED, &isnull);
	found->passed = !isnull && DatumGetBool(datum);
	found->failed = !isnull && !DatumGetBool(datum);
	found->who = DatumGetJsonbP(mr_table_get(table, EVALUATION_WHO, NULL));
	found->at = DatumGetTimestampTz(mr_table_get(table, EVALUATION_RECORDED_AT, NULL));
	occurred_at = DatumGetTimestampTz(mr_table_get(table, EVALUATION_OCCURRED_AT, &isnull));
	if (!isnull && occurred_at < found->at)
		found->at = occurred_at;
	return true;
}

/*
 * Of each data set and slice the latest stays; what is found is copied from its
 * row.
 */
static void
add_found(MrFoundList *list, const MrFound *found)
{
	for (int i = 0; i < list->n; i++)
		if (list->items[i].dataset == found->dataset &&
			strcmp(list->items[i].slice, found->slice) == 0)
		{
			list->items[i].earlier++;
			return;
		}
	list->items = mr_grow(list->items, list->n, &list->room, sizeof(MrFound));
	list->items[list->n] = *found;
	list->items[list->n].slice = pstrdup(found->slice);
	list->items[list->n].who = DatumGetJsonbPCopy(JsonbPGetDatum(found->who));
	list->n++;
}

/* The latest evaluation of each data set and slice that is searched for. */
MrFoundList
mr_gate_find_evaluations(int64 node, const MrGateSearch *search, Snapshot snapshot)
{
	MrTable    *table = mr_table_open_read("evaluation");
	Datum		keys[2] = {Int64GetDatum(node), CStringGetTextDatum(search->kind)};
	MrScan	   *scan = mr_scan_begin(table, "evaluation_node", 2, keys, snapshot);
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "modelreg evaluation",
												  ALLOCSET_DEFAULT_SIZES);
	MrFoundList	list = {0};
	MrFound		found;

	while (mr_scan_next(scan, true))
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		bool		matches = read_evaluation(table, search, snapshot, &found);

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(old);
		if (matches)
			add_found(&list, &found);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
	mr_scan_end(scan);
	mr_table_close(table);
	return list;
}

/* NULL, or why the policy does not count what this person recorded. */
char *
mr_gate_fault_of_evaluator(const MrGateSubject *subject, Jsonb *who)
{
	return subject->evaluator_differs && mr_same_person(subject->registrant, who) ?
		"recorded by who registered the version" : NULL;
}

/* What of an evaluation makes any gate fail; NULL for nothing. */
char *
mr_gate_fault_of(const MrGateSubject *subject, const MrGate *gate, const MrFound *found)
{
	int			days = mr_member_count(gate->definition, "max_age_days", 0);
	char	   *fault = mr_gate_fault_of_evaluator(subject, found->who);

	if (fault != NULL)
		return fault;
	if (days > 0 && subject->now - found->at > days * USECS_PER_DAY)
		return psprintf("of %s, which is too old", mr_gate_time(found->at));
	return NULL;
}

/* What is searched for, for texts. */
char *
mr_gate_search_text(const MrGateSearch *search)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "evaluation \"%s\"", search->kind);
	if (search->dataset != NULL)
		appendStringInfo(&buf, " on \"%s\"", search->dataset);
	if (search->slice != NULL && search->slice[0] != '\0')
		appendStringInfo(&buf, " of slice \"%s\"", search->slice);
	return buf.data;
}

void
mr_gate_append_age(StringInfo buf, const MrGate *gate)
{
	int			days = mr_member_count(gate->definition, "max_age_days", 0);

	if (days > 0)
		appendStringInfo(buf, ", not older than %d days", days);
}

void
mr_gate_saw_found(MrGateResult *result, const MrFound *found)
{
	mr_gate_saw_evaluation(result, found->id);
	result->earlier += found->earlier;
}

/* A text about an evaluation, and what data set it is of. */
char *
mr_gate_with_dataset(const MrGateSubject *subject, const MrFound *found, char *text, MrGateResult *result)
{
	MrNode		node;
	bool		seen = false;

	if (found == NULL || found->dataset == 0)
		return text;
	if (!mr_node_get(found->dataset, subject->snapshot, &node))
		elog(ERROR, "node " INT64_FORMAT " does not exist", found->dataset);
	for (int i = 0; i < result->nnodes && !seen; i++)
		seen = result->nodes[i] == node.id;
	if (!seen)
		mr_gate_saw_node(result, node.id);
	return psprintf("%s on %s", text, mr_gate_tell_node(subject, &node));
}

static void
check_dataset(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	const char *dataset = mr_member_text(definition, "dataset");
	MrNodeKey	key;
	MrFault		fault;

	if (dataset == NULL)
		return;
	if (!mr_node_key_scan(dataset, &key, &fault))
		mr_mistake(mistakes, "\"dataset\" of %s: %s", where, fault.what);
	else if (strcmp(key.kind, MR_NODE_KIND_VERSION) == 0)
		mr_mistake(mistakes, "\"dataset\" of %s must not be a model version.", where);
}

void
mr_gate_check_search(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	mr_gate_check_evaluation_kind(definition, where, mistakes);
	check_dataset(definition, where, mistakes);
}

void
mr_gate_check_bounds(JsonbContainer *definition, const char *where, StringInfo mistakes)
{
	Numeric		at_least = mr_member_number(definition, "at_least");
	Numeric		at_most = mr_member_number(definition, "at_most");

	if (at_least != NULL && at_most != NULL && mr_decimal_compare(at_least, at_most) > 0)
		mr_mistake(mistakes, "no value is within the bounds of %s.", where);
}

/* Is the value within the bounds?  Adds them to what is required. */
bool
mr_gate_within_bounds(JsonbContainer *definition, Numeric value, StringInfo required)
{
	Numeric		at_least = mr_member_number(definition, "at_least");
	Numeric		at_most = mr_member_number(definition, "at_most");

	if (at_least != NULL)
		appendStringInfo(required, " at least %s", mr_gate_number_text(at_least));
	if (at_most != NULL)
		appendStringInfo(required, "%s at most %s", at_least ? " and" : "", mr_gate_number_text(at_most));
	return value != NULL && (at_least == NULL || mr_decimal_compare(value, at_least) >= 0) &&
		(at_most == NULL || mr_decimal_compare(value, at_most) <= 0);
}
