/*
 * audit.h
 *		Verbs, chains, events, facts and payloads.
 */
#ifndef MODELREG_AUDIT_H
#define MODELREG_AUDIT_H

#include "access/access.h"
#include "base/owner.h"
#include "base/table.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/numeric.h"
#include "utils/snapshot.h"

/* Codes are stored; never renumber. */
typedef enum MrChain
{
	MR_CHAIN_REGISTRY = 1,
	MR_CHAIN_TEAM,
	MR_CHAIN_FACTS,
	MR_CHAIN_REGISTRATIONS,
	MR_CHAIN_DECISIONS,
	MR_CHAIN_ENDPOINT
} MrChain;

#define MR_CHAIN_LAST MR_CHAIN_ENDPOINT

extern const char *mr_chain_name(MrChain chain);
extern MrChain mr_chain_by_name(const char *name);
extern int64 mr_chain_position(MrChain chain, int64 id, Snapshot snapshot);
extern bool mr_chain_is_final(MrChain chain, int64 id, TimestampTz at,
							  Snapshot snapshot);

/*
 * One call of a verb: who calls, for which team, acting as owner from
 * mr_verb_begin() to mr_verb_end(), with SPI connected.
 */
typedef struct MrVerb
{
	const char *name;
	MrTeam		team;
	Jsonb	   *who;
	bool		on_behalf;		/* the client is none of the team's */
	char	   *request_id;		/* or NULL */
	bytea	   *content;		/* hash of the arguments, if request_id */
	StringInfoData request_key; /* locked while data is not NULL */
	Jsonb	   *earlier;		/* result of the call that this one repeats */
	MrOwnerScope scope;
} MrVerb;

extern void mr_verb_begin(MrVerb *verb, FunctionCallInfo fcinfo,
						  const char *name, const MrTeam *team,
						  int request_id_arg);
extern void mr_verb_begin_undeclared(MrVerb *verb, FunctionCallInfo fcinfo,
									 const char *name, const MrTeam *team,
									 int request_id_arg);
extern void mr_verb_on_behalf(MrVerb *verb, const MrTeam *team);
extern char *mr_reason_arg(FunctionCallInfo fcinfo, int n);
extern void mr_verb_is_personal(MrVerb *verb);
extern bool mr_verb_repeats(MrVerb *verb);
extern void mr_verb_end(MrVerb *verb);
extern int64 mr_verb_end_int(MrVerb *verb, const char *key, int64 value);
/* The end of a verb that returns a number; NULL for 0: nothing was to do. */
#define MR_VERB_RETURN_NUMBER(verb, key, number) \
	do { \
		int64		told = mr_verb_end_int(verb, key, number); \
		if (told == 0) \
			PG_RETURN_NULL(); \
		PG_RETURN_INT64(told); \
	} while (0)

extern char *mr_verb_end_text(MrVerb *verb, const char *key, char *value);

/* Every head's table begins with these columns. */
enum
{
	HEAD_ID = 1, HEAD_SEQ, HEAD_HASH, HEAD_AT
};

#define MR_HEAD_MAX_COLUMNS 40

/* A head that this transaction has locked; values are as they will be saved. */
typedef struct MrHead
{
	MrChain		chain;
	int64		id;
	MrTable    *table;
	Datum		values[MR_HEAD_MAX_COLUMNS];
	bool		nulls[MR_HEAD_MAX_COLUMNS];
} MrHead;

extern MrHead *mr_head_lock(MrChain chain, int64 id);
extern MrHead *mr_head_try_lock(MrChain chain, int64 id);
extern void mr_head_init(MrChain chain, int64 id, Datum *values, bool *nulls);
extern void mr_head_save(MrHead *head);
extern void mr_head_release(MrHead *head);

extern MrHead *mr_registry_head_lock(MrVerb *verb);
extern Datum mr_registry_identity(void);

extern void mr_clock_require(TimestampTz last, TimestampTz now);
extern TimestampTz mr_event_time(const MrHead *head);
extern TimestampTz mr_event_append_at(MrHead *head, MrVerb *verb,
									  TimestampTz at, const char *kind,
									  Jsonb *what, const char *reason);
extern TimestampTz mr_event_append(MrHead *head, MrVerb *verb,
								   const char *kind, Jsonb *what,
								   const char *reason);

extern char *mr_event_reason(MrChain chain, int64 id, int64 seq,
							 Snapshot snapshot);

extern int64 mr_fact_batch(MrVerb *verb, int64 team);
extern bool mr_fact_batch_is_open(int64 batch);
extern void mr_fact_recorded(int64 batch, const char *table, int64 id,
							 const bytea *hash);

extern void mr_payload_check_size(size_t len);
extern bytea *mr_payload_store(int64 team, const char *body);
extern bytea *mr_payload_write(MrTable *payload, int64 team, const char *body);
extern char *mr_payload_fetch(const bytea *digest);
extern char *mr_payload_read(MrTable *payloads, const bytea *digest,
							 Snapshot latest);

/* A JSON object built member by member. */
typedef struct MrJson
{
	struct JsonbParseState *state;
} MrJson;

extern void mr_json_begin(MrJson *json);
extern void mr_json_add_text(MrJson *json, const char *key, const char *value);
extern void mr_json_add_int(MrJson *json, const char *key, int64 value);
extern void mr_json_add_number(MrJson *json, const char *key, Numeric number);
extern void mr_json_add_bool(MrJson *json, const char *key, bool value);
extern void mr_json_add_hash(MrJson *json, const char *key, const bytea *hash);
extern void mr_json_add_json(MrJson *json, const char *key, Jsonb *value);
extern void mr_json_add_null(MrJson *json, const char *key);
extern void mr_json_add_id(MrJson *json, const char *key, int64 id);
extern void mr_json_add_ints(MrJson *json, const char *key,
							 const int64 *numbers, int n);
extern void mr_json_begin_array(MrJson *json, const char *key);
extern void mr_json_add_element(MrJson *json, Jsonb *element);
extern void mr_json_add_int_element(MrJson *json, int64 value);
extern void mr_json_end_array(MrJson *json);
extern Jsonb *mr_json_end(MrJson *json);
extern int64 mr_json_get_int(Jsonb *json, const char *key);
extern char *mr_json_get_text(Jsonb *json, const char *key);

/* audit -> registry: the payload goes; remove what was derived from it */
typedef void (*MrPayloadRedactedHook) (const bytea *digest);
extern PGDLLIMPORT MrPayloadRedactedHook mr_payload_redacted;

#endif							/* MODELREG_AUDIT_H */
