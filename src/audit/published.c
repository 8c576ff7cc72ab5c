/*
 * published.c
 *		A document of audit_head() that was kept: reading it, which may hold
 *		anything, and what became of each of its chains.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "audit/audit_tables.h"
#include "audit/published.h"
#include "base/args.h"
#include "base/errors.h"
#include "base/hash.h"
#include "types/parse.h"

static void
raise_invalid_head(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("that is no document of audit_head()"),
			 errdetail_internal("%s", detail),
			 mr_reason("invalid_head")));
}

/* A member of a type that it has to have; text as a C string, numbers too. */
static char *
get_member(JsonbContainer *object, const char *key, enum jbvType type)
{
	JsonbValue	value;

	if (!mr_json_find(object, key, &value) || value.type != type)
		raise_invalid_head(psprintf("A %s \"%s\" is missing.",
									type == jbvString ? "text" : "number", key));
	if (type == jbvString)
		return mr_json_cstring(&value);
	return DatumGetCString(DirectFunctionCall1(numeric_out,
											   NumericGetDatum(value.val.numeric)));
}

static int64
get_number(JsonbContainer *object, const char *key)
{
	char	   *text = get_member(object, key, jbvNumeric);
	char	   *end;
	int64		number;

	errno = 0;
	number = strtoi64(text, &end, 10);
	if (errno != 0 || *end != '\0' || number < 0)
		raise_invalid_head(psprintf("\"%s\" is %s.", key, mr_text_clip(text)));
	return number;
}

static void
get_hash(JsonbContainer *object, uint8 *hash)
{
	char	   *text = get_member(object, "hash", jbvString);

	if (strlen(text) != 2 * MR_HASH_LEN ||
		strspn(text, "0123456789abcdef") != 2 * MR_HASH_LEN)
		raise_invalid_head("A hash has 64 hexadecimal digits.");
	hex_decode(text, 2 * MR_HASH_LEN, (char *) hash);
}

static void
read_chain(MrPublished *p, JsonbValue *element)
{
	JsonbContainer *object = element->val.binary.data;

	if (element->type != jbvBinary || !JsonContainerIsObject(object))
		raise_invalid_head("A chain is an object.");
	p->chain = get_member(object, "chain", jbvString);
	p->number = mr_chain_by_name(p->chain);
	if (p->number == 0)
		raise_invalid_head(psprintf("There is no chain \"%s\".", mr_text_clip(p->chain)));
	p->id = get_number(object, "id");
	p->seq = get_number(object, "seq");
	get_hash(object, p->hash);
}

/* As the server prints one. */
static bool
is_uuid(const char *text)
{
	static const char shape[] = "00000000-0000-0000-0000-000000000000";

	if (strlen(text) != strlen(shape))
		return false;
	for (int i = 0; shape[i] != '\0'; i++)
		if (shape[i] == '-' ? text[i] != '-' :
			strchr("0123456789abcdef", text[i]) == NULL)
			return false;
	return true;
}

/* The identity of the registry whose head it is; NULL before its first event. */
char *
mr_published_identity(Jsonb *document)
{
	JsonbValue	value;
	char	   *identity;

	if (getKeyJsonValueFromContainer(&document->root, "identity", 8, &value) != NULL &&
		value.type == jbvNull)
		return NULL;
	identity = get_member(&document->root, "identity", jbvString);
	if (!is_uuid(identity))
		raise_invalid_head(psprintf("Its identity \"%s\" is no uuid.",
									mr_text_clip(identity)));
	return identity;
}

/* Error 22023 unless it is such a document, as far as its outside shows. */
void
mr_published_check(Jsonb *document)
{
	if (get_number(&document->root, "format") != 1)
		raise_invalid_head("Its format is not 1.");
	(void) mr_published_identity(document);
}

/* An argument that is such a document, or NULL. */
Jsonb *
mr_arg_published(FunctionCallInfo fcinfo, int n)
{
	Jsonb	   *document = mr_arg_object_or_null(fcinfo, n, "published");

	if (document != NULL)
		mr_published_check(document);
	return document;
}

/* Chains come by number and id, each once, and the registry's first. */
static void
check_order(const MrPublished *p, const MrPublished *last)
{
	bool		first = last->number == 0;

	if (first != (p->number == MR_CHAIN_REGISTRY) || (first && p->id != 1))
		raise_invalid_head("The first of its chains, and no other, is registry/1.");
	if (p->number < last->number ||
		(p->number == last->number && p->id <= last->id))
		raise_invalid_head(psprintf("Chain %s/" INT64_FORMAT " is there twice, or not in its place.",
									p->chain, p->id));
}

/* Give each chain of the document, which is gone after it, to a function. */
void
mr_published_each(Jsonb *document, MrPublishedChain chain, void *state)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "modelreg published chain",
												  ALLOCSET_SMALL_SIZES);
	JsonbValue	chains;
	JsonbValue	element;
	JsonbIterator *it;
	MrPublished last = {0};

	if (getKeyJsonValueFromContainer(&document->root, "chains", 6, &chains) == NULL ||
		chains.type != jbvBinary || !JsonContainerIsArray(chains.val.binary.data))
		raise_invalid_head("An array \"chains\" is missing.");
	it = JsonbIteratorInit(chains.val.binary.data);
	(void) JsonbIteratorNext(&it, &element, true);	/* WJB_BEGIN_ARRAY */
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		MrPublished p;

		CHECK_FOR_INTERRUPTS();
		read_chain(&p, &element);
		check_order(&p, &last);
		last = p;
		MemoryContextSwitchTo(old);
		chain(&p, state);
		MemoryContextReset(context);
	}
	if ((mr_published_identity(document) == NULL) != (last.number == 0))
		raise_invalid_head("It has an identity without chains, or chains without an identity.");
	MemoryContextDelete(context);
}

/* The event is not there: what became of the chain, and where it ends. */
static MrExtends
compare_end(const MrPublished *p, Snapshot snapshot, int64 *seq)
{
	static const uint8 zero[MR_HASH_LEN];
	int64		position = mr_chain_position(p->number, p->id, snapshot);

	*seq = Max(position, 0);
	if (position < 0)
		return MR_CHAIN_MISSING;
	if (position < p->seq)
		return MR_CHAIN_BEHIND;
	return p->seq == 0 && memcmp(p->hash, zero, MR_HASH_LEN) == 0 ?
		MR_CHAIN_EXTENDS : MR_CHAIN_DIFFERS;
}

/*
 * What became of a chain: a look into the index of events, and only where
 * that finds nothing one at the chain's head, whose position *seq then is.
 */
MrExtends
mr_published_compare(MrTable *event, const MrPublished *p, Snapshot snapshot,
					 int64 *seq)
{
	Datum		keys[3];
	Datum		stored;
	bytea	   *hash;
	bool		isnull;

	keys[0] = Int16GetDatum(p->number);
	keys[1] = Int64GetDatum(p->id);
	keys[2] = Int64GetDatum(p->seq);
	*seq = p->seq;
	if (!mr_table_find(event, "event_pkey", 3, keys, snapshot))
		return compare_end(p, snapshot, seq);
	stored = mr_table_get(event, EVENT_HASH, &isnull);
	if (isnull)
		return MR_CHAIN_DIFFERS;
	hash = DatumGetByteaPP(stored);
	return VARSIZE_ANY_EXHDR(hash) == MR_HASH_LEN &&
		memcmp(VARDATA_ANY(hash), p->hash, MR_HASH_LEN) == 0 ?
		MR_CHAIN_EXTENDS : MR_CHAIN_DIFFERS;
}
