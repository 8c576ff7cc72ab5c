/*
 * request.c
 *		What is asked to be recorded of one node, checked.
 */
#include "postgres.h"

#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "lineage/request.h"
#include "types/digest.h"
#include "types/names.h"
#include "types/parse.h"

#define URI_MAX 8192			/* bytes */
#define PROPERTIES_MAX (1024 * 1024)	/* bytes of canonical JSON */

void
mr_request_set_kind(MrNodeRequest *request, const char *kind)
{
	mr_check_node_kind(kind, NULL);
	if (strcmp(kind, MR_NODE_KIND_VERSION) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("nodes of kind \"%s\" are not recorded by hand", kind),
				 errhint("modelreg.register_version() makes them."),
				 mr_reason("reserved_name")));
	if (strcmp(kind, "models") == 0 || strcmp(kind, "modelreg") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("reserved node kind: \"%s\"", kind),
				 errdetail("Addresses that begin with it are those of models and versions."),
				 mr_reason("reserved_name")));
	request->spec.kind = kind;
	request->spec.is_fact = true;
}

/* The rest of the key, for a team in which the caller may record. */
void
mr_request_set_key(MrNodeRequest *request, const char *qualified,
				   const char *version)
{
	char	   *team;
	char	   *name;

	mr_split_qualified_name(qualified, &team, &name, NULL);
	if (version[0] != '\0')
		mr_check_node_version(version, NULL);
	request->team = mr_require_team(team, MR_CONTRIBUTOR);
	request->spec.team = request->team.id;
	request->spec.name = name;
	request->spec.version = version;
}

void
mr_request_set_uri(MrNodeRequest *request, const char *uri)
{
	request->spec.uri = uri;
	if (uri == NULL)
		return;
	for (const char *c = uri; *c != '\0'; c++)
		if ((unsigned char) *c < ' ' || *c == 0x7f)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a URI has no control characters"),
					 errdetail("There is one at byte %d.", (int) (c - uri) + 1),
					 mr_reason("invalid_uri")));
	if (uri[0] == '\0' || strlen(uri) > URI_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a URI has 1 to %d bytes", URI_MAX),
				 mr_reason("invalid_uri")));
}

void
mr_request_set_digest(MrNodeRequest *request, const char *text)
{
	if (text != NULL)
		request->spec.digest = mr_digest_to_cstring(mr_digest_parse(text, NULL));
}

void
mr_request_set_rows(MrNodeRequest *request, int64 rows)
{
	request->rows = rows;
	if (request->rows < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of rows must not be negative: " INT64_FORMAT,
						request->rows),
				 mr_reason("invalid_rows")));
	request->spec.rows = &request->rows;
}

void
mr_request_set_properties(MrNodeRequest *request, Jsonb *properties)
{
	request->properties = properties;
	if (properties != NULL && !JB_ROOT_IS_OBJECT(request->properties))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("properties must be a JSON object"),
				 mr_reason("invalid_properties")));
}

void
mr_request_set_occurred_at(MrNodeRequest *request, TimestampTz at)
{
	mr_check_occurred_at(at);
	request->occurred_at = at;
	request->spec.occurred_at = &request->occurred_at;
}

/* A node stands for an earlier one of the same kind and team. */
void
mr_request_set_supersedes(MrNodeRequest *request, const MrNode *node,
						  const char *address)
{
	MrNodeSpec *spec = &request->spec;

	spec->supersedes = node;
	if (node->team != spec->team || strcmp(node->kind, spec->kind) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("node \"%s\" has another kind or team than what supersedes it",
						mr_text_clip(address)),
				 errdetail("A node supersedes one of its own kind and team, here a %s of team \"%s\".",
						   spec->kind, request->team.name),
				 mr_reason("invalid_supersedes")));
	if (strcmp(node->name, spec->name) == 0 &&
		strcmp(node->version, spec->version) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("node \"%s\" cannot supersede itself",
						mr_text_clip(address)),
				 errhint("Give the new node another name or version."),
				 mr_reason("invalid_supersedes")));
}

/* The text that is stored, once all properties are there. */
void
mr_request_print_properties(MrNodeRequest *request)
{
	char	   *text;

	if (request->properties == NULL)
		return;
	mr_json_check_depth(request->properties, "properties");
	text = mr_json_canonical_cstring(request->properties);
	if (strlen(text) > PROPERTIES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("properties have %zu bytes, more than %d",
						strlen(text), PROPERTIES_MAX),
				 errhint("Store them elsewhere, and record their URI and digest."),
				 mr_reason("properties_too_large")));
	request->spec.properties = text;
}
