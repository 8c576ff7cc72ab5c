/*
 * hooks.h
 *		What a room must tell or ask a room below it.
 *
 * The room below sets the pointer when the library is loaded; NULL means
 * that nobody wants to know.
 */
#ifndef MODELREG_HOOKS_H
#define MODELREG_HOOKS_H

#include "utils/snapshot.h"

struct MrVerb;
struct MrHead;
struct MrModel;

/* What became known of a version. */
typedef enum MrVersionNews
{
	MR_NEWS_REGISTERED = 1 << 0,
	MR_NEWS_EVALUATION = 1 << 1,
	MR_NEWS_ARTIFACT_CHECK = 1 << 2,
	MR_NEWS_CARD = 1 << 3,
	MR_NEWS_STATEMENT = 1 << 4	/* signed, about it */
} MrVersionNews;

/* registry, attestation -> governance: the verb wrote something about a version */
typedef void (*MrVersionNewsHook) (const struct MrVerb *verb, int64 model,
								   int32 version, MrVersionNews news);
extern PGDLLIMPORT MrVersionNewsHook mr_version_news;

/*
 * registry -> governance: the digest of the revision of a policy that a new
 * model comes under; the team's head is locked.
 */
typedef bytea *(*MrPolicyDigestHook) (struct MrVerb *verb, struct MrHead *team,
									  const char *policy);
extern PGDLLIMPORT MrPolicyDigestHook mr_policy_digest;

/*
 * governance -> serving: another version (0: none) is current, by
 * rollback_model() if back.  The model's decisions are locked, and what was
 * decided can be seen.
 */
typedef void (*MrProductionChangedHook) (struct MrVerb *verb, int64 model,
										 int32 version, bool back,
										 const char *reason);
extern PGDLLIMPORT MrProductionChangedHook mr_production_changed;

/*
 * registry, governance -> serving: the endpoints to which a version (0: any,
 * or the model itself) matters, in words; NULL for none.
 */
typedef char *(*MrVersionInUseHook) (int64 model, int32 version);
extern PGDLLIMPORT MrVersionInUseHook mr_version_in_use;

/*
 * governance -> serving: the endpoints where a version has traffic that the
 * model's policy does not permit in a stage, with the shares, in words; NULL
 * for none.  Version 0: all versions, each in the stage where it is.
 * but_followers: what follows the model is about to serve something else.
 */
typedef char *(*MrTrafficRefusedHook) (const struct MrModel *model,
									   int32 version, int stage,
									   bool but_followers);
extern PGDLLIMPORT MrTrafficRefusedHook mr_traffic_refused;

/*
 * governance -> serving: a node was quarantined, in this transaction, which
 * goes on; and once for all such when it commits and nobody lets anything in.
 */
typedef void (*MrQuarantinedHook) (struct MrVerb *verb, int64 node);
extern PGDLLIMPORT MrQuarantinedHook mr_quarantined;
typedef void (*MrQuarantineLookHook) (void);
extern PGDLLIMPORT MrQuarantineLookHook mr_quarantine_look;

/*
 * lineage -> registry: the node of a version by its address or permanent id
 * (0: no such version that the caller may read, or name as an input), and the
 * address of a version with its model's name (NULL: the caller may not read
 * it), as a snapshot sees them (NULL: the latest).
 */
typedef int64 (*MrVersionNodeHook) (const char *address, bool as_input,
									Snapshot snapshot);
extern PGDLLIMPORT MrVersionNodeHook mr_version_node;
typedef char *(*MrVersionAddressHook) (int64 team, int64 model, int32 version,
									   Snapshot snapshot, char **name);
extern PGDLLIMPORT MrVersionAddressHook mr_version_address;

#endif							/* MODELREG_HOOKS_H */
