/*
 * request.h
 *		What is asked to be recorded of one node, checked.
 */
#ifndef MODELREG_REQUEST_H
#define MODELREG_REQUEST_H

#include "lineage/lineage.h"

typedef struct MrNodeRequest
{
	MrTeam		team;
	MrNodeSpec	spec;
	MrInputs   *inputs;
	Jsonb	   *properties;
	int64		rows;
	TimestampTz occurred_at;
} MrNodeRequest;

/* What is not given is NULL, where it is a pointer, or not set at all. */
extern void mr_request_set_kind(MrNodeRequest *request, const char *kind);
extern void mr_request_set_key(MrNodeRequest *request, const char *qualified,
							   const char *version);
extern void mr_request_set_uri(MrNodeRequest *request, const char *uri);
extern void mr_request_set_digest(MrNodeRequest *request, const char *text);
extern void mr_request_set_rows(MrNodeRequest *request, int64 rows);
extern void mr_request_set_properties(MrNodeRequest *request, Jsonb *properties);
extern void mr_request_set_occurred_at(MrNodeRequest *request, TimestampTz at);
extern void mr_request_set_supersedes(MrNodeRequest *request, const MrNode *node,
									  const char *address);
extern void mr_request_print_properties(MrNodeRequest *request);

#endif							/* MODELREG_REQUEST_H */
