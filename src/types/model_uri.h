/*
 * model_uri.h
 *		The address of a model, of one of its versions, or of what it points
 *		at.
 */
#ifndef MODELREG_MODEL_URI_H
#define MODELREG_MODEL_URI_H

#include "nodes/nodes.h"
#include "utils/uuid.h"

#include "types/parse.h"
#include "types/stage.h"

#define MR_URI_MODELS "models:/"
#define MR_URI_PERMANENT_SCHEME "modelreg:"

typedef enum MrModelUriKind
{
	MR_URI_MODEL,				/* models:/team.name */
	MR_URI_VERSION,				/* models:/team.name/14 */
	MR_URI_LATEST,				/* models:/team.name/latest */
	MR_URI_STAGE,				/* models:/team.name/Production */
	MR_URI_ALIAS,				/* models:/team.name@champion */
	MR_URI_PERMANENT			/* modelreg:<identity>/<model id>/<version> */
} MrModelUriKind;

/* What the kind does not use is NULL, 0 or MR_STAGE_NONE. */
typedef struct MrModelUri
{
	MrModelUriKind kind;
	char	   *team;			/* every kind but the permanent id */
	char	   *name;			/* likewise; without the team */
	int32		version;		/* MR_URI_VERSION, MR_URI_PERMANENT */
	MrStage		stage;			/* MR_URI_STAGE */
	char	   *alias;			/* MR_URI_ALIAS */
	pg_uuid_t	identity;		/* MR_URI_PERMANENT */
	int64		model_id;		/* MR_URI_PERMANENT */
} MrModelUri;

/* Raises what is malformed, or saves the error and returns false. */
extern bool mr_model_uri_parse(const char *text, Node *escontext,
							   MrModelUri *out);

/* The same without a report, for parsers of what holds an address. */
extern bool mr_model_uri_scan(const char *text, MrModelUri *out,
							  MrFault *fault);

/* The canonical text, which is also what a model_uri stores. */
extern char *mr_model_uri_print(const MrModelUri *uri);

/* The same of a version's two addresses, from their parts. */
extern char *mr_model_uri_of_version(const char *team, const char *name,
									 int32 version);
extern char *mr_model_uri_permanent(const pg_uuid_t *identity, int64 model,
									int32 version);

/* The lower-case name of a kind; static storage. */
extern const char *mr_model_uri_kind_name(MrModelUriKind kind);

#endif							/* MODELREG_MODEL_URI_H */
