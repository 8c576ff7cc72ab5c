/*
 * envelope.c
 *		DSSE envelopes and the in-toto statements in them: their form.
 *
 * An envelope is {"payload": base64, "payloadType": text, "signatures":
 * [{"keyid": text, "sig": base64}]}.  What is signed is its pre-authentication
 * encoding, "DSSEv1" and the two texts with their lengths, so that a payload
 * signed as one type never passes for another.  Of the envelope only these
 * members are kept: others are covered by no signature.
 *
 * Two readers of a statement must not see two statements in it, so no member
 * of an object may occur twice; jsonb keeps one of them, and JSON text has a
 * colon outside of strings for each.
 */
#include "postgres.h"

#include "common/base64.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "attestation/attestation.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/hash.h"
#include "types/parse.h"

#define PAYLOAD_TYPE "application/vnd.in-toto+json"
#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"

#define SIGNATURES_MAX 16
#define PREDICATE_TYPE_MAX 1000 /* bytes: it stands in an index */
#define KEYID_MAX 1000

/* A text member of an object, or NULL. */
static char *
get_text(JsonbContainer *object, const char *key)
{
	JsonbValue	value;

	if (!mr_json_find(object, key, &value) || value.type != jbvString)
		return NULL;
	return mr_json_cstring(&value);
}

/* A member that is an array or an object, or NULL. */
static JsonbContainer *
get_container(JsonbContainer *object, const char *key, bool is_array)
{
	JsonbValue	value;

	if (!mr_json_find(object, key, &value) || value.type != jbvBinary ||
		JsonContainerIsArray(value.val.binary.data) != is_array)
		return NULL;
	return value.val.binary.data;
}

/* An element that is an object, or NULL. */
static JsonbContainer *
get_object(const JsonbValue *element)
{
	if (element->type != jbvBinary || !JsonContainerIsObject(element->val.binary.data))
		return NULL;
	return element->val.binary.data;
}

/*
 * Bytes of a member in base64, of the standard or the URL-safe alphabet, with
 * or without padding; NULL for anything else.
 */
static uint8 *
get_base64(JsonbContainer *object, const char *key, int *len)
{
	char	   *text = get_text(object, key);
	int			n = text == NULL ? 0 : strlen(text);
	char	   *padded;
	uint8	   *bytes;

	if (text == NULL)
		return NULL;
	padded = psprintf("%s%.*s", text, (4 - n % 4) % 4, "===");
	for (char *p = padded; *p != '\0'; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	n = strlen(padded);
	bytes = palloc(pg_b64_dec_len(n) + 1);
	*len = mr_b64_decode(padded, n, bytes, pg_b64_dec_len(n));
	return *len < 0 ? NULL : bytes;
}

static char *
print_base64(const uint8 *bytes, int len)
{
	int			size = pg_b64_enc_len(len);
	char	   *text = palloc(size + 1);
	int			n = mr_b64_encode(bytes, len, text, size);

	if (n < 0)
		elog(ERROR, "could not encode base64");
	text[n] = '\0';
	return text;
}

/* How many members the objects of a JSON text have. */
static int64
count_in_text(const char *text)
{
	bool		in_string = false;
	int64		n = 0;

	for (; *text != '\0'; text++)
	{
		if (in_string && *text == '\\')
			text++;
		else if (*text == '"')
			in_string = !in_string;
		else if (*text == ':' && !in_string)
			n++;
	}
	return n;
}

static int64
count_members(Jsonb *json)
{
	JsonbIterator *it = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	int64		n = 0;

	while ((token = JsonbIteratorNext(&it, &value, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		n += token == WJB_KEY;
	}
	return n;
}

/* Read the payload, which is a statement; what is wrong with it, or NULL. */
static const char *
read_statement(MrEnvelope *envelope, const char *payload, int len)
{
	JsonbContainer *root;
	char	   *type;

	if (memchr(payload, '\0', len) != NULL ||
		!pg_verify_mbstr(PG_UTF8, payload, len, true) ||
		(envelope->statement = mr_jsonb_from_text(payload)) == NULL ||
		!JB_ROOT_IS_OBJECT(envelope->statement))
		return "Its payload is no JSON object.";
	if (count_in_text(payload) != count_members(envelope->statement))
		return "In its payload a member occurs twice.";
	root = &envelope->statement->root;
	type = get_text(root, "_type");
	if (type == NULL || strcmp(type, STATEMENT_TYPE) != 0)
		return "Its payload's \"_type\" is not \"" STATEMENT_TYPE "\".";
	envelope->predicate_type = get_text(root, "predicateType");
	if (envelope->predicate_type == NULL || envelope->predicate_type[0] == '\0' ||
		strlen(envelope->predicate_type) > PREDICATE_TYPE_MAX)
		return "Its payload's \"predicateType\" is no text of 1 to 1000 bytes.";
	if (get_container(root, "subject", true) == NULL)
		return "Its payload has no array \"subject\".";
	return NULL;
}

/* The pre-authentication encoding. */
static void
encode_signed(MrEnvelope *envelope, const char *payload, int len)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "DSSEv1 %zu %s %d ", strlen(PAYLOAD_TYPE), PAYLOAD_TYPE, len);
	appendBinaryStringInfo(&buf, payload, len);
	envelope->signed_bytes = buf.data;
	envelope->signed_len = buf.len;
}

static const char *
read_signature(JsonbContainer *object, MrSignature *signature)
{
	signature->keyid = object == NULL ? NULL : get_text(object, "keyid");
	signature->bytes = object == NULL ? NULL : get_base64(object, "sig", &signature->len);
	if (signature->bytes == NULL || signature->len == 0)
		return "A signature has no \"sig\" in base64.";
	if (signature->keyid == NULL)
		signature->keyid = "";
	if (strlen(signature->keyid) > KEYID_MAX)
		return "A keyid is longer than 1000 bytes.";
	return NULL;
}

static const char *
read_signatures(MrEnvelope *envelope, JsonbContainer *array)
{
	JsonbIterator *it;
	JsonbValue	element;
	const char *wrong;

	if (array == NULL || JsonContainerSize(array) == 0 ||
		JsonContainerSize(array) > SIGNATURES_MAX)
		return "\"signatures\" is no array of 1 to 16 signatures.";
	envelope->signatures = palloc(JsonContainerSize(array) * sizeof(MrSignature));
	envelope->nsignatures = 0;
	it = JsonbIteratorInit(array);
	(void) JsonbIteratorNext(&it, &element, true);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		wrong = read_signature(get_object(&element),
							   &envelope->signatures[envelope->nsignatures++]);
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

/* What is kept: the members that are read, in standard base64. */
static char *
print_normal(const MrEnvelope *envelope, const uint8 *payload, int len)
{
	MrJson		json;

	mr_json_begin(&json);
	mr_json_add_text(&json, "payload", print_base64(payload, len));
	mr_json_add_text(&json, "payloadType", PAYLOAD_TYPE);
	mr_json_begin_array(&json, "signatures");
	for (int i = 0; i < envelope->nsignatures; i++)
	{
		MrSignature *signature = &envelope->signatures[i];
		MrJson		element;

		mr_json_begin(&element);
		mr_json_add_text(&element, "keyid", signature->keyid);
		mr_json_add_text(&element, "sig", print_base64(signature->bytes, signature->len));
		mr_json_add_element(&json, mr_json_end(&element));
	}
	mr_json_end_array(&json);
	return mr_json_canonical_cstring(mr_json_end(&json));
}

/* Read an envelope.  Returns what is wrong with it, a sentence, or NULL. */
const char *
mr_envelope_read(Jsonb *json, MrEnvelope *envelope)
{
	JsonbContainer *root = &json->root;
	const char *wrong;
	char	   *type;
	uint8	   *payload;
	int			len;

	if (!JB_ROOT_IS_OBJECT(json))
		return "It is no JSON object.";
	type = get_text(root, "payloadType");
	if (type == NULL || strcmp(type, PAYLOAD_TYPE) != 0)
		return "Its \"payloadType\" is not \"" PAYLOAD_TYPE "\".";
	payload = get_base64(root, "payload", &len);
	if (payload == NULL)
		return "It has no \"payload\" in base64.";
	payload[len] = '\0';
	wrong = read_signatures(envelope, get_container(root, "signatures", true));
	if (wrong == NULL)
		wrong = read_statement(envelope, (char *) payload, len);
	if (wrong != NULL)
		return wrong;
	encode_signed(envelope, (char *) payload, len);
	envelope->normal = print_normal(envelope, payload, len);
	return NULL;
}

/* The same, or error 22023; 54000 for one that is too long or too deep to keep. */
void
mr_envelope_parse(Jsonb *json, MrEnvelope *envelope)
{
	const char *wrong;

	mr_payload_check_size(VARSIZE_ANY_EXHDR(json));
	wrong = mr_envelope_read(json, envelope);
	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the envelope is no signed in-toto statement"),
				 errdetail_internal("%s", wrong),
				 errhint("A DSSE envelope is {\"payload\": base64, \"payloadType\": \"" PAYLOAD_TYPE "\", \"signatures\": [{\"keyid\": text, \"sig\": base64}]}; of a Sigstore bundle it is the member dsseEnvelope."),
				 mr_reason("invalid_envelope")));
	mr_json_check_depth(envelope->statement, "envelope");
}

/* Has a subject of the statement this SHA-256, in hexadecimal? */
bool
mr_statement_is_about(const MrEnvelope *envelope, const char *sha256)
{
	JsonbContainer *subjects = get_container(&envelope->statement->root, "subject", true);
	JsonbIterator *it = JsonbIteratorInit(subjects);
	JsonbValue	element;

	(void) JsonbIteratorNext(&it, &element, true);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		JsonbContainer *subject = get_object(&element);
		JsonbContainer *digest = subject == NULL ? NULL :
			get_container(subject, "digest", false);
		char	   *named = digest == NULL ? NULL : get_text(digest, "sha256");

		CHECK_FOR_INTERRUPTS();
		if (named != NULL && strcmp(named, sha256) == 0)
			return true;
	}
	return false;
}

/* The name of a subject that begins like that, and is another one; or NULL. */
const char *
mr_statement_other_name(const MrEnvelope *envelope, const char *prefix, const char *name)
{
	JsonbContainer *subjects = get_container(&envelope->statement->root, "subject", true);
	JsonbIterator *it = JsonbIteratorInit(subjects);
	JsonbValue	element;

	(void) JsonbIteratorNext(&it, &element, true);
	while (JsonbIteratorNext(&it, &element, true) == WJB_ELEM)
	{
		JsonbContainer *subject = get_object(&element);
		char	   *other = subject == NULL ? NULL : get_text(subject, "name");

		CHECK_FOR_INTERRUPTS();
		if (other != NULL && strncmp(other, prefix, strlen(prefix)) == 0 && strcmp(other, name) != 0)
			return other;
	}
	return NULL;
}
