/*
 * module.c
 *		Loading the library: the one file that knows all rooms.
 */
#include "postgres.h"

#include "fmgr.h"

#include "access/access.h"
#include "base/settings.h"
#include "governance/governance.h"
#include "guard/guard.h"
#include "registry/registry.h"
#include "serving/serving.h"
#include "verify/verify.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	mr_settings_define();
	mr_access_init();
	mr_registry_init();
	mr_governance_init();
	mr_serving_init();
	mr_verify_init();
	mr_guard_init();
}
