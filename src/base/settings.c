/*
 * settings.c
 *		The extension's settings: what each is for, and who may touch it.
 */
#include "postgres.h"

#include <limits.h>

#include "miscadmin.h"
#include "utils/guc.h"

#include "base/settings.h"

int			mr_max_clock_skew = 1000;
int			mr_max_decision_delay = 10000;
int			mr_max_artifact_size = 1024 * 1024;
int			mr_search_scan_limit = 100000;
int			mr_max_lineage_nodes = 10000000;
bool		mr_allow_removal = false;

/*
 * Whether an answer about the past is final depends on the two settings of
 * time, so nobody may move them while sessions run: with the library in
 * shared_preload_libraries they need a restart.  Loaded later, the strictest
 * context that the server still permits is the configuration file's.
 */
static void
define_time_settings(void)
{
	GucContext	context = process_shared_preload_libraries_in_progress ?
	PGC_POSTMASTER : PGC_SIGHUP;

	/* Raise it only where the clocks of primary and standbys are poor. */
	DefineCustomIntVariable("modelreg.max_clock_skew",
							"How far the clock may be behind the last event before writing is refused.",
							NULL, &mr_max_clock_skew, 1000, 0, 3600 * 1000,
							context, GUC_UNIT_MS, NULL, NULL, NULL);
	/* Lower it to make answers about the past final sooner. */
	DefineCustomIntVariable("modelreg.max_decision_delay",
							"How long after its first decision a transaction may still commit.",
							"Decisions are changes of stage, Production, alias and traffic.",
							&mr_max_decision_delay, 10000, 100, 3600 * 1000,
							context, GUC_UNIT_MS, NULL, NULL, NULL);
}

static void
define_limits(void)
{
	/* Raise it when an artifact is refused and the disk can hold it. */
	DefineCustomIntVariable("modelreg.max_artifact_size",
							"The largest artifact that an upload may hold.",
							NULL, &mr_max_artifact_size, 1024 * 1024, 1,
							4 * 1024 * 1024, PGC_SUSET, GUC_UNIT_MB,
							NULL, NULL, NULL);
	/* Lower it where searches of many clients weigh on the server. */
	DefineCustomIntVariable("modelreg.search_scan_limit",
							"How many rows one call of search_versions() looks at before it returns a key to go on from.",
							NULL, &mr_search_scan_limit, 100000, 100, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	/* Lower it to bound the memory and time of one walk. */
	DefineCustomIntVariable("modelreg.max_lineage_nodes",
							"How many nodes one walk of the lineage may visit.",
							NULL, &mr_max_lineage_nodes, 10000000, 100, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
}

/*
 * A setting that lifts the protection must not outlive the session that
 * needs it, so no file, database or role may set it.
 */
static bool
check_allow_removal(bool *newval, void **extra, GucSource source)
{
	if (!*newval || source == PGC_S_SESSION || source == PGC_S_CLIENT)
		return true;
	GUC_check_errmsg("modelreg.allow_removal can be turned on for a session only");
	return false;
}

void
mr_settings_define(void)
{
	define_time_settings();
	define_limits();

	/* Turn it on for one session to remove or re-create the registry. */
	DefineCustomBoolVariable("modelreg.allow_removal",
							 "Lets a superuser drop or alter what belongs to the registry.",
							 "DROP EXTENSION modelreg and pg_restore --clean need it.",
							 &mr_allow_removal, false, PGC_SUSET, 0,
							 check_allow_removal, NULL, NULL);
	MarkGUCPrefixReserved("modelreg");
}
