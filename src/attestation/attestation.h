/*
 * attestation.h
 *		Keys that are trusted, and statements that were signed with them.
 */
#ifndef MODELREG_ATTESTATION_H
#define MODELREG_ATTESTATION_H

#include "attestation/public_key.h"
#include "audit/audit.h"
#include "base/table.h"
#include "utils/jsonb.h"

/* A signature of an envelope; its keyid is a hint that nobody signed. */
typedef struct MrSignature
{
	char	   *keyid;
	uint8	   *bytes;
	int			len;
} MrSignature;

/* A DSSE envelope with an in-toto statement, as far as its form goes. */
typedef struct MrEnvelope
{
	Jsonb	   *statement;
	char	   *predicate_type;
	char	   *normal;			/* canonical JSON of what is kept of it */
	char	   *signed_bytes;
	int			signed_len;
	MrSignature *signatures;
	int			nsignatures;
} MrEnvelope;

extern void mr_envelope_parse(Jsonb *json, MrEnvelope *envelope);
extern const char *mr_envelope_read(Jsonb *json, MrEnvelope *envelope);
extern bool mr_statement_is_about(const MrEnvelope *envelope,
								  const char *sha256);
extern const char *mr_statement_other_name(const MrEnvelope *envelope,
										   const char *prefix,
										   const char *name);

/* Who signed an envelope, and when that was found to be so. */
typedef struct MrSigners
{
	TimestampTz at;
	Datum		keys;			/* bigint[] */
} MrSigners;

extern TimestampTz mr_key_time(MrTable *table, AttrNumber column,
							   TimestampTz none);
extern MrSigners mr_signers_require(const MrEnvelope *envelope,
									const MrTeam *team);

#define MR_PREDICATE_HEAD "modelreg:audit_head/1"
#define MR_PREDICATE_MODEL_SIGNING "https://model_signing/signature/"	/* and its version */

#endif							/* MODELREG_ATTESTATION_H */
