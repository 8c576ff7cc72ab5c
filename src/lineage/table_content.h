/*
 * table_content.h
 *		What a table of this database holds.
 */
#ifndef MODELREG_TABLE_CONTENT_H
#define MODELREG_TABLE_CONTENT_H

#include "utils/jsonb.h"

typedef struct MrTableContent
{
	char	   *relation;		/* name with schema, quoted if need be */
	Jsonb	   *schema;			/* an array of its columns */
	int64		rows;
	char	   *digest;			/* NULL unless it was asked for */
	bool		row_security;	/* policies chose among its rows */
} MrTableContent;

extern void mr_table_content_read(Oid relid, bool with_digest,
								  MrTableContent *content);

#endif							/* MODELREG_TABLE_CONTENT_H */
