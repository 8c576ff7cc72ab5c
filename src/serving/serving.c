/*
 * serving.c
 *		What this room does when the library is loaded.
 */
#include "postgres.h"

#include "serving/follow.h"
#include "serving/hold.h"
#include "serving/leave.h"
#include "serving/permit.h"
#include "serving/serves.h"
#include "serving/rollout_guard.h"
#include "serving/serving.h"

void
mr_serving_init(void)
{
	mr_permit_commit_init();
	mr_serves_init();
	mr_leave_init();
	mr_hold_init();
	mr_follow_init();
	mr_rollout_guard_init();
}
