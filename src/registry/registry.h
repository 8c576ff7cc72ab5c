/*
 * registry.h
 *		Models, versions and what is said of them.
 */
#ifndef MODELREG_REGISTRY_H
#define MODELREG_REGISTRY_H

#include "access/access.h"
#include "audit/audit.h"
#include "types/stage.h"
#include "utils/snapshot.h"
#include "utils/uuid.h"

typedef struct MrModel
{
	MrTeam		team;
	int64		id;
	char	   *name;			/* without the team */
	char	   *policy;
	bytea	   *policy_digest;
	int32		current_version;	/* 0 for none */
} MrModel;

/* What of a version's row an answer about it has. */
typedef struct MrVersionBirth
{
	pg_uuid_t	identity;
	TimestampTz registered_at;
} MrVersionBirth;

extern MrTeam mr_require_team_as_admin(const char *name);
extern MrTeam mr_require_team_for_grant(const char *name);

extern MrTeam mr_model_open(MrTable *table, const char *qualified,
							Snapshot snapshot);
extern MrModel mr_require_model(const char *qualified, MrRights level,
								Snapshot snapshot);
extern MrTeam mr_require_team_of_model(const char *qualified, MrRights level,
									   char **name);
extern MrModel mr_model_find_in_verb(MrVerb *verb, const char *qualified,
									 const char *name);
extern MrModel mr_model_find_or_retired(MrVerb *verb, const char *qualified,
										const char *name);
extern bool mr_model_verb_begin(MrVerb *verb, FunctionCallInfo fcinfo,
								const char *verb_name, MrRights level,
								int request_id_arg, MrModel *model);
extern const MrTeam *mr_team_at(const char *name, TimestampTz at);
extern MrModel mr_require_model_at(const char *qualified, TimestampTz at);
extern bool mr_model_find(const MrTeam *team, const char *name,
						  Snapshot snapshot, MrModel *model);
extern bool mr_model_by_id(const MrTeam *team, int64 id, Snapshot snapshot,
						   MrModel *model);
extern MrModel mr_model_get(int64 id, Snapshot snapshot);
extern MrHead *mr_model_lock(const MrModel *model);
extern void mr_model_renew(MrModel *model, const MrHead *decisions);
extern char *mr_model_address(const MrModel *model);
extern char *mr_version_uri(const MrModel *model, int32 version);
extern char *mr_permanent_id(Datum identity, int64 model, int32 version);
extern void mr_model_notify(int64 model);
extern MrVersionBirth mr_require_version(const MrModel *model, int32 version,
										 Snapshot snapshot);

extern MrTable *mr_version_open(const char *address, Snapshot snapshot);
extern MrTable *mr_version_open_number(const char *model, int32 version,
									   Snapshot snapshot);
extern MrStage mr_version_stage(int64 model, int32 version, Snapshot snapshot,
								TimestampTz *since);
extern MrStage mr_version_stage_in(MrTable *table, int64 model, int32 version,
								   Snapshot snapshot, TimestampTz *since);

/* A version that is current in Production. */
typedef struct MrCurrentVersion
{
	int64		team;
	int64		model;
	char	   *name;			/* of the model, without the team */
	int32		version;
	int64		node;
} MrCurrentVersion;

typedef void (*MrVersionVisit) (const MrCurrentVersion *version, void *arg);
extern void mr_each_current_version(Snapshot snapshot, MrVersionVisit visit,
									void *arg);

/* Kinds of notes. */
#define MR_NOTE_TAG "tag"
#define MR_NOTE_UNTAG "untag"
#define MR_NOTE_DESCRIPTION "description"
#define MR_NOTE_ARTIFACT_CHECK "artifact_check"
#define MR_NOTE_MODEL_CARD "model_card"

extern bytea *mr_note_insert(MrVerb *verb, const char *kind, int64 model,
							 int32 version, const char *key,
							 const char *value);
extern void mr_note_lock(const char *kind, int64 model, int32 version,
						 const char *key);
extern int32 mr_version_arg(FunctionCallInfo fcinfo, int n,
							const MrModel *model);

/* Tags of a version that is registered now: check before the first lock. */
extern void mr_tags_check(Jsonb *tags);
extern void mr_tags_set(MrVerb *verb, int64 model, int32 version, Jsonb *tags);

extern bytea *mr_description_digest(int64 model, int32 version,
									Snapshot snapshot);

extern void mr_registry_payload_redacted(const bytea *payload);
extern void mr_registry_init(void);

#endif							/* MODELREG_REGISTRY_H */
