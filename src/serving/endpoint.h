/*
 * endpoint.h
 *		Endpoints: finding them, and the one way to change one.
 */
#ifndef MODELREG_ENDPOINT_H
#define MODELREG_ENDPOINT_H

#include "audit/audit.h"
#include "base/table.h"
#include "datatype/timestamp.h"
#include "serving/schedule.h"
#include "utils/snapshot.h"

typedef struct MrEndpoint
{
	MrTeam		team;
	int64		id;
	int64		seq;			/* of its last event */
	char	   *name;			/* without the team */
	bool		retired;
	int64		model;			/* of version numbers without a model */
	bool		follows;
	Jsonb	   *plan;			/* by which it follows, or NULL */
	int64		schedule_seq;	/* of the schedule that holds */
	bytea	   *schedule_hash;
} MrEndpoint;

extern MrTeam mr_endpoint_open(MrTable *table, const char *qualified,
							   Snapshot snapshot);
extern void mr_endpoint_read(MrTable *table, const MrTeam *team,
							 MrEndpoint *endpoint);
extern MrEndpoint mr_require_endpoint(const char *qualified, MrRights level,
									  Snapshot snapshot);
extern MrEndpoint mr_require_endpoint_at(const char *qualified,
										 TimestampTz at);
extern MrEndpoint mr_endpoint_get(int64 id, Snapshot snapshot);
extern void mr_require_team_of_endpoint(const MrTeam *team, const char *model,
										const char *team_of_model);
extern char *mr_endpoint_address(const MrEndpoint *endpoint);
extern char *mr_endpoint_etag(int64 schedule_seq, const bytea *schedule_hash);

extern MrEndpoint mr_endpoint_find_in_verb(MrVerb *verb, const char *qualified,
										   const char *name);
extern bool mr_endpoint_verb_begin(MrVerb *verb, FunctionCallInfo fcinfo,
								   const char *verb_name, MrRights level,
								   int request_id_arg, MrEndpoint *endpoint);
extern void mr_endpoint_renew(MrEndpoint *endpoint, const MrHead *head);
extern MrHead *mr_endpoint_lock(MrEndpoint *endpoint);
extern MrHead *mr_endpoint_lock_expected(MrEndpoint *endpoint,
										 const char *expected);
extern const MrSchedule *mr_endpoint_schedule(const MrEndpoint *endpoint,
											  Snapshot snapshot);
extern const MrSchedule *mr_endpoint_schedule_at(const MrEndpoint *endpoint,
												 TimestampTz at,
												 Snapshot snapshot);
extern int64 mr_endpoint_change(MrHead *head, MrVerb *verb, const char *kind,
								MrSchedule *schedule, MrJson *what,
								const char *reason);
extern int64 mr_endpoint_change_at_commit(MrHead *head, MrVerb *verb,
										  const char *kind,
										  MrSchedule *schedule, MrJson *what);
extern void mr_endpoint_stop_following(MrHead *head, MrJson *what);

typedef void (*MrEndpointVisit) (const MrEndpoint *endpoint, void *arg);
extern void mr_each_live_endpoint(int64 of, Snapshot snapshot,
								  MrEndpointVisit visit, void *arg);
extern void mr_endpoint_notify(int64 id, int64 seq);

#endif							/* MODELREG_ENDPOINT_H */
