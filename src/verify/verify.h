/*
 * verify.h
 *		What the checks of verify() share.
 */
#ifndef MODELREG_VERIFY_H
#define MODELREG_VERIFY_H

#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "utils/snapshot.h"

/* What is verified, and which checks take part; bits. */
#define MR_VERIFY_ALL	(1 << 0)
#define MR_VERIFY_TEAM	(1 << 1)
#define MR_VERIFY_MODEL	(1 << 2)
#define MR_VERIFY_ANY	(MR_VERIFY_ALL | MR_VERIFY_TEAM | MR_VERIFY_MODEL)

typedef struct MrVerify
{
	ReturnSetInfo *result;
	int			scope;			/* one of the bits */
	int64		team;			/* but for MR_VERIFY_ALL */
	int64		model;			/* for MR_VERIFY_MODEL */
	bool		deep;
	MemoryContext context;		/* of the call */
	MemoryContext row_context;	/* of a row */
	struct MrPass *pass;		/* while events of the whole registry are read */
	struct MrTexts *texts;
	List	   *shown;			/* names of statements without findings */
	const char *doing;
	int64		seen;			/* rows read, for the progress */
	int64		redacted;		/* no findings, but told of */
	int64		purged;
	TimestampTz next_notice;
} MrVerify;

extern char *mr_verify_identity(Snapshot snapshot);
extern void mr_verify_parse_scope(MrVerify *verify, const char *scope);
extern void mr_verify_report(MrVerify *verify, const char *check,
							 const char *object, const char *detail,...)
			pg_attribute_printf(4, 5);

typedef void (*MrVerifyStep) (MrVerify *verify, const void *arg);
extern bool mr_verify_try(MrVerify *verify, const char *what,
						  MrVerifyStep step, const void *arg);
extern bool mr_verify_run(MrVerify *verify, const char *what,
						  MrVerifyStep step, const void *arg);
extern char *mr_verify_catch(MrVerify *verify, MrVerifyStep step,
							 const void *arg);

/* Called for each row, whose columns are in the slot's arrays. */
typedef void (*MrVerifyRow) (MrVerify *verify, TupleTableSlot *slot,
							 void *state);
extern void mr_verify_scan(MrVerify *verify, const char *sql,
						   MrVerifyRow row, void *state);
extern void mr_verify_show(MrVerify *verify, const char *const *names, int n);
extern bool mr_verify_is_shown(const MrVerify *verify, const char *name);
extern void mr_verify_findings(MrVerify *verify, const char *check,
							   const char *sql);

/*
 * In SQL: the name of a chain's number, and a whole number out of JSON text,
 * NULL when it is none that a bigint can hold.
 */
#define MR_SQL_CHAIN(number) \
	"COALESCE((ARRAY['registry', 'team', 'facts', 'registrations', 'decisions', 'endpoint'])[" number "], " number "::text)"
#define MR_SQL_INT(text) \
	"CASE WHEN (" text ") ~ '^[0-9]{1,18}$' THEN (" text ")::bigint END"

/* Every head, with its chain's team and model. */
#define MR_SQL_HEADS \
	"SELECT 1 AS chain, h.id, h.seq, h.head_hash, h.head_at, 0::bigint AS team, NULL::bigint AS model FROM modelreg.registry h " \
	"UNION ALL SELECT 2, h.id, h.seq, h.head_hash, h.head_at, h.id, NULL FROM modelreg.team h " \
	"UNION ALL SELECT 3, h.id, h.seq, h.head_hash, h.head_at, h.id, NULL FROM modelreg.fact_head h " \
	"UNION ALL SELECT 4, h.id, h.seq, h.head_hash, h.head_at, h.team_id, h.id FROM modelreg.registration_head h " \
	"UNION ALL SELECT 5, h.id, h.seq, h.head_hash, h.head_at, h.team_id, h.id FROM modelreg.model h " \
	"UNION ALL SELECT 6, h.id, h.seq, h.head_hash, h.head_at, h.team_id, NULL FROM modelreg.endpoint h"

extern const char *mr_verify_chain_name(int16 chain);
extern bool mr_verify_read_hash(Datum value, bool isnull, uint8 *hash);

/* One pass over all events; see stored.c. */
typedef struct MrPass MrPass;
extern MrPass *mr_verify_pass_begin(void);
extern void mr_verify_pass_event(MrPass *pass, const Datum *values, const bool *nulls);
extern void mr_verify_pass_end(MrVerify *verify);
extern const struct MrFold mr_verify_models_fold;
extern const struct MrFold mr_verify_evidence_fold;
extern const struct MrFold mr_verify_requests_fold;
extern const struct MrFold mr_verify_pins_fold;
extern const struct MrFold mr_verify_leaving_fold;

/* Texts and the rows that name them; see texts.c. */
typedef struct MrTexts MrTexts;
extern MrTexts *mr_verify_texts_begin(void);
extern void mr_verify_texts_name(MrTexts *texts, Datum digest, int64 team);
extern void mr_verify_texts_end(MrVerify *verify);

/* The parts of verify(). */
extern void mr_verify_rows(MrVerify *verify);
extern void mr_verify_chains(MrVerify *verify);
extern void mr_verify_facts(MrVerify *verify);
extern void mr_verify_bytes(MrVerify *verify);
extern void mr_verify_keys(MrVerify *verify);
extern void mr_verify_statements(MrVerify *verify);
extern void mr_verify_governance(MrVerify *verify);
extern void mr_verify_serving(MrVerify *verify);
extern void mr_verify_schedules(MrVerify *verify, const void *arg);

extern void mr_verify_init(void);
extern void mr_verify_attestations(MrVerify *verify);

/* guard -> verify: does the protection stand?  For the whole registry. */
extern PGDLLIMPORT MrVerifyStep mr_verify_protection;

#endif							/* MODELREG_VERIFY_H */
