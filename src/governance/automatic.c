/*
 * automatic.c
 *		Promotion by the policy alone, at the end of a transaction that
 *		registered a version, or wrote something about it that a gate looks at.
 *
 * Whoever does marks the version, which costs nothing where the policy moves
 * nothing by itself, or by no gate that looks at that.  Before the commit each
 * model's decisions are locked, in the order of their ids, and what the policy
 * moves by itself is moved if its gates hold: of two transactions that each
 * bring a part of what is asked the second sees both.  Who called is in the
 * event, and that the policy did it.
 *
 * What is written about a node that versions derive from marks none of them:
 * they may be many thousands, of teams in which the caller may do nothing, and
 * he would wait for whoever decides about any of their models.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "artifact/artifact.h"
#include "audit/marks.h"
#include "base/hash.h"
#include "base/hooks.h"
#include "base/snapshot.h"
#include "governance/automatic.h"
#include "governance/promotion.h"
#include "registry/registry_tables.h"

/* The revision that was looked at last, since a backend works on few. */
static struct
{
	bool		known;
	uint8		digest[MR_HASH_LEN];
	uint32		news;
}			last_policy;

static uint32
news_of_way(const MrPolicy *policy, const MrPolicyTransition *way)
{
	uint32		news = MR_NEWS_REGISTERED | MR_NEWS_EVALUATION;

	for (int i = 0; i < way->ngates; i++)
		news |= policy->gates[way->gates[i]].kind->news;
	return news;
}

/*
 * After which news of a version may the model's policy move it by itself?  An
 * evaluation is a second chance for what the first try refused.
 */
static uint32
news_that_move(const MrModel *model)
{
	const char *digest = VARDATA_ANY(model->policy_digest);

	if (!last_policy.known || memcmp(last_policy.digest, digest, MR_HASH_LEN) != 0)
	{
		const MrPolicy *policy = mr_policy_of(model, NULL);

		last_policy.known = false;
		last_policy.news = 0;
		for (int i = 0; i < policy->ntransitions; i++)
			if (policy->transitions[i].automatic)
				last_policy.news |= news_of_way(policy, &policy->transitions[i]);
		memcpy(last_policy.digest, digest, MR_HASH_LEN);
		last_policy.known = true;
	}
	return last_policy.news;
}

static void
mark_version(const MrVerb *verb, int64 model_id, int32 version, MrVersionNews news)
{
	MrMark		mark = {.team = verb->team.id,.model = model_id,
	.version = version,.who = verb->who};
	MrModel		model;

	if (mr_model_by_id(&verb->team, model_id, NULL, &model) && news_that_move(&model) & news)
		mr_mark(MR_MARK_PROMOTION, &mark);
}

/* The transition that the policy makes by itself from a stage, or NULL. */
static const MrPolicyTransition *
automatic_way(const MrPolicy *policy, MrStage from)
{
	for (int i = 0; i < policy->ntransitions; i++)
		if (policy->transitions[i].automatic &&
			policy->transitions[i].from & MR_STAGE_BIT(from))
			return &policy->transitions[i];
	return NULL;
}

/* One step of a version; false when there is none to take. */
static bool
promote_once(MrVerb *verb, MrModel *model, int32 version)
{
	MrTransition *transition = mr_transition_begin(verb, model, NULL);
	Snapshot	snapshot = RegisterSnapshot(mr_latest_snapshot());
	MrPolicy   *policy = mr_policy_of(model, snapshot);
	const MrPolicyTransition *way =
		automatic_way(policy, mr_version_stage(model->id, version, snapshot, NULL));
	MrPromotion promotion = {.version = version,.archive_others = true};
	bool		moved = false;

	if (way != NULL)
	{
		MrLook		look;

		promotion.to = way->to;
		look = mr_look_at_way(model, &promotion, snapshot);
		mr_look_at_gates(&look, 0);
		moved = !look.gates.refuses &&
			!mr_version_is_purged(model->id, version, snapshot) &&
			(mr_traffic_refused == NULL ||
			 mr_traffic_refused(model, version, way->to, false) == NULL);
		transition->by_policy = true;
		if (moved)
			mr_promotion_decide(transition, &promotion, &look,
								promotion.to == MR_STAGE_PRODUCTION ? "promoted" : "stage_changed");
	}
	if (!moved)
		mr_transition_abandon(transition);
	UnregisterSnapshot(snapshot);
	return moved;
}

/*
 * The model under the lock of its decisions; false when it was retired, which
 * is no reason to refuse who evaluated one of its versions.
 */
static bool
lock_live(const MrTeam *team, int64 id, MrModel *model)
{
	MrHead	   *head;
	bool		live;

	if (!mr_model_by_id(team, id, NULL, model))
		return false;
	head = mr_head_lock(MR_CHAIN_DECISIONS, id);
	live = head->nulls[MODEL_RETIRED_AT - 1];
	mr_head_release(head);
	return live;
}

/* As far as the policy moves the version: to Production at most. */
static void
promote_marked(const MrMark *mark)
{
	MrVerb		verb = {.name = "automatic promotion",.who = mark->who};
	MrTeam		team = {.id = mark->team,.name = ""};
	MemoryContext context = CurrentMemoryContext;
	MrModel		model;

	mr_owner_begin(&verb.scope);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to SPI");
	MemoryContextSwitchTo(context);
	if (mr_team_by_id(mark->team) != NULL)
		team = *mr_team_by_id(mark->team);
	team.name = pstrdup(team.name);
	verb.team = team;
	if (lock_live(&team, mark->model, &model))
		for (int step = 0; step < 2 && promote_once(&verb, &model, mark->version);)
			step++;
	SPI_finish();
	MemoryContextSwitchTo(context);
	mr_owner_end(&verb.scope);
}

/*
 * Lock the decisions of all models, by id, before those of the first are
 * made: these go on to endpoints, which come later in the order of locks.
 */
static void
lock_all(const MrMark **sorted, int64 n)
{
	MrOwnerScope scope;

	mr_owner_begin(&scope);
	for (int64 i = 0; i < n; i++)
	{
		MrTeam		team = {.id = sorted[i]->team,.name = ""};
		MrModel		model;

		if (i == 0 || sorted[i]->model != sorted[i - 1]->model)
			(void) lock_live(&team, sorted[i]->model, &model);
	}
	mr_owner_end(&scope);
}

/* By model and version; of several marks of one the last comes last. */
static int
compare_marks(const void *a, const void *b)
{
	const MrMark *x = *(const MrMark *const *) a;
	const MrMark *y = *(const MrMark *const *) b;

	if (x->model != y->model)
		return x->model < y->model ? -1 : 1;
	if (x->version != y->version)
		return x->version < y->version ? -1 : 1;
	return (x > y) - (x < y);
}

/* Thousands may be marked, so each is looked at in memory of its own. */
static void
promote_all(const MrMark *marks, int64 n)
{
	MemoryContext work = AllocSetContextCreate(CurrentMemoryContext,
											   "modelreg automatic promotion",
											   ALLOCSET_DEFAULT_SIZES);
	const MrMark **sorted = palloc_extended(n * sizeof(MrMark *), MCXT_ALLOC_HUGE);

	for (int64 i = 0; i < n; i++)
		sorted[i] = &marks[i];
	qsort(sorted, n, sizeof(MrMark *), compare_marks);
	lock_all(sorted, n);
	for (int64 i = 0; i < n; i++)
		if (i + 1 == n || sorted[i]->model != sorted[i + 1]->model ||
			sorted[i]->version != sorted[i + 1]->version)
		{
			MemoryContext old = MemoryContextSwitchTo(work);

			promote_marked(sorted[i]);
			MemoryContextSwitchTo(old);
			MemoryContextReset(work);
		}
	MemoryContextDelete(work);
	pfree(sorted);
}

void
mr_automatic_init(void)
{
	mr_version_news = mark_version;
	mr_marks_run_by(MR_MARK_PROMOTION, promote_all);
}
