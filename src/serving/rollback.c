/*
 * rollback.c
 *		The verb rollback: back to what an endpoint, or each of several,
 *		served before, in one transaction.
 *
 * It goes to the newest earlier split that stood outside any rollout and each
 * of whose versions may have its share now.  Those that were archived since
 * return to Production; for that the decisions of their models are locked,
 * which has to come before the endpoints.  So targets are found first without
 * any lock, then all is locked in order and looked for once more.  If what is
 * found then needs a model that is not locked, that is 40001.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/grow.h"
#include "base/hash.h"
#include "governance/promotion.h"
#include "governance/transition.h"
#include "serving/earlier.h"
#include "serving/endpoint.h"
#include "serving/named_arm.h"
#include "serving/permit.h"
#include "types/names.h"

PG_FUNCTION_INFO_V1(modelreg_rollback);

/* An earlier split that may not come back. */
typedef struct Skipped
{
	int64		seq;			/* of its schedule */
	MrSplit		split;
	char	   *why;
} Skipped;

/* An endpoint and where it goes. */
typedef struct Way
{
	MrEndpoint	endpoint;
	char	   *expected;		/* etag, or NULL */
	MrHead	   *head;			/* once it is locked */
	const MrSchedule *present;
	TimestampTz at;
	bool		done;			/* the traffic went back already */
	int64		restored;		/* schedule whose last split comes back; 0: there is none */
	MrSplit		split;
	MrNeeds		needs;
	Skipped    *skipped;
	int			nskipped;
	int64		room;
	int64		number;			/* of the event */
} Way;

/* One call: its ways by the ids of their endpoints. */
typedef struct Rollback
{
	MrVerb		verb;
	Way		   *ways;
	int			n;
	bool		further;
	char	   *reason;
	MrModel    *models;			/* whose decisions are locked, by id */
	MrTransition **transitions;
	int			nmodels;
} Rollback;

static void
skip(Way *way, const MrSchedule *schedule, const MrSplit *split, char *why)
{
	way->skipped = mr_grow(way->skipped, way->nskipped, &way->room, sizeof(Skipped));
	way->skipped[way->nskipped++] = (Skipped) {schedule->seq, *split, why};
}

/* A way that is looked for, with the rights of who does. */
typedef struct Search
{
	Way		   *way;
	MrRights	rights;
} Search;

/* May what stood at the end of a schedule come back?  If not, that is noted. */
static bool
try_split(const MrSchedule *schedule, const MrSplit *split, void *arg)
{
	const Search *search = arg;
	Way		   *way = search->way;
	MrNeeds		needs = mr_needs_of_split(split);
	char	   *why = mr_permit_return_refusal(&needs, search->rights, NULL);

	if (why != NULL)
	{
		skip(way, schedule, split, why);
		return false;
	}
	way->restored = schedule->seq;
	way->split = *split;
	way->needs = needs;
	return true;
}

/*
 * Does what stands, and may stand, come from going back already, by a
 * rollback, also of the model that is followed, or by an abort?  Then two people
 * in an incident go back once.
 */
static bool
came_back(const MrSchedule *present, TimestampTz at)
{
	MrSplit		stands;
	MrNeeds		needs;

	if (!mr_schedule_went_back(present) && strcmp(present->kind, "rollout_aborted") != 0)
		return false;
	stands = mr_schedule_present_split(present, at);
	needs = mr_needs_of_split(&stands);
	return mr_permit_quarantine(&needs, NULL) == NULL;
}

/* Where the endpoint goes, as all that is committed now has it. */
static void
find_way(const Rollback *call, Way *way)
{
	Search		search = {way, call->verb.team.rights};

	way->present = mr_endpoint_schedule(&way->endpoint, NULL);
	way->restored = way->nskipped = 0;
	way->done = !call->further && came_back(way->present, way->at);
	if (!way->done)
		mr_each_earlier_split(way->present, way->at, try_split, &search);
}

static void
find_ways(Rollback *call)
{
	for (int i = 0; i < call->n; i++)
	{
		Way		   *way = &call->ways[i];

		way->at = way->head == NULL ? GetCurrentTimestamp() : mr_event_time(way->head);
		find_way(call, way);
	}
}

/* Models of arms that are archived, each once, by id. */
static int64 *
models_to_lock(const Rollback *call, int *n)
{
	int64	   *ids = NULL;
	int64		room = 0;

	*n = 0;
	for (int i = 0; i < call->n; i++)
		for (int k = 0; k < call->ways[i].needs.n && call->ways[i].restored != 0; k++)
			if (mr_permit_is_archived(&call->ways[i].needs.needs[k].arm, NULL))
			{
				ids = mr_grow(ids, *n, &room, sizeof(int64));
				ids[(*n)++] = call->ways[i].needs.needs[k].arm.model;
			}
	if (*n > 1)
		qsort(ids, *n, sizeof(int64), mr_id_compare);
	return ids;
}

static void
lock_models(Rollback *call)
{
	int			n;
	int64	   *ids = models_to_lock(call, &n);

	call->models = palloc(Max(n, 1) * sizeof(MrModel));
	call->transitions = palloc(Max(n, 1) * sizeof(MrTransition *));
	for (int i = 0; i < n; i++)
	{
		MrModel    *model = &call->models[call->nmodels];

		if (i > 0 && ids[i] == ids[i - 1])
			continue;
		*model = mr_model_get(ids[i], NULL);
		model->team = call->verb.team;
		call->transitions[call->nmodels++] =
			mr_transition_begin(&call->verb, model, call->reason);
	}
}

static void
lock_endpoints(Rollback *call)
{
	for (int i = 0; i < call->n; i++)
		call->ways[i].head = mr_endpoint_lock_expected(&call->ways[i].endpoint,
													   call->ways[i].expected);
}

static MrTransition *
transition_of(Rollback *call, int64 model)
{
	for (int i = 0; i < call->nmodels; i++)
		if (call->models[i].id == model)
			return call->transitions[i];
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("what the endpoint goes back to was archived meanwhile"),
			 errhint("Repeat the transaction."),
			 mr_reason("concurrent_update")));
	return NULL;				/* keep compiler quiet */
}

/* What was archived and comes back returns to Production. */
static void
return_arms(Rollback *call)
{
	for (int i = 0; i < call->n; i++)
		for (int k = 0; k < call->ways[i].needs.n && call->ways[i].restored != 0; k++)
		{
			const MrArm *arm = &call->ways[i].needs.needs[k].arm;

			if (mr_permit_is_archived(arm, NULL))
				mr_transition_return(transition_of(call, arm->model), arm->version);
		}
	for (int i = 0; i < call->nmodels; i++)
		if (call->transitions[i]->nmoves > 0)
			mr_transition_commit(call->transitions[i], "rolled_back");
		else
			mr_transition_abandon(call->transitions[i]);
}

static char *
list_skipped(const Way *way)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < way->nskipped; i++)
		appendStringInfo(&text, "%s" INT64_FORMAT " %s: %s", i == 0 ? "" : "\n", way->skipped[i].seq,
						 mr_split_text(&way->skipped[i].split, &way->endpoint, NULL),
						 way->skipped[i].why);
	return text.data;
}

static void
raise_no_way(const Way *way)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("endpoint \"%s\" has no earlier split to go back to",
					mr_endpoint_address(&way->endpoint)),
			 way->nskipped == 0 ? 0 : errdetail_internal("%s", list_skipped(way)),
			 errhint("Start a rollout to a split that may serve, with modelreg.start_rollout()."),
			 mr_reason("no_earlier_split")));
}

/* Tell whose splits were passed over, by their schedules' numbers. */
static void
add_skipped(MrJson *what, const Way *way)
{
	int64	   *numbers = palloc(way->nskipped * sizeof(int64));

	for (int i = 0; i < way->nskipped; i++)
		numbers[i] = way->skipped[i].seq;
	mr_json_add_ints(what, "skipped", numbers, way->nskipped);
}

/* The traffic is back; what is promoted next is not to take it away again. */
static void
only_stop_following(Rollback *call, Way *way)
{
	MrJson		what;

	if (!way->endpoint.follows)
	{
		mr_head_release(way->head);
		return;
	}
	mr_json_begin(&what);
	mr_endpoint_stop_following(way->head, &what);
	way->number = mr_endpoint_change(way->head, &call->verb, "unfollowed", NULL, &what,
									 call->reason);
}

static void
go_back(Rollback *call, Way *way)
{
	MrSchedule *schedule;
	MrJson		what;

	if (way->done)
	{
		only_stop_following(call, way);
		return;
	}
	schedule = mr_schedule_move(way->present, &way->split, way->at);
	schedule->restored = way->restored;
	mr_json_begin(&what);
	mr_json_add_int(&what, "restored", way->restored);
	if (way->nskipped > 0)
		add_skipped(&what, way);
	mr_endpoint_stop_following(way->head, &what);
	way->number = mr_endpoint_change(way->head, &call->verb, "rolled_back", schedule, &what,
									 call->reason);
	mr_permit_mark(&way->needs);
}

static void
run(Rollback *call)
{
	find_ways(call);
	lock_models(call);
	lock_endpoints(call);
	find_ways(call);
	for (int i = 0; i < call->n; i++)
		if (!call->ways[i].done && call->ways[i].restored == 0)
			raise_no_way(&call->ways[i]);
	for (int i = 0; i < call->n; i++)
		go_back(call, &call->ways[i]);
	/* later, so that what serves from now on is known to serve */
	return_arms(call);
}

static Jsonb *
describe_skipped(const Way *way, const Skipped *skipped)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_int(&json, "number", skipped->seq);
	mr_json_add_text(&json, "split", mr_split_text(&skipped->split, &way->endpoint, NULL));
	mr_json_add_text(&json, "why", skipped->why);
	return mr_json_end(&json);
}

/* What a caller is told; the number is null where nothing was to do. */
static Jsonb *
describe_way(const Way *way)
{
	const MrSplit split = way->done ? mr_schedule_present_split(way->present, way->at) : way->split;
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "endpoint", mr_endpoint_address(&way->endpoint));
	mr_json_add_id(&json, "number", way->number);
	mr_json_add_id(&json, "restored", way->done ? way->present->restored : way->restored);
	mr_json_add_text(&json, "split", mr_split_text(&split, &way->endpoint, NULL));
	mr_json_begin_array(&json, "skipped");
	for (int i = 0; i < way->nskipped; i++)
		mr_json_add_element(&json, describe_skipped(way, &way->skipped[i]));
	mr_json_end_array(&json);
	return mr_json_end(&json);
}

/* End the call, with a result that is kept under the request id as a text. */
static Datum
end(Rollback *call, Jsonb *result)
{
	char	   *text = result == NULL ? NULL : mr_json_canonical_cstring(result);

	text = mr_verb_end_text(&call->verb, "result", text);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
}

static int
compare_ways(const void *a, const void *b)
{
	int64		x = ((const Way *) a)->endpoint.id;
	int64		y = ((const Way *) b)->endpoint.id;

	return (x > y) - (x < y);
}

static void
raise_endpoints(const char *message)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message),
			 mr_reason("invalid_argument")));
}

/* The names, which are all of one team. */
static char **
names_arg(FunctionCallInfo fcinfo, int *n, char **team)
{
	Datum	   *elements;
	bool	   *nulls;
	char	  **names;

	mr_arg_require(fcinfo, 0, "endpoints");
	deconstruct_array(mr_arg_array(fcinfo, 0, "endpoints"), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, n);
	if (*n == 0)
		raise_endpoints("no endpoint is named");
	names = palloc(*n * sizeof(char *));
	for (int i = 0; i < *n; i++)
	{
		char	   *team_name;
		char	   *name;

		if (nulls[i])
			raise_endpoints("the name of an endpoint is null");
		names[i] = TextDatumGetCString(elements[i]);
		mr_split_qualified_name(names[i], &team_name, &name, NULL);
		if (i > 0 && strcmp(team_name, *team) != 0)
			raise_endpoints("endpoints that go back together are of one team");
		*team = team_name;
	}
	return names;
}

/* An endpoint that is named twice has one etag. */
static void
merge_ways(Way *way, const Way *again)
{
	if (way->expected == NULL)
		way->expected = again->expected;
	else if (again->expected != NULL && strcmp(way->expected, again->expected) != 0)
		raise_endpoints("an endpoint is named twice, and another etag is expected each time");
}

/* The endpoints by id, each once. */
static void
find_endpoints(Rollback *call, char **names, int n, const MrColumn *expected)
{
	call->ways = palloc0(n * sizeof(Way));
	for (int i = 0; i < n; i++)
	{
		call->ways[i].endpoint = mr_endpoint_find_in_verb(&call->verb, names[i],
														  strchr(names[i], '.') + 1);
		if (expected->n > 0 && !expected->nulls[i])
			call->ways[i].expected = TextDatumGetCString(expected->values[i]);
	}
	qsort(call->ways, n, sizeof(Way), compare_ways);
	for (int i = 0; i < n; i++)
		if (i == 0 || call->ways[i].endpoint.id != call->ways[call->n - 1].endpoint.id)
			call->ways[call->n++] = call->ways[i];
		else
			merge_ways(&call->ways[call->n - 1], &call->ways[i]);
}

static Jsonb *
describe_ways(const Rollback *call)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < call->n; i++)
	{
		JsonbValue	value;

		JsonbToJsonbValue(describe_way(&call->ways[i]), &value);
		pushJsonbValue(&state, WJB_ELEM, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/*
 * modelreg.rollback(endpoint text, reason text, further boolean, expected text,
 *		request_id text) returns jsonb: endpoint, number of the event (null when
 *		nothing was to do), restored (the schedule whose last split is back; null
 *		after an abort), split, and what was skipped, with why.
 *
 * Errors: 42704, 42501, 22023 for an empty reason, 55000 when there is nothing
 * to go back to or another schedule holds than was expected, 40001.
 */
static Datum
roll_back_one(FunctionCallInfo fcinfo)
{
	Rollback	call = {.reason = mr_reason_arg(fcinfo, 1),.n = 1};
	Way			way = {0};
	Jsonb	   *result = NULL;

	call.further = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	way.expected = mr_arg_text_or_null(fcinfo, 3);
	call.ways = &way;
	if (mr_endpoint_verb_begin(&call.verb, fcinfo, "rollback", MR_MAINTAINER, 4, &way.endpoint))
	{
		run(&call);
		result = describe_way(&way);
	}
	PG_RETURN_DATUM(end(&call, result));
}

/*
 * modelreg.rollback(endpoints text[], reason text, further boolean, expected
 *		text[], request_id text) returns jsonb, an array of what each tells, by
 *		the endpoints' ids.
 *
 * All of them or none; errors as for one, and 2202E for etags that are not as
 * many as the endpoints.
 */
static Datum
roll_back_all(FunctionCallInfo fcinfo)
{
	Rollback	call = {.reason = mr_reason_arg(fcinfo, 1)};
	Jsonb	   *result = NULL;
	char	   *team_name = NULL;
	int			n;
	char	  **names = names_arg(fcinfo, &n, &team_name);
	MrTeam		team = mr_require_team(team_name, MR_MAINTAINER);
	MrColumn	expected = {0};

	mr_arg_column(fcinfo, 3, "expected", TEXTOID, n, "endpoints", &expected);
	call.further = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	mr_verb_begin(&call.verb, fcinfo, "rollback", &team, 4);
	if (!mr_verb_repeats(&call.verb))
	{
		find_endpoints(&call, names, n, &expected);
		run(&call);
		result = describe_ways(&call);
	}
	PG_RETURN_DATUM(end(&call, result));
}

/* Both have one symbol, as each function has that of its name. */
Datum
modelreg_rollback(PG_FUNCTION_ARGS)
{
	Oid		   *types;
	int			n;

	(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &n);
	return types[0] == TEXTOID ? roll_back_one(fcinfo) : roll_back_all(fcinfo);
}
