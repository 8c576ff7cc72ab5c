/*
 * stmt.h
 *		Fixed SQL statements, planned once per backend.
 */
#ifndef MODELREG_STMT_H
#define MODELREG_STMT_H

#include "executor/spi.h"

#define MR_STMT_MAX_ARGS 16

/* A statement is a static MrStmt; plan is filled at its first use. */
typedef struct MrStmt
{
	const char *sql;
	int			nargs;
	Oid			types[MR_STMT_MAX_ARGS];
	SPIPlanPtr	plan;
} MrStmt;

extern uint64 mr_stmt_read(MrStmt *stmt, Datum *values, const char *nulls,
						   long limit);
extern uint64 mr_stmt_read_as_of(MrStmt *stmt, Datum *values,
								 const char *nulls, Snapshot snapshot,
								 long limit);
extern Datum mr_stmt_value(uint64 row, int column, bool *isnull);

#endif							/* MODELREG_STMT_H */
