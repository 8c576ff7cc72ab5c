/*
 * attested.h
 *		By whose keys a version was attested.
 */
#ifndef MODELREG_ATTESTED_H
#define MODELREG_ATTESTED_H

#include "utils/snapshot.h"

/* A key that signed a statement. */
typedef struct MrAttested
{
	char	   *keyid;			/* of the public key, whoever registered it */
	int64		key_team;		/* MR_NO_TEAM for a key of the registry */
	char	   *key_name;
	char	   *other_name;		/* that the registry, or the team, has for the
								 * same key, if it was valid so too; or NULL */
	bool		compromised;	/* before the statement was recorded */
	bool		about_all;		/* of the version: not about one of its artifacts */
} MrAttested;

typedef void (*MrAttestedVisit) (const MrAttested *attested, void *arg);
extern void mr_attested_each(int64 model, int32 version,
							 const char *predicate_type, Snapshot snapshot,
							 MrAttestedVisit visit, void *arg);

#endif							/* MODELREG_ATTESTED_H */
