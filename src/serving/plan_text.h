/*
 * plan_text.h
 *		Plans as people write them in one line.
 */
#ifndef MODELREG_PLAN_TEXT_H
#define MODELREG_PLAN_TEXT_H

#include "lib/stringinfo.h"

#include "serving/plan.h"

/* Of a linear plan that does not say in how many. */
#define MR_DEFAULT_LINEAR 24

extern void mr_plan_scan_text(const char *text, MrPlan *plan,
							  StringInfo mistakes);

/* plan.c: the steps of a linear plan, whose "over" is known. */
extern void mr_plan_make_linear(MrPlan *plan, int n, StringInfo mistakes);

#endif							/* MODELREG_PLAN_TEXT_H */
