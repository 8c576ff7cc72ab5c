/*
 * governance.c
 *		Targets for what governance reads: documents of policies, envelopes
 *		with signed statements, and signatures and schemas that are compared.
 *
 * Of a policy that is taken the target asks again, in its own way, that each
 * promotion to Production asks for all that another move asks for.  An envelope
 * is read as one that says the same.  What is compared is compatible with
 * itself, and the other way round with the other mode.
 */
#include "postgres.h"

#include "common/base64.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "attestation/attestation.h"
#include "base/compat.h"
#include "base/hash.h"
#include "governance/policy.h"
#include "registry/compatibility.h"
#include "registry/signature.h"
#include "fuzz.h"

#define MAX_TYPES 3				/* within each other */

/* Our library, whose functions are called by their names, is loaded with the first that fmgr looks up. */
static void
load_library(void)
{
	static FmgrInfo function;

	if (function.fn_oid == InvalidOid)
		fmgr_info_cxt(function_oid("modelreg.canonical_json(jsonb)"), &function, TopMemoryContext);
}

/* A function of ours that takes pointers, as fmgr calls it. */
static bool
try_direct(PGFunction call, Datum a, Datum b)
{
	Datum		args[] = {a, b};
	FmgrInfo	function = {.fn_addr = call,.fn_nargs = 2};
	Datum		result;

	return try_call(&function, 2, args, &result);
}

static Datum
parse_json(PG_FUNCTION_ARGS)
{
	*(Jsonb **) PG_GETARG_POINTER(1) =
		DatumGetJsonbP(DirectFunctionCall1(jsonb_in, PG_GETARG_DATUM(0)));
	PG_RETURN_BOOL(true);
}

/* NULL for what is no JSON. */
static Jsonb *
read_json(const char *text)
{
	Jsonb	   *json = NULL;

	return try_direct(parse_json, CStringGetDatum(text), PointerGetDatum(&json)) ? json : NULL;
}

static const char *
one_of(Source *source, const char *const *words, int n)
{
	return words[next_byte(source) % n];
}

/* Some of the words, as an array of strings; each as a bit, so that none is there twice. */
static char *
some_of(Source *source, const char *const *words, int n)
{
	StringInfoData buf;
	uint8		bits = next_byte(source);

	initStringInfo(&buf);
	for (int i = 0; i < n; i++)
		if (bits & 1 << i)
			appendStringInfo(&buf, "%s\"%s\"", buf.len > 0 ? ", " : "", words[i]);
	return psprintf("[%s]", buf.data);
}

/* POLICIES */

static const char *const stages[] = {"Experimental", "Staging", "Production", "Archived"};
static const char *const levels[] = {"contributor", "evaluator", "reviewer", "maintainer"};
static const char *const gate_names[] = {"a", "b", "c", "d"};

/* Members of gates, most of which do not go together. */
static const char *const gate_members[] = {
	"\"kind\": \"evaluation\"", "\"kind\": \"metric\"", "\"kind\": \"fairness\"", "\"kind\": \"quarantine\"",
	"\"kind\": \"attestation\"", "\"kind\": \"model_card\"", "\"kind\": \"artifacts\"", "\"kind\": \"signature\"",
	"\"evaluation\": \"offline\"", "\"metric\": \"auc\"", "\"at_least\": 1", "\"at_most\": 0.5", "\"min_gain\": -0.1",
	"\"max_spread\": 0.1", "\"slices\": [\"a\", \"b\"]", "\"passed\": true", "\"max_age_days\": 30", "\"severity\": \"warn\"",
	"\"roles\": [\"training\"]", "\"predicate_type\": \"p\"", "\"keys\": [\"k\"]", "\"sections\": [\"s\"]", "\"mode\": \"FULL\"",
	"\"better\": \"lower\"", "\"dataset\": \"snapshot:t.s\"", "\"names\": [\"w\"]", "\"needs\": [\"run\"]"
};

static void
append_gates(StringInfo buf, Source *source)
{
	appendStringInfoString(buf, "\"gates\": {");
	for (int i = 0; i < lengthof(gate_names); i++)
	{
		int			n = next_byte(source) % 4;

		appendStringInfo(buf, "%s\"%s\": {", i > 0 ? ", " : "", gate_names[i]);
		if (n == 0)
			appendStringInfoString(buf, "\"kind\": \"model_card\"");
		for (int k = 0; k < n; k++)
			appendStringInfo(buf, "%s%s", k > 0 ? ", " : "",
							 one_of(source, gate_members, lengthof(gate_members)));
		appendStringInfoChar(buf, '}');
	}
	appendStringInfoChar(buf, '}');
}

static void
append_transition(StringInfo buf, Source *source)
{
	uint8		b = next_byte(source);

	appendStringInfo(buf, "{\"from\": %s, ", some_of(source, stages, lengthof(stages)));
	appendStringInfo(buf, "\"to\": \"%s\", ", one_of(source, stages, lengthof(stages)));
	appendStringInfo(buf, "\"gates\": %s, ", some_of(source, gate_names, lengthof(gate_names)));
	if (b & 1)
		appendStringInfo(buf, "\"approvals\": %d, \"approvers\": %s, ", (b >> 4) % 4,
						 some_of(source, levels, lengthof(levels)));
	if (b & 2)
		appendStringInfoString(buf, "\"automatic\": true, ");
	appendStringInfo(buf, "\"levels\": %s}", some_of(source, levels, lengthof(levels)));
}

/* A document with the members that there are. */
static char *
next_policy(Source *source)
{
	StringInfoData buf;
	int			n = 1 + next_byte(source) % 4;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"format\": 1, \"transitions\": [");
	for (int i = 0; i < n; i++)
	{
		appendStringInfoString(&buf, i > 0 ? ", " : "");
		append_transition(&buf, source);
	}
	appendStringInfoString(&buf, "], ");
	append_gates(&buf, source);
	appendStringInfo(&buf, ", \"emergency\": {\"levels\": %s}}", some_of(source, levels, lengthof(levels)));
	return buf.data;
}

static bool
asks_for_gate(const MrPolicyTransition *way, int gate)
{
	for (int i = 0; i < way->ngates; i++)
		if (way->gates[i] == gate)
			return true;
	return false;
}

/* Whoever takes the one way to Production has been asked for what the other asks. */
static void
check_ways(const MrPolicy *policy, const MrPolicyTransition *to_production, const MrPolicyTransition *other)
{
	if (other->to != MR_STAGE_STAGING && other->to != MR_STAGE_PRODUCTION)
		return;
	check(to_production->approvals >= other->approvals);
	for (int i = 0; i < other->ngates; i++)
		check(!policy->gates[other->gates[i]].blocks || asks_for_gate(to_production, other->gates[i]));
}

static void
check_policy(const MrPolicy *policy)
{
	int			n = policy->ntransitions;
	bool		leads = false;

	check(policy->distinct[MR_PART_APPROVER][MR_PART_REQUESTER]);
	check(policy->distinct[MR_PART_REGISTRANT][MR_PART_APPROVER]);
	for (int i = 0; i < n; i++)
	{
		const MrPolicyTransition *way = &policy->transitions[i];

		check(way->levels != 0 && way->from != 0 && !(way->from & MR_STAGE_BIT(way->to)));
		check((way->approvals > 0) == (way->approvers != 0));
		check(!way->automatic || (way->approvals == 0 && way->ngates > 0));
		for (MrStage from = MR_STAGE_EXPERIMENTAL; from <= MR_STAGE_ARCHIVED; from++)
			if (way->from & MR_STAGE_BIT(from))
				check(mr_policy_transition(policy, from, way->to) == way);
		leads |= way->to == MR_STAGE_PRODUCTION;
		for (int k = 0; way->to == MR_STAGE_PRODUCTION && k < n; k++)
			check_ways(policy, way, &policy->transitions[k]);
	}
	check(leads);
}

static Datum
parse_policy(PG_FUNCTION_ARGS)
{
	Jsonb	   *document = (Jsonb *) PG_GETARG_POINTER(0);
	StringInfoData mistakes;
	MrPolicy   *policy;

	initStringInfo(&mistakes);
	policy = mr_policy_parse(document, &mistakes);
	check(is_text((uint8 *) mistakes.data, mistakes.len));
	if (mistakes.len == 0)
		check_policy(policy);
	PG_RETURN_BOOL(true);
}

static void
try_policy(const char *text)
{
	Jsonb	   *document = read_json(text);

	if (document != NULL && JB_ROOT_IS_OBJECT(document))
		try_direct(parse_policy, PointerGetDatum(document), (Datum) 0);
}

/* A text of JSON as it is, any document, and one that is nearly a policy. */
void
fuzz_policy(const uint8 *data, size_t len, const char *unused)
{
	Source		source = {data, data + len};

	load_library();
	if (is_text(data, len))
		try_policy(pnstrdup((const char *) data, len));
	try_policy(next_policy(&source));
	try_policy(next_document(&source, false));
}

/* ENVELOPES */

static char *
base64(Source *source, const char *text, int len)
{
	int			size = pg_b64_enc_len(len);
	char	   *out = palloc(size + 1);
	int			n = mr_b64_encode((const uint8 *) text, len, out, size);
	uint8		b = next_byte(source);

	check(n >= 0);
	out[n] = '\0';
	for (char *p = out; (b & 1) && *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	while ((b & 2) && n > 0 && out[n - 1] == '=')
		out[--n] = '\0';
	return out;
}

static char *
quoted(const char *text)
{
	StringInfoData buf;

	initStringInfo(&buf);
	escape_json(&buf, text);
	return buf.data;
}

/* An envelope over a payload, with a few signatures. */
static char *
make_envelope(Source *source, const char *payload)
{
	StringInfoData buf;
	int			n = next_byte(source) % 4;

	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"payloadType\": \"application/vnd.in-toto+json\", \"payload\": \"%s\", \"signatures\": [",
					 base64(source, payload, strlen(payload)));
	for (int i = 0; i < n; i++)
	{
		char	   *bytes = next_text(source);

		appendStringInfo(&buf, "%s{\"keyid\": %s, \"sig\": \"%s\"}", i > 0 ? ", " : "",
						 quoted(next_text(source)), base64(source, bytes, strlen(bytes)));
	}
	appendStringInfoString(&buf, "]}");
	return buf.data;
}

/* The statement, with something made up, and a member that is there twice if that is said. */
static char *
make_statement(Source *source, const char *twice)
{
	return psprintf("{\"_type\": \"https://in-toto.io/Statement/v1\", \"predicateType\": %s, %s\"subject\": [{\"name\": %s, "
					"\"digest\": {\"sha256\": \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}}, %s], \"predicate\": %s}",
					quoted(next_text(source)), twice, quoted(next_text(source)),
					next_document(source, false), next_document(source, true));
}

typedef struct Reading
{
	MrEnvelope	envelope;
	const char *wrong;
} Reading;

static Datum
read_envelope(PG_FUNCTION_ARGS)
{
	Reading    *reading = (Reading *) PG_GETARG_POINTER(1);

	reading->wrong = mr_envelope_read((Jsonb *) PG_GETARG_POINTER(0), &reading->envelope);
	PG_RETURN_BOOL(true);
}

/* Was it taken?  What is wrong with an envelope is no error. */
static bool
is_envelope(Jsonb *json, Reading *reading)
{
	return json != NULL && try_direct(read_envelope, PointerGetDatum(json), PointerGetDatum(reading)) &&
		reading->wrong == NULL;
}

static void
same_envelope(const MrEnvelope *a, const MrEnvelope *b)
{
	check(strcmp(a->normal, b->normal) == 0);
	check(strcmp(a->predicate_type, b->predicate_type) == 0);
	check(a->signed_len == b->signed_len && memcmp(a->signed_bytes, b->signed_bytes, a->signed_len) == 0);
	check(a->nsignatures == b->nsignatures && a->nsignatures > 0);
	for (int i = 0; i < a->nsignatures; i++)
		check(strcmp(a->signatures[i].keyid, b->signatures[i].keyid) == 0 &&
			  a->signatures[i].len == b->signatures[i].len && a->signatures[i].len > 0 &&
			  memcmp(a->signatures[i].bytes, b->signatures[i].bytes, a->signatures[i].len) == 0);
}

/* What is kept of an envelope is one, and is what is kept of it. */
static void
try_envelope(const char *text)
{
	Reading		reading = {0};
	Reading		again = {0};

	if (!is_envelope(read_json(text), &reading))
	{
		check(reading.wrong == NULL || is_text((uint8 *) reading.wrong, strlen(reading.wrong)));
		return;
	}
	check(is_envelope(read_json(reading.envelope.normal), &again));
	same_envelope(&reading.envelope, &again.envelope);
	check(mr_statement_is_about(&reading.envelope, "no digest") == mr_statement_is_about(&again.envelope, "no digest"));
	(void) mr_statement_other_name(&reading.envelope, "modelreg:", "modelreg:1");
}

/* A text as it is, and as a payload; envelopes over statements, and over such with a member twice, in two spellings. */
void
fuzz_envelope(const uint8 *data, size_t len, const char *unused)
{
	static const char *const twice[] = {
		"\"_type\": 1, ", "\"\\u005ftype\": [], ", "\"predicate\": 0, ", "\"subject\": [], ", "\"a\": {\"b\": 1, \"\\u0062\": 2}, ",
		"\"a\": [{\":\": 1, \"\\u003a\": \"\\\\\\\":\"}], "
	};
	Source		source = {data, data + len};
	Reading		reading = {0};

	load_library();
	if (is_text(data, len))
	{
		try_envelope(pnstrdup((const char *) data, len));
		try_envelope(make_envelope(&source, pnstrdup((const char *) data, len)));
	}
	try_envelope(make_envelope(&source, make_statement(&source, "")));
	check(!is_envelope(read_json(make_envelope(&source, make_statement(&source, one_of(&source, twice, lengthof(twice))))),
					   &reading));
}

/* SIGNATURES AND SCHEMAS */

static void
append_type(StringInfo buf, Source *source, int depth)
{
	static const char *const names[] = {
		"boolean", "integer", "long", "float", "double", "string", "datetime", "any", "int64", "decimal(10,2)", "what"
	};
	uint8		b = next_byte(source);

	if (b & 1)
		appendStringInfo(buf, "\"required\": %s, ", b & 2 ? "true" : "false");
	b = next_byte(source) % (depth < MAX_TYPES ? 8 : 4);
	if (b < 4)
		appendStringInfo(buf, "\"type\": \"%s\"", one_of(source, names, lengthof(names)));
	else if (b == 4)
		appendStringInfo(buf, "\"type\": \"tensor\", \"tensor-spec\": {\"dtype\": \"float%d\", \"shape\": [-1, %d]}",
						 32 << next_byte(source) % 2, next_byte(source) % 4);
	else
	{
		appendStringInfoString(buf, b == 5 ? "\"type\": \"array\", \"items\": {" : b == 6 ? "\"type\": \"map\", \"values\": {" :
							   "\"type\": \"object\", \"properties\": {\"p\": {");
		append_type(buf, source, depth + 1);
		appendStringInfoString(buf, b == 7 ? "}}" : "}");
	}
}

/* Columns, named by few names or by none. */
static char *
next_columns(Source *source)
{
	StringInfoData buf;
	int			n = next_byte(source) % 5;
	bool		named = next_byte(source) % 4 != 0;

	initStringInfo(&buf);
	for (int i = 0; i < n; i++)
	{
		appendStringInfoString(&buf, i > 0 ? ", {" : "{");
		if (named)
			appendStringInfo(&buf, "\"name\": \"%c%d\", ", 'a' + next_byte(source) % 4, next_byte(source) % 2);
		append_type(&buf, source, 0);
		appendStringInfoChar(&buf, '}');
	}
	return psprintf("[%s]", buf.data);
}

static char *
next_signature(Source *source)
{
	uint8		b = next_byte(source);

	return psprintf("{\"inputs\": %s%s%s}", next_columns(source),
					b & 1 ? psprintf(", \"outputs\": %s", next_columns(source)) : "",
					b & 2 ? psprintf(", \"params\": [{\"name\": \"p%d\", \"type\": \"long\", \"default\": %d}]", b >> 7, b >> 4) : "");
}

static char *
next_schema(Source *source)
{
	switch (next_byte(source) % 4)
	{
		case 0:
			return psprintf("{\"fields\": %s}", next_columns(source));
		case 1:
			return next_columns(source);
		case 2:
			return psprintf("{\"a\": \"%s\", \"b\": %s}", next_byte(source) % 2 ? "int" : "bigint", next_document(source, false));
		default:
			return next_document(source, false);
	}
}

typedef struct Pair
{
	bool		signatures;		/* else schemas */
	Jsonb	   *a;
	Jsonb	   *b;
} Pair;

static void
count_report(const char *side, const char *item, const char *detail, void *arg)
{
	check(side == NULL || is_text((uint8 *) side, strlen(side)));
	check(item == NULL || is_text((uint8 *) item, strlen(item)));
	check(is_text((uint8 *) detail, strlen(detail)) && *detail != '\0');
	++*(int64 *) arg;
}

static int64
count_incompatibilities(const Pair *pair, bool reverse, MrCompatibility mode)
{
	Jsonb	   *a = reverse ? pair->b : pair->a;
	Jsonb	   *b = reverse ? pair->a : pair->b;
	int64		n = 0;

	if (pair->signatures)
		mr_signature_compare(a, b, mode, count_report, &n);
	else
		mr_schema_compare(a, b, mode, count_report, &n);
	return n;
}

static Datum
compare_pair(PG_FUNCTION_ARGS)
{
	const Pair *pair = (const Pair *) PG_GETARG_POINTER(0);
	Pair		same = {pair->signatures, pair->a, pair->a};
	int64		backward = count_incompatibilities(pair, false, MR_BACKWARD);
	int64		forward = count_incompatibilities(pair, false, MR_FORWARD);

	check(count_incompatibilities(pair, false, MR_FULL) == backward + forward);
	check(count_incompatibilities(pair, true, MR_BACKWARD) == forward);
	check(count_incompatibilities(pair, true, MR_FORWARD) == backward);
	check(count_incompatibilities(&same, false, MR_FULL) == 0);
	PG_RETURN_BOOL(true);
}

static void
try_pair(bool signatures, Jsonb *a, Jsonb *b)
{
	Pair		pair = {signatures, a, b};

	if (a != NULL && b != NULL)
		try_direct(compare_pair, PointerGetDatum(&pair), (Datum) 0);
}

static Datum
normalize(PG_FUNCTION_ARGS)
{
	*(Jsonb **) PG_GETARG_POINTER(1) = mr_signature_normalize((Jsonb *) PG_GETARG_POINTER(0));
	PG_RETURN_BOOL(true);
}

static Jsonb *
read_signature(const char *text)
{
	Jsonb	   *json = read_json(text);
	Jsonb	   *normal = NULL;

	return json != NULL && try_direct(normalize, PointerGetDatum(json), PointerGetDatum(&normal)) ? normal : NULL;
}

/* Two signatures and two schemas, and a text of JSON with each. */
void
fuzz_compatibility(const uint8 *data, size_t len, const char *unused)
{
	Source		source = {data, data + len};
	Jsonb	   *signature;
	Jsonb	   *schema;

	load_library();
	signature = read_signature(next_signature(&source));
	try_pair(true, signature, read_signature(next_signature(&source)));
	schema = read_json(next_schema(&source));
	try_pair(false, schema, read_json(next_schema(&source)));
	if (!is_text(data, len))
		return;
	try_pair(true, signature, read_signature(pnstrdup((const char *) data, len)));
	try_pair(false, schema, read_json(pnstrdup((const char *) data, len)));
}
