/*
 * identity.c
 *		A registry begins a new identity: after a restore, or as a copy.
 *
 * Permanent ids of versions begin with the identity under which they were
 * registered.  One that goes on from an earlier state gives numbers again
 * that clients have seen before; under a new identity these are other ids,
 * and those of before, which the versions keep, still resolve.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "audit/audit.h"
#include "audit/audit_tables.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"

PG_FUNCTION_INFO_V1(modelreg_declare_restore);
PG_FUNCTION_INFO_V1(modelreg_new_identity);

static const MrTeam registry_team = {MR_NO_TEAM, "", 0, false};

#define MAX_DIFFERENCES 50		/* of which a message tells */

/* A chain, as a document of audit_head() has it. */
typedef struct Published
{
	const char *chain;
	MrChain		number;
	int64		id;
	int64		seq;
	uint8		hash[MR_HASH_LEN];
} Published;

/* A document being compared with the chains that are here. */
typedef struct Comparison
{
	MrTable    *event;
	MrJson	   *what;			/* gets the chains that are behind */
	int64		ndifferences;
	StringInfoData differences;
} Comparison;

static void
raise_invalid_head(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"published\" is no document of audit_head()"),
			 errdetail_internal("%s", detail),
			 mr_reason("invalid_head")));
}

/* A member of a type that it has to have; text as a C string, numbers too. */
static char *
head_member(JsonbContainer *object, const char *key, enum jbvType type)
{
	JsonbValue	value;

	if (getKeyJsonValueFromContainer(object, key, strlen(key), &value) == NULL ||
		value.type != type)
		raise_invalid_head(psprintf("A %s \"%s\" is missing.",
									type == jbvString ? "text" : "number", key));
	if (type == jbvString)
		return pnstrdup(value.val.string.val, value.val.string.len);
	return DatumGetCString(DirectFunctionCall1(numeric_out,
											   NumericGetDatum(value.val.numeric)));
}

static int64
head_number(JsonbContainer *object, const char *key)
{
	char	   *text = head_member(object, key, jbvNumeric);
	char	   *end;
	int64		number;

	errno = 0;
	number = strtoi64(text, &end, 10);
	if (errno != 0 || *end != '\0' || number < 0)
		raise_invalid_head(psprintf("\"%s\" is %s.", key, text));
	return number;
}

static void
read_published(Published *p, JsonbValue *element)
{
	JsonbContainer *object = element->val.binary.data;
	char	   *hash;

	if (element->type != jbvBinary || !JsonContainerIsObject(object))
		raise_invalid_head("A chain is an object.");
	p->chain = head_member(object, "chain", jbvString);
	p->number = mr_chain_by_name(p->chain);
	if (p->number == 0)
		raise_invalid_head(psprintf("There is no chain \"%s\".", p->chain));
	p->id = head_number(object, "id");
	p->seq = head_number(object, "seq");
	hash = head_member(object, "hash", jbvString);
	if (strlen(hash) != 2 * MR_HASH_LEN)
		raise_invalid_head("A hash has 64 hexadecimal digits.");
	hex_decode(hash, 2 * MR_HASH_LEN, (char *) p->hash);
}

static void
add_behind(MrJson *what, const Published *p, int64 seq)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "chain", p->chain);
	mr_json_add_int(&json, "id", p->id);
	mr_json_add_int(&json, "seq", seq);
	mr_json_add_int(&json, "published", p->seq);
	mr_json_add_element(what, mr_json_end(&json));
}

static void
note_difference(Comparison *c, const Published *p)
{
	if (c->ndifferences++ < MAX_DIFFERENCES)
		appendStringInfo(&c->differences, "%sEvent " INT64_FORMAT " of chain %s/" INT64_FORMAT " is another one than was published.",
						 c->differences.len > 0 ? "\n" : "", p->seq, p->chain, p->id);
}

/* A chain has the event that was published, or ends before it, or differs. */
static void
compare_chain(Comparison *c, const Published *p)
{
	Datum		keys[3];
	int64		seq;

	if (p->seq == 0)
		return;
	keys[0] = Int16GetDatum(p->number);
	keys[1] = Int64GetDatum(p->id);
	keys[2] = Int64GetDatum(p->seq);
	if (mr_table_find_latest(c->event, "event_pkey", 3, keys))
	{
		bytea	   *hash = DatumGetByteaPP(mr_table_get(c->event, EVENT_HASH, NULL));

		if (VARSIZE_ANY_EXHDR(hash) != MR_HASH_LEN ||
			memcmp(VARDATA_ANY(hash), p->hash, MR_HASH_LEN) != 0)
			note_difference(c, p);
		return;
	}
	seq = mr_chain_position(p->number, p->id);
	if (seq < p->seq)
		add_behind(c->what, p, seq);
	else
		note_difference(c, p);
}

/*
 * Compare each chain of a document: those that are behind become an array in
 * the event.  Error 55000 if one has another event than the document says,
 * because then this is no earlier state of what was published.
 */
static void
compare_chains(Jsonb *document, MrJson *what)
{
	Comparison	c = {.event = mr_table_open_read("event"),.what = what};
	JsonbValue	chains;
	JsonbValue	element;
	JsonbIterator *it;

	if (getKeyJsonValueFromContainer(&document->root, "chains", 6, &chains) == NULL ||
		chains.type != jbvBinary || !JsonContainerIsArray(chains.val.binary.data))
		raise_invalid_head("An array \"chains\" is missing.");
	initStringInfo(&c.differences);
	it = JsonbIteratorInit(chains.val.binary.data);
	(void) JsonbIteratorNext(&it, &element, true);	/* WJB_BEGIN_ARRAY */
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		Published	p;

		CHECK_FOR_INTERRUPTS();
		read_published(&p, &element);
		compare_chain(&c, &p);
	}
	mr_table_close(c.event);
	if (c.ndifferences > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the registry is no earlier state of the one whose head was published"),
				 errdetail_internal("%s", c.differences.data),
				 errhint("Something else was written here in its place. Ask modelreg.verify(), and whoever published the head."),
				 mr_reason("head_differs")));
}

static Jsonb *
require_head(FunctionCallInfo fcinfo, int n)
{
	Jsonb	   *document = mr_arg_object_or_null(fcinfo, n, "published");

	if (document != NULL && head_number(&document->root, "format") != 1)
		raise_invalid_head("Its format is not 1.");
	return document;
}

static void
add_published(MrJson *what, Jsonb *document)
{
	char	   *digest = NULL;

	if (document != NULL)
		digest = mr_json_digest(document);
	mr_json_add_text(what, "head", digest);
	mr_json_begin_array(what, "behind");
	if (document != NULL)
		compare_chains(document, what);
	mr_json_end_array(what);
}

static char *
print_identity(Datum identity)
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, identity));
}

/* Give the registry a new identity, by an event; document or NULL. */
static char *
begin_identity(MrVerb *verb, const char *kind, Jsonb *document,
			   const char *reason)
{
	MrHead	   *head = mr_registry_head_lock(verb);
	Datum	   *identity = &head->values[REGISTRY_IDENTITY - 1];
	char	   *replaced = print_identity(*identity);
	MrJson		what;

	*identity = OidFunctionCall0(F_GEN_RANDOM_UUID);
	mr_json_begin(&what);
	mr_json_add_text(&what, "identity", print_identity(*identity));
	mr_json_add_text(&what, "replaced", replaced);
	if (strcmp(kind, "restore_declared") == 0)
		add_published(&what, document);
	mr_event_append(head, verb, kind, mr_json_end(&what), reason);
	mr_head_save(head);
	return print_identity(mr_registry_identity());
}

static Datum
run_identity_verb(FunctionCallInfo fcinfo, const char *name, const char *kind,
				  Jsonb *document, int request_id_arg)
{
	char	   *reason = mr_arg_text(fcinfo, 0, "reason");
	char	   *identity = NULL;
	MrVerb		verb;

	mr_require_registry(MR_ADMIN);
	mr_verb_begin_undeclared(&verb, fcinfo, name, &registry_team, request_id_arg);
	if (!mr_verb_repeats(&verb))
		identity = begin_identity(&verb, kind, document, reason);
	identity = mr_verb_end_text(&verb, "identity", identity);
	return DirectFunctionCall1(uuid_in, CStringGetDatum(identity));
}

/*
 * modelreg.declare_restore(reason text, published jsonb, request_id text)
 *		returns uuid, the new identity
 *
 * Errors: 42501 for who is no admin, 22023 for what is no head, 55000 for one
 * that has other events than the registry.
 */
Datum
modelreg_declare_restore(PG_FUNCTION_ARGS)
{
	Jsonb	   *document = require_head(fcinfo, 1);

	return run_identity_verb(fcinfo, "declare_restore", "restore_declared",
							 document, 2);
}

/* modelreg.new_identity(reason text, request_id text) returns uuid */
Datum
modelreg_new_identity(PG_FUNCTION_ARGS)
{
	return run_identity_verb(fcinfo, "new_identity", "identity_begun", NULL, 1);
}
