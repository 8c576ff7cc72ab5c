/*
 * serving.c
 *		What this room does when the library is loaded.
 */
#include "postgres.h"

#include "serving/permit.h"
#include "serving/rollout_guard.h"
#include "serving/serving.h"

void
mr_serving_init(void)
{
	mr_permit_init();
	mr_rollout_guard_init();
}
