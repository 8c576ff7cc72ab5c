/*
 * names.c
 *		What names may be, qualified names, and node keys.
 *
 * Names are addresses typed by people and machines, so they hold nothing
 * that cannot be seen or that an address uses itself.  They are compared
 * byte by byte and kept as given.
 */
#include "postgres.h"

#include <ctype.h>

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/row.h"
#include "types/model_uri.h"
#include "types/names.h"
#include "types/stage.h"

typedef struct NameRule
{
	const char *noun;
	Size		max_bytes;
	const char *forbidden;		/* characters that addresses use */
} NameRule;

static const NameRule rules[] = {
	[MR_NAME_TEAM] = {"team name", 63, "./@:"},
	[MR_NAME_OBJECT] = {"name", 255, "/@:"},
	[MR_NAME_ALIAS] = {"alias", 255, "/@:"},
	[MR_NAME_KIND] = {"node kind", 63, NULL},
	[MR_NAME_VERSION] = {"version", 255, ""},
	[MR_NAME_PATH] = {"part of a path", 255, "/\\"}
};

/* First and last of each range of code points, in order. */
typedef struct CodeRange
{
	pg_wchar	first;
	pg_wchar	last;
} CodeRange;

/*
 * Controls, line and paragraph separators, and what turns the direction of
 * text, by which one name can be made to look like another.
 */
static const CodeRange unprintable[] = {
	{0x0000, 0x001F}, {0x007F, 0x009F}, {0x200E, 0x200F}, {0x2028, 0x202E},
	{0x2066, 0x2069}
};

/* What looks like nothing at the edge of a name. */
static const CodeRange blank[] = {
	{0x0020, 0x0020}, {0x00A0, 0x00A0}, {0x1680, 0x1680}, {0x2000, 0x200D},
	{0x202F, 0x202F}, {0x205F, 0x2060}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}
};

/* What else shows nothing: Unicode's default-ignorables, and an empty cell of braille. */
static const CodeRange ignorable[] = {
	{0x00AD, 0x00AD}, {0x034F, 0x034F}, {0x061C, 0x061C}, {0x115F, 0x1160},
	{0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x2061, 0x206F}, {0x2800, 0x2800},
	{0x3164, 0x3164}, {0xFE00, 0xFE0F}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFF8},
	{0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}
};

static bool
code_within(pg_wchar code, const CodeRange *ranges, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	}
	return false;
}

/* Code point of the character of len bytes at p. */
static pg_wchar
code_point(const char *p, int len)
{
	if (len > 1)
		return utf8_to_unicode((const unsigned char *) p);
	return (unsigned char) *p;
}

bool
mr_is_unprintable(const char *p, int len)
{
	return !(*p >= ' ' && *p <= '~') &&
		code_within(code_point(p, len), unprintable, lengthof(unprintable));
}

/* Has a text a character to be seen? */
bool
mr_text_is_visible(const char *text)
{
	for (int len; *text != '\0'; text += len)
	{
		pg_wchar	code;

		CHECK_FOR_INTERRUPTS();
		len = mr_char_length(text);
		code = code_point(text, len);
		if (!(code_within(code, unprintable, lengthof(unprintable)) ||
			  code_within(code, blank, lengthof(blank)) ||
			  code_within(code, ignorable, lengthof(ignorable))))
			return true;
	}
	return false;
}

static bool
kind_char_ok(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		c == '_' || c == '-';
}

/* The character of len bytes at p, held against the rule. */
static bool
scan_char(const NameRule *rule, const char *p, int len, MrFault *fault)
{
	if (rule->forbidden == NULL)
	{
		if (kind_char_ok(*p))
			return true;
		return mr_fault_set(fault, p,
							"a %s has only lower-case letters, digits, \"_\" and \"-\".",
							rule->noun);
	}
	if (mr_is_unprintable(p, len))
		return mr_fault_set(fault, p, "the %s has a control character.",
							rule->noun);
	for (const char *f = rule->forbidden; *f != '\0'; f++)
		if (*f == *p)
			return mr_fault_set(fault, p, "the %s has a \"%c\".", rule->noun, *p);
	return true;
}

static bool
scan_edges(const NameRule *rule, const char *start, const char *last,
		   int last_len, MrFault *fault)
{
	pg_wchar	first_code = code_point(start, mr_char_length(start));
	pg_wchar	last_code = code_point(last, last_len);

	if (code_within(first_code, blank, lengthof(blank)))
		return mr_fault_set(fault, start, "the %s begins with a space.",
							rule->noun);
	if (code_within(last_code, blank, lengthof(blank)))
		return mr_fault_set(fault, last, "the %s ends with a space.",
							rule->noun);
	return true;
}

bool
mr_name_scan(MrNamePart part, const char *start, Size len, MrFault *fault)
{
	const NameRule *rule = &rules[part];
	const char *last = start;
	int			char_len = 0;

	if (len == 0)
		return mr_fault_set(fault, start, "the %s is empty.", rule->noun);
	if (len > rule->max_bytes)
		return mr_fault_set(fault, start,
							"the %s has %zu bytes, more than %zu.",
							rule->noun, len, rule->max_bytes);
	for (const char *p = start; p < start + len; p += char_len)
	{
		char_len = IS_HIGHBIT_SET(*p) ? mr_char_length(p) : 1;
		last = p;
		if (!scan_char(rule, p, char_len, fault))
			return false;
	}
	return scan_edges(rule, start, last, char_len, fault);
}

/*
 * Is it "latest", a stage, a number, or a v and a number?  "@Production" would
 * be taken for "/Production".
 */
static bool
alias_is_reserved(const char *start, Size len)
{
	Size		digits = (*start == 'v' || *start == 'V') ? 1 : 0;

	if (len == strlen("latest") && pg_strncasecmp(start, "latest", len) == 0)
		return true;
	if (mr_stage_lookup(start, len) != MR_STAGE_NONE)
		return true;
	for (Size i = digits; i < len; i++)
	{
		if (!isdigit((unsigned char) start[i]))
			return false;
	}
	return len > digits;
}

bool
mr_alias_scan(const char *start, Size len, MrFault *fault)
{
	if (!mr_name_scan(MR_NAME_ALIAS, start, len, fault))
		return false;
	if (alias_is_reserved(start, len))
		return mr_fault_set(fault, start, "the alias \"%s\" is reserved.",
							mr_text_clip_part(start, len));
	return true;
}

bool
mr_qualified_name_scan(const char *start, Size len, char **team, char **name,
					   MrFault *fault)
{
	const char *dot = memchr(start, '.', len);
	Size		team_len = dot == NULL ? len : dot - start;
	Size		name_len = dot == NULL ? 0 : len - team_len - 1;

	if (!mr_name_scan(MR_NAME_TEAM, start, team_len, fault))
		return false;
	if (dot == NULL)
		return mr_fault_set(fault, start + len,
							"a dot and a name must follow the team.");
	if (!mr_name_scan(MR_NAME_OBJECT, dot + 1, name_len, fault))
		return false;
	*team = pnstrdup(start, team_len);
	*name = pnstrdup(dot + 1, name_len);
	return true;
}

/* Reports a name with a fault, softly if it can; returns false. */
static bool
name_error(const char *noun, const char *text, const MrFault *fault,
		   Node *escontext)
{
	ereturn(escontext, false,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid %s: \"%s\"", noun, mr_text_clip(text)),
			 errdetail("At character %d: %s",
					   mr_fault_position(text, fault), fault->what),
			 mr_reason("invalid_name")));
}

static bool
check_name(MrNamePart part, const char *name, Node *escontext)
{
	MrFault		fault;

	return mr_name_scan(part, name, strlen(name), &fault) ||
		name_error(rules[part].noun, name, &fault, escontext);
}

bool
mr_check_team_name(const char *name, Node *escontext)
{
	return check_name(MR_NAME_TEAM, name, escontext);
}

bool
mr_check_object_name(const char *name, Node *escontext)
{
	return check_name(MR_NAME_OBJECT, name, escontext);
}

bool
mr_check_node_kind(const char *kind, Node *escontext)
{
	return check_name(MR_NAME_KIND, kind, escontext);
}

bool
mr_check_node_version(const char *version, Node *escontext)
{
	return check_name(MR_NAME_VERSION, version, escontext);
}

bool
mr_check_alias_name(const char *name, Node *escontext)
{
	if (!check_name(MR_NAME_ALIAS, name, escontext))
		return false;
	if (alias_is_reserved(name, strlen(name)))
		ereturn(escontext, false,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("reserved alias: \"%s\"", mr_text_clip(name)),
				 errdetail("The names \"latest\", a stage, a number, and \"v\" with a number cannot be aliases."),
				 mr_reason("reserved_name")));
	return true;
}

bool
mr_split_qualified_name(const char *text, char **team, char **name,
						Node *escontext)
{
	MrFault		fault;

	return mr_qualified_name_scan(text, strlen(text), team, name, &fault) ||
		name_error("name", text, &fault, escontext);
}

/* The models:/ address of a version as a node key. */
static bool
scan_version_address(const char *text, MrNodeKey *key, MrFault *fault)
{
	MrModelUri	uri;

	if (!mr_model_uri_scan(text, &uri, fault))
		return false;
	if (uri.kind != MR_URI_VERSION)
		return mr_fault_set(fault, text,
							"only the address of a version with its number is a node.");
	key->kind = pstrdup(MR_NODE_KIND_VERSION);
	key->team = uri.team;
	key->name = uri.name;
	key->version = psprintf("%d", uri.version);
	return true;
}

/* The version of a node of a kind; of a model version it is a number. */
static bool
scan_node_version(const char *kind, const char *version, MrFault *fault)
{
	int64		number;

	if (strcmp(kind, MR_NODE_KIND_VERSION) == 0)
		return mr_number_scan(version, strlen(version), PG_INT32_MAX,
							  "version number", &number, fault);
	return mr_name_scan(MR_NAME_VERSION, version, strlen(version), fault);
}

/* What follows the colon of kind:team.name[@version]. */
static bool
scan_node_name(const char *start, MrNodeKey *key, MrFault *fault)
{
	const char *end = start + strcspn(start, "@");

	if (!mr_qualified_name_scan(start, end - start, &key->team, &key->name,
								fault))
		return false;
	if (*end == '\0')
	{
		key->version = pstrdup("");
		if (strcmp(key->kind, MR_NODE_KIND_VERSION) == 0)
			return mr_fault_set(fault, end,
								"a model version needs its number.");
		return true;
	}
	key->version = pstrdup(end + 1);
	return scan_node_version(key->kind, end + 1, fault);
}

bool
mr_node_key_scan(const char *text, MrNodeKey *key, MrFault *fault)
{
	Size		kind_len = strcspn(text, ":");

	if (strncmp(text, MR_URI_MODELS, strlen(MR_URI_MODELS)) == 0)
		return scan_version_address(text, key, fault);
	if (text[kind_len] == '\0')
		return mr_fault_set(fault, text,
							"a node begins with its kind and a colon, as in \"run:\".");
	if (!mr_name_scan(MR_NAME_KIND, text, kind_len, fault))
		return false;
	key->kind = pnstrdup(text, kind_len);
	return scan_node_name(text + kind_len + 1, key, fault);
}

bool
mr_node_key_parse(const char *text, Node *escontext, MrNodeKey *key)
{
	MrFault		fault;

	return mr_node_key_scan(text, key, &fault) ||
		name_error("node key", text, &fault, escontext);
}

/* A walk prints a million of these, at a third of what psprintf() takes. */
static char *
join(const char *const *parts, int n)
{
	size_t		lengths[8];
	size_t		length = 0;
	char	   *joined;
	char	   *end;

	Assert(n <= lengthof(lengths));
	for (int i = 0; i < n; i++)
		length += lengths[i] = strlen(parts[i]);
	joined = end = palloc(length + 1);
	for (int i = 0; i < n; i++)
	{
		memcpy(end, parts[i], lengths[i]);
		end += lengths[i];
	}
	*end = '\0';
	return joined;
}

char *
mr_node_key_print(const MrNodeKey *key)
{
	if (strcmp(key->kind, MR_NODE_KIND_VERSION) == 0)
	{
		const char *parts[] = {MR_URI_MODELS, key->team, ".", key->name, "/", key->version};

		return join(parts, lengthof(parts));
	}
	else
	{
		const char *parts[] = {key->kind, ":", key->team, ".", key->name, "@", key->version};

		return join(parts, key->version[0] == '\0' ? 5 : 7);
	}
}

/* The fields of a node key, and the key as it is printed. */
PG_FUNCTION_INFO_V1(modelreg_parse_node_key);
Datum
modelreg_parse_node_key(PG_FUNCTION_ARGS)
{
	MrNodeKey	key;
	Datum		values[5];
	bool		nulls[5] = {false};

	mr_node_key_parse(text_to_cstring(PG_GETARG_TEXT_PP(0)), NULL, &key);
	values[0] = CStringGetTextDatum(key.kind);
	values[1] = CStringGetTextDatum(key.team);
	values[2] = CStringGetTextDatum(key.name);
	values[3] = CStringGetTextDatum(key.version);
	values[4] = CStringGetTextDatum(mr_node_key_print(&key));
	return mr_make_record(fcinfo, values, nulls);
}

/* Returns the name that it was given, or raises what is wrong with it. */
PG_FUNCTION_INFO_V1(modelreg_check_name);
Datum
modelreg_check_name(PG_FUNCTION_ARGS)
{
	char	   *what = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *team;
	char	   *rest;

	if (strcmp(what, "team") == 0)
		mr_check_team_name(name, NULL);
	else if (strcmp(what, "qualified") == 0)
		mr_split_qualified_name(name, &team, &rest, NULL);
	else if (strcmp(what, "object") == 0)
		mr_check_object_name(name, NULL);
	else if (strcmp(what, "alias") == 0)
		mr_check_alias_name(name, NULL);
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown sort of name: \"%s\"", mr_text_clip(what)),
				 errhint("Known are team, qualified, object and alias."),
				 mr_reason("invalid_name")));
	PG_RETURN_DATUM(PG_GETARG_DATUM(1));
}
