/*
 * plan_text.c
 *		Plans as people write them in one line.
 */
#include "postgres.h"

#include <ctype.h>

#include "governance/member.h"
#include "serving/duration.h"
#include "serving/plan_text.h"
#include "types/traffic_split.h"

#define FORMS \
	"\"all at once\", \"linear over 2 hours\", \"linear over 2 hours in 24 steps\", \"canary\", " \
	"\"canary 5% for 1 hour, 50% for 2 hours\", \"shadow\", \"shadow for 1 hour\" or a JSON object"

static const char *
skip_blanks(const char *p)
{
	while (isspace((unsigned char) *p))
		p++;
	return p;
}

/* Behind a word and the blanks that follow it; NULL if another one is there. */
static const char *
skip_word(const char *p, const char *word)
{
	Size		len = strlen(word);

	if (pg_strncasecmp(p, word, len) != 0 || isalnum((unsigned char) p[len]))
		return NULL;
	return skip_blanks(p + len);
}

/* The same for several words. */
static const char *
skip_words(const char *p, const char *const *words, int n)
{
	for (int i = 0; p != NULL && i < n; i++)
		p = skip_word(p, words[i]);
	return p;
}

/* Where a word begins, or the end of the text. */
static const char *
find_word(const char *p, const char *word)
{
	while (*p != '\0' && skip_word(p, word) == NULL)
	{
		while (isalnum((unsigned char) *p))
			p++;
		while (*p != '\0' && !isalnum((unsigned char) *p))
			p++;
	}
	return p;
}

static void
scan_duration(const char *start, Size len, int64 *duration, StringInfo mistakes)
{
	MrFault		fault;

	while (len > 0 && isspace((unsigned char) start[len - 1]))
		len--;
	if (!mr_duration_scan(start, len, duration, &fault))
		mr_mistake(mistakes, "%s", fault.what);
}

/* Behind "over": a duration, and perhaps "in 24 steps". */
static void
scan_linear(const char *p, MrPlan *plan, StringInfo mistakes)
{
	const char *in = find_word(p, "in");
	int			n = MR_DEFAULT_LINEAR;

	scan_duration(p, in - p, &plan->over, mistakes);
	if (*in != '\0')
	{
		const char *number = skip_word(in, "in");
		Size		digits = strspn(number, "0123456789");
		const char *unit = skip_blanks(number + digits);
		const char *rest = skip_word(unit, "steps");

		if (rest == NULL)
			rest = skip_word(unit, "step");
		n = digits == 0 || digits > 6 ? 0 : atoi(number);
		if (n < 1 || n > MR_MAX_STEPS || rest == NULL || *rest != '\0')
			mr_mistake(mistakes, "\"%s\" is not \"in\", a number from 1 to %d, \"steps\".",
					   mr_text_clip(in), MR_MAX_STEPS);
	}
	if (mistakes->len == 0)
		mr_plan_make_linear(plan, n, mistakes);
}

/* A share of the way and how long it bakes: "5% for 1 hour", or "100%". */
static void
scan_step(const char *start, Size len, MrPlanStep *step, StringInfo mistakes)
{
	char	   *text = pnstrdup(start, len);
	const char *p = skip_blanks(text);
	Size		percent = strcspn(p, " \t\r\n");
	const char *rest = skip_blanks(p + percent);
	const char *duration = skip_word(rest, "for");
	MrFault		fault;

	step->bake = 0;
	if (!mr_percent_scan(p, percent, &step->weight, &fault))
	{
		step->weight = 0;
		mr_mistake(mistakes, "%s", fault.what);
	}
	if (duration != NULL)
		scan_duration(duration, strlen(duration), &step->bake, mistakes);
	else if (*rest != '\0')
		mr_mistake(mistakes, "\"%s\" is not \"for\" and a duration.", mr_text_clip(rest));
}

/* Steps between commas; what comes to 100% at last may say so or not. */
static void
scan_canary(const char *p, MrPlan *plan, StringInfo mistakes)
{
	int			commas = 0;

	if (*p == '\0')
		p = "5% for 30 minutes, 25% for 30 minutes, 50% for 30 minutes";
	for (const char *c = p; *c != '\0'; c++)
		commas += *c == ',';
	if (commas >= MR_MAX_STEPS)
	{
		mr_mistake(mistakes, "a plan has 1 to %d steps.", MR_MAX_STEPS);
		return;
	}
	plan->steps = palloc((commas + 2) * sizeof(MrPlanStep));
	for (;;)
	{
		const char *comma = p + strcspn(p, ",");

		scan_step(p, comma - p, &plan->steps[plan->nsteps++], mistakes);
		if (*comma == '\0')
			break;
		p = comma + 1;
	}
	if (plan->steps[plan->nsteps - 1].bake > 0)
		plan->steps[plan->nsteps++] = (MrPlanStep) {MR_WHOLE, 0};
}

static void
make_at_once(MrPlan *plan)
{
	plan->steps = palloc(sizeof(MrPlanStep));
	plan->steps[plan->nsteps++] = (MrPlanStep) {MR_WHOLE, 0};
}

/* Fill in an empty plan; what is wrong with the text is added to the mistakes. */
void
mr_plan_scan_text(const char *text, MrPlan *plan, StringInfo mistakes)
{
	static const char *const at_once[] = {"all", "at", "once"};
	static const char *const linear[] = {"linear", "over"};
	static const char *const shadow_for[] = {"shadow", "for"};
	const char *start = skip_blanks(text);
	const char *p;

	if ((p = skip_words(start, at_once, lengthof(at_once))) != NULL && *p == '\0')
		make_at_once(plan);
	else if ((p = skip_words(start, linear, lengthof(linear))) != NULL)
		scan_linear(p, plan, mistakes);
	else if ((p = skip_word(start, "canary")) != NULL)
		scan_canary(p, plan, mistakes);
	else if ((p = skip_words(start, shadow_for, lengthof(shadow_for))) != NULL)
		scan_duration(p, strlen(p), &plan->shadow, mistakes);
	else if ((p = skip_word(start, "shadow")) != NULL && *p == '\0')
		plan->shadow = MR_FOREVER;
	else
		mr_mistake(mistakes, "%s", "a plan is one of " FORMS ".");
}
