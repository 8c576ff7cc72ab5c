/*
 * names.h
 *		What names may be, and the addresses built of them.
 */
#ifndef MODELREG_NAMES_H
#define MODELREG_NAMES_H

#include "nodes/nodes.h"

#include "types/parse.h"

/* A part of an address; names.c holds the rule for each. */
typedef enum MrNamePart
{
	MR_NAME_TEAM,
	MR_NAME_OBJECT,				/* what follows the team: a model, a node */
	MR_NAME_ALIAS,
	MR_NAME_KIND,				/* of a lineage node */
	MR_NAME_VERSION,			/* of a lineage node: any printable text */
	MR_NAME_PATH				/* what is between the slashes of a path */
} MrNamePart;

/*
 * The address of a lineage node, kind:team.name[@version].  A model version
 * has the kind "version" and its number as version, and is written as its
 * models:/ address.  Without a version that field is "", never NULL.
 */
typedef struct MrNodeKey
{
	char	   *kind;
	char	   *team;
	char	   *name;
	char	   *version;
} MrNodeKey;

#define MR_NODE_KIND_VERSION "version"
#define MR_NODE_KIND_RUN "run"
#define MR_NODE_KIND_SNAPSHOT "snapshot"
#define MR_NODE_KIND_COMMIT "commit"
#define MR_NODE_KIND_TRANSFORM "transform"

/* Does a character, of so many bytes, show nothing or turn the direction of text? */
extern bool mr_is_unprintable(const char *p, int len);
extern bool mr_text_is_visible(const char *text);

/*
 * These raise what is wrong, or save the error if escontext can take it and
 * return false (NULL).  A name is refused with 22023, a reserved alias with
 * 42939.
 */
extern bool mr_check_team_name(const char *name, Node *escontext);
extern bool mr_check_object_name(const char *name, Node *escontext);
extern bool mr_check_alias_name(const char *name, Node *escontext);
extern bool mr_check_node_kind(const char *kind, Node *escontext);
extern bool mr_check_node_version(const char *version, Node *escontext);
extern bool mr_split_qualified_name(const char *text, char **team,
									char **name, Node *escontext);
extern bool mr_node_key_parse(const char *text, Node *escontext,
							  MrNodeKey *key);
extern char *mr_node_key_print(const MrNodeKey *key);

/* The same over a part of a text, without a report, for parsers. */
extern bool mr_name_scan(MrNamePart part, const char *start, Size len,
						 MrFault *fault);
extern bool mr_alias_scan(const char *start, Size len, MrFault *fault);
extern bool mr_node_key_scan(const char *text, MrNodeKey *key,
							 MrFault *fault);
extern bool mr_qualified_name_scan(const char *start, Size len, char **team,
								   char **name, MrFault *fault);

#endif							/* MODELREG_NAMES_H */
