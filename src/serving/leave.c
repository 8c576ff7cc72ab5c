/*
 * leave.c
 *		Archiving what was leaving, once no endpoint serves it any more.
 *
 * Whoever changes what an endpoint serves marks the models of what it served,
 * and whoever decides about a model of which something is leaving marks that.
 * Before the commit what was leaving and serves nowhere is archived, by a
 * decision of its own.  Nothing is waited for: if somebody else decides about
 * the model, or lets versions of it into a split, at that moment, it is left to
 * him, or else to the next who does.  So giving traffic back never waits.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "audit/marks.h"
#include "base/grow.h"
#include "base/hooks.h"
#include "base/lock.h"
#include "governance/leaving.h"
#include "governance/transition.h"
#include "serving/leave.h"

#define REASON "no endpoint serves it any more"

/* Models, each once. */
typedef struct Models
{
	int64	   *ids;
	int			n;
	int64		room;
} Models;

static void
add_model(Models *models, int64 id)
{
	for (int i = 0; i < models->n; i++)
		if (models->ids[i] == id)
			return;
	models->ids = mr_grow(models->ids, models->n, &models->room, sizeof(int64));
	models->ids[models->n++] = id;
}

static void
add_step(Models *models, const MrStep *step)
{
	for (int i = 0; i < step->segments.n; i++)
		add_model(models, step->segments.segments[i].arm.model);
	for (int i = 0; i < step->nshadow; i++)
		add_model(models, step->shadow[i].model);
}

/* Of the models of all that a schedule served, or was to serve, some may have left. */
void
mr_leave_mark(const MrVerb *verb, const MrSchedule *before)
{
	MrMark		mark = {.team = before->team,.who = verb->who};
	Models		models = {0};

	for (int i = 0; i < before->nsteps; i++)
		add_step(&models, &before->steps[i]);
	for (int i = 0; i < before->nwaiting; i++)
		add_step(&models, &before->waiting[i]);
	for (int i = 0; i < models.n; i++)
	{
		mark.model = models.ids[i];
		mr_mark(MR_MARK_LEAVING, &mark);
	}
}

/* Is any version of the model leaving that serves nowhere? */
static bool
has_left(const MrModel *model)
{
	int			n;
	int32	   *leaving = mr_leaving_of(model->id, &n);

	for (int i = 0; i < n; i++)
		if (mr_traffic_refused(model, leaving[i], MR_STAGE_ARCHIVED, false) == NULL)
			return true;
	return false;
}

/* Archive what has left, if nobody else is at the model. */
static void
archive_left(MrVerb *verb, MrModel *model)
{
	MrTransition *transition = mr_transition_try_begin(verb, model, REASON);

	if (transition == NULL)
		return;
	if (mr_lock_key_try(MR_LOCK_TRAFFIC, &model->id, sizeof(int64)) && has_left(model))
		mr_transition_commit(transition, "stage_changed");
	else
		mr_transition_abandon(transition);
}

static void
look_at_model(const MrMark *mark)
{
	MrVerb		verb = {.name = "archiving what has left",.who = mark->who};
	MemoryContext context = CurrentMemoryContext;
	MrModel		model;

	verb.team.id = mark->team;
	verb.team.name = "";
	mr_owner_begin(&verb.scope);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	MemoryContextSwitchTo(context);
	if (mr_model_by_id(&verb.team, mark->model, NULL, &model) && has_left(&model))
		archive_left(&verb, &model);
	SPI_finish();
	MemoryContextSwitchTo(context);
	mr_owner_end(&verb.scope);
}

static int
compare_marks(const void *a, const void *b)
{
	int64		x = ((const MrMark *) a)->model;
	int64		y = ((const MrMark *) b)->model;

	return (x > y) - (x < y);
}

/* A decision marks its model again, and so moves the marks. */
static void
look_at_models(const MrMark *marks, int64 n)
{
	MrMark	   *sorted = palloc_extended(n * sizeof(MrMark), MCXT_ALLOC_HUGE);

	memcpy(sorted, marks, n * sizeof(MrMark));
	qsort(sorted, n, sizeof(MrMark), compare_marks);
	for (int64 i = 0; i < n; i++)
		if (i == 0 || sorted[i].model != sorted[i - 1].model)
			look_at_model(&sorted[i]);
	pfree(sorted);
}

void
mr_leave_init(void)
{
	mr_marks_run_by(MR_MARK_LEAVING, look_at_models);
}
