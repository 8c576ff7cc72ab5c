/*
 * hooks.c
 *		The hook pointers between rooms.
 */
#include "postgres.h"

#include "base/hooks.h"

MrVersionNewsHook mr_version_news = NULL;
MrPolicyDigestHook mr_policy_digest = NULL;
MrProductionChangedHook mr_production_changed = NULL;
MrVersionInUseHook mr_version_in_use = NULL;
MrTrafficRefusedHook mr_traffic_refused = NULL;
MrQuarantinedHook mr_quarantined = NULL;
MrQuarantineLookHook mr_quarantine_look = NULL;
MrVersionNodeHook mr_version_node = NULL;
MrVersionAddressHook mr_version_address = NULL;
