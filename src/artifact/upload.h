/*
 * upload.h
 *		Rows of uploads, and what they do to quotas and bytes.
 */
#ifndef MODELREG_UPLOAD_H
#define MODELREG_UPLOAD_H

#include "artifact/artifact.h"
#include "artifact/artifact_tables.h"
#include "audit/audit.h"
#include "base/table.h"

/* An upload's row, locked; values are as they will be saved. */
typedef struct MrUpload
{
	int64		id;
	MrTable    *table;
	Datum		values[UPLOAD_COLUMNS];
	bool		nulls[UPLOAD_COLUMNS];
} MrUpload;

extern MrTeam mr_upload_team(int64 id);
extern void mr_upload_lock(MrUpload *upload, int64 id);
extern bool mr_upload_try_lock(MrUpload *upload, int64 id);
extern void mr_upload_save(MrUpload *upload);
extern void mr_upload_release(MrUpload *upload);
extern bool mr_upload_is(const MrUpload *upload, const char *state);
extern void mr_upload_seal(MrUpload *upload, const MrDigest *digest);
extern void mr_upload_abort(MrUpload *upload);
extern int64 mr_upload_insert(MrVerb *verb, int64 size, MrDigest *declared);

extern void mr_team_bytes_check(const MrTeam *team, int64 size);
extern void mr_team_bytes_add(const MrTeam *team, int64 size);
extern void mr_team_bytes_subtract(int64 team, int64 size);

#endif							/* MODELREG_UPLOAD_H */
