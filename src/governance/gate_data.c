/*
 * gate_data.c
 *		Gates that look at what the version was trained on: its quality, and
 *		its schema against that of the data behind Production.
 *
 * All nodes upstream in role training count, those behind base models too, of
 * whatever team.  Texts name nodes and columns of the model's own team alone;
 * of others they say how many.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/grow.h"
#include "governance/gate.h"
#include "governance/gate_texts.h"
#include "governance/gate_upstream.h"
#include "governance/person.h"
#include "lineage/lineage.h"
#include "registry/compatibility.h"
#include "registry/registry_tables.h"
#include "registry/stored_json.h"
#include "types/names.h"
#include "types/parse.h"

/* "data_quality" */

static const MrMember quality_members[] = {
	{"evaluation", MR_MEMBER_TEXT, false},
	{"max_age_days", MR_MEMBER_COUNT, false},
	{NULL}
};

/* What became of the data that a version was trained on. */
typedef enum Quality
{
	PASSED, NOT_EVALUATED, NOT_PASSED, TOO_OLD, BY_REGISTRANT, QUALITIES
} Quality;

/* Data sets that a node was evaluated on; 0 for none. */
typedef struct Datasets
{
	int64	   *ids;
	int			n;
	int64		room;
} Datasets;

static const char *const quality_texts[QUALITIES] = {
	"passed", "without an evaluation", "did not pass", "evaluated too long ago",
	"evaluated by who registered the version"
};

/* The evaluation in the slot. */
static Quality
judge_evaluation(const MrGateSubject *subject, const MrGate *gate, MrTable *table)
{
	int			days = mr_member_count(gate->definition, "max_age_days", 0);
	bool		isnull;
	TimestampTz at = DatumGetTimestampTz(mr_table_get(table, EVALUATION_RECORDED_AT, NULL));
	Datum		occurred_at = mr_table_get(table, EVALUATION_OCCURRED_AT, &isnull);
	Datum		passed;

	if (!isnull)
		at = Min(at, DatumGetTimestampTz(occurred_at));
	passed = mr_table_get(table, EVALUATION_PASSED, &isnull);
	if (isnull || !DatumGetBool(passed))
		return NOT_PASSED;
	if (days > 0 && subject->now - at > days * USECS_PER_DAY)
		return TOO_OLD;
	if (subject->evaluator_differs &&
		mr_same_person(subject->registrant,
					   DatumGetJsonbP(mr_table_get(table, EVALUATION_WHO, NULL))))
		return BY_REGISTRANT;
	return PASSED;
}

/* Is the data set that a node was evaluated on new among those seen? */
static bool
is_new(Datasets *seen, int64 dataset)
{
	for (int i = 0; i < seen->n; i++)
		if (seen->ids[i] == dataset)
			return false;
	seen->ids = mr_grow(seen->ids, seen->n, &seen->room, sizeof(int64));
	seen->ids[seen->n++] = dataset;
	return true;
}

/* Of each data set the latest evaluation of all of a node counts. */
static Quality
judge_node(const MrGateSubject *subject, const MrGate *gate, int64 node,
		   MrGateResult *result)
{
	MrTable    *table = mr_table_open_read("evaluation");
	Datum		keys[2] = {Int64GetDatum(node), CStringGetTextDatum(mr_gate_evaluation_kind(gate))};
	MrScan	   *scan = mr_scan_begin(table, "evaluation_node", 2, keys, subject->snapshot);
	Quality		quality = NOT_EVALUATED;
	Datasets	seen = {0};

	while (mr_scan_next(scan, true))
	{
		text	   *slice = DatumGetTextPP(mr_table_get(table, EVALUATION_SLICE, NULL));
		bool		isnull;
		Datum		dataset = mr_table_get(table, EVALUATION_DATASET_ID, &isnull);

		CHECK_FOR_INTERRUPTS();
		if (VARSIZE_ANY_EXHDR(slice) != 0)
			continue;
		if (!is_new(&seen, isnull ? 0 : DatumGetInt64(dataset)))
		{
			result->earlier++;
			continue;
		}
		if (quality == NOT_EVALUATED || quality == PASSED)
			quality = judge_evaluation(subject, gate, table);
		mr_gate_saw_evaluation(result, DatumGetInt64(mr_table_get(table, EVALUATION_ID, NULL)));
	}
	mr_scan_end(scan);
	mr_table_close(table);
	return quality;
}

/* What a version was trained on, by what became of it. */
typedef struct Judged
{
	int64		counts[QUALITIES];
	MrGateTexts names[QUALITIES];	/* of data of the model's team */
} Judged;

static void
note_quality(const MrGateSubject *subject, int64 id, Quality quality, Judged *judged,
			 MrGateResult *result)
{
	MrNode		node;

	judged->counts[quality]++;
	if (quality == PASSED)
		return;
	mr_gate_saw_node(result, id);
	if (mr_node_get(id, subject->snapshot, &node) && node.team == subject->model->team.id)
		mr_gate_texts_add(&judged->names[quality], mr_gate_tell_node(subject, &node));
}

static char *
tell_quality(const Judged *judged, int64 n)
{
	StringInfoData buf;
	const char *separator = ": ";

	if (n == 0)
		return "no training data is known";
	initStringInfo(&buf);
	appendStringInfo(&buf, INT64_FORMAT " in role training", n);
	for (int i = 0; i < QUALITIES; i++)
	{
		if (judged->counts[i] == 0)
			continue;
		appendStringInfo(&buf, "%s" INT64_FORMAT " %s", separator, judged->counts[i], quality_texts[i]);
		if (judged->names[i].n > 0)
			appendStringInfo(&buf, " (%s)", mr_gate_texts_join(&judged->names[i]));
		separator = ", ";
	}
	return buf.data;
}

static void
test_quality(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	const MrNodeIds *data = mr_gate_training(subject);
	int			days = mr_member_count(gate->definition, "max_age_days", 0);
	Judged		judged;

	memset(&judged, 0, sizeof(judged));
	for (int64 i = 0; i < data->n; i++)
		note_quality(subject, data->ids[i], judge_node(subject, gate, data->ids[i], result),
					 &judged, result);
	result->required = psprintf("evaluation \"%s\" passed for all training data%s",
								mr_gate_evaluation_kind(gate),
								days > 0 ? psprintf(", not older than %d days", days) : "");
	result->holds = data->n > 0 && judged.counts[PASSED] == data->n;
	result->observed = tell_quality(&judged, data->n);
	if (data->too_many)
		mr_gate_saw_too_many(result);
}

const MrGateKind mr_gate_data_quality = {
	.name = "data_quality",.members = quality_members,.check = mr_gate_check_evaluation_kind,
	.test = test_quality,.evaluation = "data_quality"
};

/* "schema_compatible" */

static const MrMember schema_members[] = {
	{"mode", MR_MEMBER_TEXT, false},
	{NULL}
};

/* Training data of a version, by team, kind, name and id. */
typedef struct Data
{
	MrNode	   *nodes;
	int64		n;
	bool		too_many;		/* to be looked at; there are none then */
} Data;

typedef struct SchemaTest
{
	const MrGateSubject *subject;
	MrCompatibility mode;
	MrGateResult *result;
	MrGateTexts faults;
	int64		ncompared;
	const char *what;			/* that is compared now */
	bool		is_own;			/* it is the model's team's */
	bool		differs;
} SchemaTest;

/* By what another version of a node has too. */
static int
compare_names(const MrNode *a, const MrNode *b)
{
	int			order = (a->team > b->team) - (a->team < b->team);

	if (order == 0)
		order = strcmp(a->kind, b->kind);
	return order != 0 ? order : strcmp(a->name, b->name);
}

static int
compare_data(const void *a, const void *b)
{
	const MrNode *x = a;
	const MrNode *y = b;
	int			order = compare_names(x, y);

	return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

/* What supersedes a node says what was wrong with it. */
static Data
read_data(const MrNodeIds *ids, Snapshot snapshot)
{
	Data		data = {palloc(Max(ids->n, 1) * sizeof(MrNode)), 0, ids->too_many};

	for (int64 i = 0; i < ids->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (mr_node_is_superseded_in(ids->ids[i], ids, snapshot))
			continue;
		if (!mr_node_get(ids->ids[i], snapshot, &data.nodes[data.n++]))
			elog(ERROR, "node " INT64_FORMAT " does not exist", ids->ids[i]);
	}
	if (data.n > 0)
		qsort(data.nodes, data.n, sizeof(MrNode), compare_data);
	return data;
}

static bool
is_own(const SchemaTest *test, const MrNode *node)
{
	return node->team == test->subject->model->team.id;
}

/* What others may be told of a node. */
static char *
describe(const SchemaTest *test, const MrNode *node)
{
	return mr_gate_tell_node(test->subject, node);
}

static void
add_fault(SchemaTest *test, const MrNode *node, const char *fault)
{
	mr_gate_texts_add(&test->faults, psprintf("%s %s", describe(test, node), fault));
	mr_gate_saw_node(test->result, node->id);
}

static void
note_incompatibility(const char *side, const char *item, const char *detail, void *arg)
{
	SchemaTest *test = arg;

	char	   *text;

	test->differs = true;
	if (!test->is_own)
		return;
	text = item == NULL ? psprintf("%s: %s", test->what, detail) :
		psprintf("%s: \"%s\" %s", test->what, item, detail);
	mr_gate_texts_add(&test->faults, text);
	pfree(text);
}

/* What is missing on either side fails. */
static void
compare_schemas(SchemaTest *test, const MrNode *old_node, const MrNode *new_node)
{
	MrStoredJson old_schema = mr_stored_schema(old_node->id, test->subject->snapshot);
	MrStoredJson new_schema = mr_stored_schema(new_node->id, test->subject->snapshot);

	test->ncompared++;
	if (new_schema.json == NULL)
		return;					/* it is told already */
	if (old_schema.json == NULL)
	{
		add_fault(test, old_node, "behind Production has no schema");
		return;
	}
	test->what = describe(test, new_node);
	test->is_own = is_own(test, old_node) && is_own(test, new_node);
	test->differs = false;
	mr_schema_compare(old_schema.json, new_schema.json, test->mode,
					  note_incompatibility, test);
	pfree(old_schema.json);
	pfree(new_schema.json);
	if (!test->differs)
		return;
	mr_gate_saw_node(test->result, old_node->id);
	mr_gate_saw_node(test->result, new_node->id);
	if (!test->is_own)
		mr_gate_texts_add(&test->faults, psprintf("%s is not compatible", test->what));
}

/* Where the nodes of one name end. */
static int64
end_of_name(const Data *data, int64 from)
{
	int64		end = from + 1;

	while (end < data->n && compare_names(&data->nodes[end], &data->nodes[from]) == 0)
		end++;
	return end;
}

/* Each new one against the latest old one, unless it is there itself. */
static void
compare_group(SchemaTest *test, const MrNode *before, int64 nbefore,
			  const MrNode *after, int64 nafter)
{
	for (int64 i = 0; i < nafter; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (bsearch(&after[i], before, nbefore, sizeof(MrNode), compare_data) != NULL)
			test->ncompared++;
		else
			compare_schemas(test, &before[nbefore - 1], &after[i]);
	}
}

/*
 * Data by its name; where one name went and one came, these are compared.
 * Returns how many new ones have nothing to be compared with.
 */
static int64
compare_all(SchemaTest *test, const Data *before, const Data *after)
{
	MrNode	   *gone = NULL;
	MrNode	   *come = NULL;
	int64		ngone = 0;
	int64		ncome = 0;
	int64		i = 0;
	int64		j = 0;

	while (i < before->n || j < after->n)
	{
		int			order = i == before->n ? 1 : j == after->n ? -1 :
			compare_names(&before->nodes[i], &after->nodes[j]);
		int64		i_end = order <= 0 ? end_of_name(before, i) : i;
		int64		j_end = order >= 0 ? end_of_name(after, j) : j;

		if (order == 0)
			compare_group(test, &before->nodes[i], i_end - i, &after->nodes[j], j_end - j);
		else if (order < 0)
			gone = &before->nodes[i_end - 1];
		else
			come = &after->nodes[j];
		ngone += order < 0;
		ncome += order > 0 ? j_end - j : 0;
		i = i_end;
		j = j_end;
	}
	if (ngone != 1 || ncome != 1)
		return ncome;
	compare_schemas(test, gone, come);
	return 0;
}

static void
require_schemas(SchemaTest *test, const Data *data)
{
	for (int64 i = 0; i < data->n; i++)
	{
		MrStoredJson schema = mr_stored_schema(data->nodes[i].id, test->subject->snapshot);

		CHECK_FOR_INTERRUPTS();
		if (schema.json == NULL)
			add_fault(test, &data->nodes[i],
					  schema.redacted ? "has a redacted schema" : "has no schema");
		else
			pfree(schema.json);
	}
	if (data->n == 0)
		mr_gate_texts_add(&test->faults, "no training data is known");
}

static char *
tell_schemas(SchemaTest *test, const Data *after, int64 alone)
{
	if (test->faults.n > 0)
		return mr_gate_texts_join(&test->faults);
	if (test->subject->current == 0)
		return psprintf(INT64_FORMAT " with a schema, and no other version in Production", after->n);
	return psprintf(INT64_FORMAT " compatible with %s%s", test->ncompared,
					mr_gate_compared(test->subject),
					alone == 0 ? "" : psprintf(", " INT64_FORMAT " with nothing to compare with", alone));
}

static void
test_schema(const MrGateSubject *subject, const MrGate *gate, MrGateResult *result)
{
	char	   *mode = mr_member_text(gate->definition, "mode");
	SchemaTest	test = {.subject = subject,.result = result};
	Data		after = read_data(mr_gate_training(subject), subject->snapshot);
	Data		before = {0};
	int64		alone = 0;

	if (mode == NULL)
		mode = "FORWARD";
	test.mode = mr_compatibility_parse(mode);
	require_schemas(&test, &after);
	if (subject->current != 0)
	{
		MrNodeIds	ids = mr_training_nodes(subject->current_node, subject->snapshot);

		before = read_data(&ids, subject->snapshot);
		alone = compare_all(&test, &before, &after);
		if (test.ncompared == 0 && test.faults.n == 0)
			mr_gate_texts_add(&test.faults, "nothing behind Production can be compared with it");
	}
	result->holds = test.faults.n == 0;
	result->required = psprintf("schemas of training data compatible with those behind Production, mode %s", mode);
	result->observed = tell_schemas(&test, &after, alone);
	if (before.too_many || after.too_many)
		mr_gate_saw_too_many(result);
}

const MrGateKind mr_gate_schema_compatible = {
	.name = "schema_compatible",.members = schema_members,.check = mr_gate_check_mode,
	.test = test_schema
};
