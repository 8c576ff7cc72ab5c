/*
 * spec.c
 *		The artifacts of a version: what a caller says of them, and the rows.
 *
 * register_version takes an array of objects, of one of three sorts:
 *
 *		{"name", "upload"}					an upload of the team, sealed
 *		{"name", "digest"}					bytes that the registry has
 *		{"name", "uri", "digest", "size"}	bytes elsewhere
 *
 * each with an optional "media_type", and "store_version" beside a uri.  A
 * digest alone is no right to the bytes: the team must have uploaded them, or
 * the caller must be able to read a version that has them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "artifact/artifact.h"
#include "artifact/artifact_tables.h"
#include "base/errors.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/row.h"
#include "base/snapshot.h"
#include "base/table.h"
#include "types/names.h"

#define MAX_ARTIFACTS 10000
#define MAX_NAME 1024			/* bytes */
#define MAX_TEXT 4096			/* bytes of a uri */
#define MAX_LABEL 255			/* bytes of other texts */
#define MAX_MISTAKES 50			/* of which a message tells */

/* The array being read: where in it, and what was wrong so far. */
typedef struct Reading
{
	const MrTeam *team;
	MrArtifactSpec *spec;
	int			position;		/* from 1 */
	int64		upload;			/* 0 for none */
	bool		has_size;
	int			nmistakes;
	int			mistakes_before;	/* this artifact */
	StringInfoData mistakes;
} Reading;

static void mistake(Reading *r, const char *format,...) pg_attribute_printf(2, 3);

/* Note what is wrong with the present artifact, one line each. */
static void
mistake(Reading *r, const char *format,...)
{
	va_list		args;

	if (++r->nmistakes > MAX_MISTAKES)
		return;
	if (r->mistakes.len > 0)
		appendStringInfoChar(&r->mistakes, '\n');
	appendStringInfo(&r->mistakes, "Artifact %d", r->position);
	if (r->spec->name != NULL)
		appendStringInfo(&r->mistakes, " (\"%s\")", mr_text_clip(r->spec->name));
	appendStringInfoString(&r->mistakes, ": ");
	va_start(args, format);
	mr_append_va(&r->mistakes, format, args);
	va_end(args);
}

static void
raise_mistakes(Reading *r)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg_plural("the artifacts have %d mistake",
						   "the artifacts have %d mistakes",
						   r->nmistakes, r->nmistakes),
			 errdetail_internal("%s", r->mistakes.data),
			 errhint("An artifact is {\"name\", \"upload\"}, {\"name\", \"digest\"} or {\"name\", \"uri\", \"digest\", \"size\"}."),
			 mr_reason("invalid_artifacts")));
}

/* A text member; NULL, and a mistake, if it is none. */
static char *
text_member(Reading *r, const char *key, const JsonbValue *value, int max)
{
	if (value->type != jbvString)
		mistake(r, "\"%s\" is not a string.", key);
	else if (value->val.string.len == 0 || value->val.string.len > max)
		mistake(r, "\"%s\" has %d bytes, not 1 to %d.", key,
				value->val.string.len, max);
	else
		return mr_json_cstring(value);
	return NULL;
}

/* A whole number from min on; min - 1, and a mistake, if it is none. */
static int64
number_member(Reading *r, const char *key, const JsonbValue *value, int64 min)
{
	char	   *text;
	char	   *end;
	int64		number;

	if (value->type != jbvNumeric)
	{
		mistake(r, "\"%s\" is not a number.", key);
		return min - 1;
	}
	text = DatumGetCString(DirectFunctionCall1(numeric_out,
											   NumericGetDatum(value->val.numeric)));
	errno = 0;
	number = strtoi64(text, &end, 10);
	if (errno == 0 && *end == '\0' && number >= min)
		return number;
	mistake(r, "\"%s\" is %s, not a whole number from " INT64_FORMAT " on.", key,
			mr_text_clip(text), min);
	return min - 1;
}

static MrDigest *
digest_member(Reading *r, const JsonbValue *value)
{
	MrFault		fault;
	MrDigest   *digest;
	char	   *text = text_member(r, "digest", value, MAX_LABEL);

	if (text == NULL)
		return NULL;
	digest = mr_digest_scan(text, &fault);
	if (digest == NULL)
		mistake(r, "at character %d of \"%s\" %s",
				mr_fault_position(text, &fault), mr_text_clip(text), fault.what);
	return digest;
}

/* The parts of a path: names, none of which leads elsewhere. */
static void
check_name(Reading *r, const char *name)
{
	const char *part = name;

	for (;;)
	{
		Size		len = strcspn(part, "/");
		MrFault		fault;

		if ((len == 1 && part[0] == '.') || (len == 2 && part[0] == '.' && part[1] == '.'))
		{
			mistake(r, "a name has no part \".\" or \"..\".");
			return;
		}
		if (!mr_name_scan(MR_NAME_PATH, part, len, &fault))
		{
			mistake(r, "at character %d of the name %s",
					mr_fault_position(name, &fault), fault.what);
			return;
		}
		if (part[len] == '\0')
			return;
		part += len + 1;
	}
}

/*
 * A uri has a scheme, no spaces and no controls; and it has no password,
 * because it can never be removed again.
 */
static void
check_uri(Reading *r, const char *uri)
{
	Size		scheme = strspn(uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
	const char *authority;
	const char *colon;

	if (scheme == 0 || uri[scheme] != ':' ||
		!((uri[0] | 0x20) >= 'a' && (uri[0] | 0x20) <= 'z'))
	{
		mistake(r, "\"%s\" is not a URI with a scheme.", mr_text_clip(uri));
		return;
	}
	for (const unsigned char *p = (const unsigned char *) uri; *p; p++)
	{
		if (*p <= 0x20 || *p == 0x7f)
		{
			mistake(r, "the URI has a space or control character.");
			return;
		}
	}
	if (strncmp(uri + scheme, "://", 3) != 0)
		return;
	authority = uri + scheme + 3;
	colon = memchr(authority, ':', strcspn(authority, "/?#"));
	if (colon != NULL && memchr(colon, '@', strcspn(colon, "/?#")) != NULL)
		mistake(r, "the URI holds a password.");
}

static void
read_member(Reading *r, const char *key, const JsonbValue *value)
{
	MrArtifactSpec *spec = r->spec;

	if (value->type == jbvNull)
		return;
	if (strcmp(key, "name") == 0)
		return;					/* read first */
	else if (strcmp(key, "upload") == 0)
		r->upload = number_member(r, key, value, 1);
	else if (strcmp(key, "digest") == 0)
		spec->digest = digest_member(r, value);
	else if (strcmp(key, "size") == 0)
	{
		spec->size = number_member(r, key, value, 0);
		r->has_size = true;
	}
	else if (strcmp(key, "uri") == 0)
	{
		spec->uri = text_member(r, key, value, MAX_TEXT);
		if (spec->uri != NULL)
			check_uri(r, spec->uri);
	}
	else if (strcmp(key, "media_type") == 0)
		spec->media_type = text_member(r, key, value, MAX_LABEL);
	else if (strcmp(key, "store_version") == 0)
		spec->store_version = text_member(r, key, value, MAX_LABEL);
	else
		mistake(r, "\"%s\" is not known.", mr_text_clip(key));
}

static void
read_name(Reading *r, JsonbContainer *object)
{
	JsonbValue	value;

	if (!getKeyJsonValueFromContainer(object, "name", strlen("name"), &value))
		mistake(r, "\"name\" is missing.");
	else if ((r->spec->name = text_member(r, "name", &value, MAX_NAME)) != NULL)
		check_name(r, r->spec->name);
}

/* Is what was given one of the three sorts? */
static void
check_sort(Reading *r)
{
	MrArtifactSpec *spec = r->spec;

	if (spec->uri != NULL)
	{
		if (r->upload != 0)
			mistake(r, "it has both \"upload\" and \"uri\".");
		if (spec->digest == NULL)
			mistake(r, "an artifact with a \"uri\" needs its \"digest\".");
		if (!r->has_size)
			mistake(r, "an artifact with a \"uri\" needs its \"size\".");
		return;
	}
	if (spec->store_version != NULL)
		mistake(r, "\"store_version\" goes with a \"uri\".");
	if (r->upload == 0 && spec->digest == NULL)
		mistake(r, "it has none of \"upload\", \"digest\" and \"uri\".");
}

static void
parse_object(Reading *r, JsonbContainer *object)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	key;
	JsonbValue	value;

	read_name(r, object);
	(void) JsonbIteratorNext(&it, &key, true);	/* WJB_BEGIN_OBJECT */
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		(void) JsonbIteratorNext(&it, &value, true);
		read_member(r, mr_json_cstring(&key), &value);
	}
	if (r->nmistakes == r->mistakes_before)
		check_sort(r);
}

/* The digest of an upload of the team that is sealed, or NULL. */
static MrDigest *
sealed_digest(Reading *r, bool report)
{
	MrTable    *table = mr_table_open_read("upload");
	Datum		key = Int64GetDatum(r->upload);
	MrDigest   *digest = NULL;

	if (!mr_table_find_latest(table, "upload_pkey", 1, &key) ||
		DatumGetInt64(mr_table_get(table, UPLOAD_TEAM_ID, NULL)) != r->team->id)
	{
		if (report)
			mistake(r, "upload " INT64_FORMAT " does not exist in team \"%s\".",
					r->upload, r->team->name);
	}
	else
	{
		char	   *state = TextDatumGetCString(mr_table_get(table, UPLOAD_STATE, NULL));

		if (strcmp(state, "sealed") == 0)
			digest = DatumGetMrDigest(mr_table_get_copy(table, UPLOAD_DIGEST));
		else if (report)
			mistake(r, "upload " INT64_FORMAT " is %s; modelreg.finish_upload() seals one.",
					r->upload, state);
	}
	mr_table_close(table);
	return digest;
}

static bool
uploaded_by(const MrTeam *team, const MrDigest *digest)
{
	MrTable    *table = mr_table_open_read("upload");
	Datum		keys[3] = {MrDigestGetDatum(digest), Int64GetDatum(team->id),
	CStringGetTextDatum("sealed")};
	bool		found = mr_table_find_latest(table, "upload_digest", 3, keys);

	mr_table_close(table);
	return found;
}

/* May the caller read the bytes of the artifact in the table's slot? */
static bool
is_readable(MrTable *artifacts)
{
	bool		stored;

	(void) mr_table_get(artifacts, ARTIFACT_URI, &stored);
	return stored &&
		mr_may_read(DatumGetInt64(mr_table_get(artifacts, ARTIFACT_TEAM_ID, NULL))) &&
		!mr_version_is_purged(DatumGetInt64(mr_table_get(artifacts, ARTIFACT_MODEL_ID, NULL)),
							  DatumGetInt32(mr_table_get(artifacts, ARTIFACT_VERSION, NULL)),
							  NULL);
}

/* May the caller read a version with these bytes? */
static bool
readable_in_version(const MrDigest *digest)
{
	MrTable    *table = mr_table_open_read("artifact");
	Datum		key = MrDigestGetDatum(digest);
	MrScan	   *scan = mr_scan_begin(table, "artifact_digest", 1, &key, NULL);
	bool		found = false;

	while (!found && mr_scan_next(scan, false))
		found = is_readable(table);
	mr_scan_end(scan);
	mr_table_close(table);
	return found;
}

static bool
find_bytes(const MrDigest *digest, Snapshot snapshot, MrBlob *blob)
{
	return mr_blob_find(digest, snapshot, blob) && OidIsValid(blob->object);
}

static void
check_stored(Reading *r)
{
	MrArtifactSpec *spec = r->spec;
	Snapshot	own = mr_own_snapshot();
	MrBlob		blob;
	MrBlob		seen;
	bool		found = find_bytes(spec->digest, NULL, &blob);

	if (own != NULL && find_bytes(spec->digest, own, &seen) != found)
		mr_table_raise_concurrent_update(mr_table_open_read("blob"));
	if (!found)
		mistake(r, "the bytes of %s were purged.",
				mr_digest_to_cstring(spec->digest));
	else if (r->has_size && spec->size != blob.size)
		mistake(r, "the bytes are " INT64_FORMAT ", not " INT64_FORMAT ".",
				blob.size, spec->size);
	else
		spec->size = blob.size;
}

/* From here on the bytes stay; so look again at what says that we may. */
static void
resolve_upload(Reading *r)
{
	MrArtifactSpec *spec = r->spec;
	MrDigest   *digest = sealed_digest(r, true);

	if (digest == NULL)
		return;
	mr_bytes_keep(digest);
	if (sealed_digest(r, false) == NULL)
		mistake(r, "upload " INT64_FORMAT " was aborted.", r->upload);
	else if (spec->digest != NULL && !mr_digest_equal(spec->digest, digest))
		mistake(r, "upload " INT64_FORMAT " has the digest %s.", r->upload,
				mr_digest_to_cstring(digest));
	else
	{
		spec->digest = digest;
		check_stored(r);
	}
}

static void
resolve_digest(Reading *r)
{
	MrArtifactSpec *spec = r->spec;

	mr_bytes_keep(spec->digest);
	if (uploaded_by(r->team, spec->digest) || readable_in_version(spec->digest))
		check_stored(r);
	else
		mistake(r, "there are no bytes of %s that team \"%s\" uploaded or that are in a version that you may read.",
				mr_digest_to_cstring(spec->digest), r->team->name);
}

static void
read_artifact(Reading *r, const JsonbValue *value)
{
	r->upload = 0;
	r->has_size = false;
	r->mistakes_before = r->nmistakes;
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
	{
		mistake(r, "it is not a JSON object.");
		return;
	}
	parse_object(r, value->val.binary.data);
	if (r->nmistakes > r->mistakes_before || r->spec->uri != NULL)
		return;
	if (r->upload != 0)
		resolve_upload(r);
	else
		resolve_digest(r);
}

static int
compare_specs(const void *a, const void *b)
{
	const char *x = ((const MrArtifactSpec *) a)->name;
	const char *y = ((const MrArtifactSpec *) b)->name;

	return strcmp(x ? x : "", y ? y : "");
}

/* The specs are sorted by name, so the same names are neighbours. */
static void
check_unique(Reading *r, MrArtifactSpec *specs, int n)
{
	for (int i = 1; i < n; i++)
	{
		const char *name = specs[i].name;

		if (name == NULL || specs[i - 1].name == NULL ||
			strcmp(name, specs[i - 1].name) != 0)
			continue;
		if (r->mistakes.len > 0)
			appendStringInfoChar(&r->mistakes, '\n');
		appendStringInfo(&r->mistakes, "The name \"%s\" is there twice.",
						 mr_text_clip(name));
		r->nmistakes++;
	}
}

static int
count_artifacts(Jsonb *artifacts)
{
	if (!JB_ROOT_IS_ARRAY(artifacts) || JB_ROOT_IS_SCALAR(artifacts))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("artifacts must be a JSON array of objects"),
				 mr_reason("invalid_artifacts")));
	if (JB_ROOT_COUNT(artifacts) > MAX_ARTIFACTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a version cannot have more than %d artifacts",
						MAX_ARTIFACTS),
				 errhint("Put small files into one archive."),
				 mr_reason("too_many_artifacts")));
	return JB_ROOT_COUNT(artifacts);
}

/*
 * What the caller says of a version's artifacts, in order of their names,
 * and complete; artifacts NULL for none.  Called before mr_verb_begin(): the
 * rights are the caller's.  All that is wrong is one error 22023, whose
 * DETAIL has a line for each.
 */
MrArtifactSpec *
mr_artifacts_resolve(const MrTeam *team, Jsonb *artifacts, int *n)
{
	Reading		r = {.team = team};
	MrArtifactSpec *specs;
	JsonbIterator *it;
	JsonbValue	value;

	*n = artifacts == NULL ? 0 : count_artifacts(artifacts);
	if (*n == 0)
		return NULL;
	specs = palloc0(*n * sizeof(MrArtifactSpec));
	initStringInfo(&r.mistakes);
	it = JsonbIteratorInit(&artifacts->root);
	(void) JsonbIteratorNext(&it, &value, true);	/* WJB_BEGIN_ARRAY */
	for (int i = 0; i < *n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		(void) JsonbIteratorNext(&it, &value, true);
		r.spec = &specs[i];
		r.position = i + 1;
		read_artifact(&r, &value);
	}
	qsort(specs, *n, sizeof(MrArtifactSpec), compare_specs);
	check_unique(&r, specs, *n);
	if (r.nmistakes > 0)
		raise_mistakes(&r);
	return specs;
}

/* The hash that a registration has of its artifacts' rows, in name order. */
static bytea *
hash_artifacts(bytea *const *hashes, int n)
{
	StringInfoData buf;

	initStringInfo(&buf);
	mr_encode_row_start(&buf, "artifacts", 1);
	for (int i = 0; i < n; i++)
		mr_encode_datum(&buf, BYTEAOID, PointerGetDatum(hashes[i]), false);
	return mr_sha256_bytea(buf.data, buf.len);
}

/*
 * Write the rows of a version's artifacts, as resolved; returns
 * the hash over theirs, also when there are none.
 */
bytea *
mr_artifacts_insert(int64 team, int64 model, int32 version,
					const MrArtifactSpec *specs, int n)
{
	bytea	  **hashes = palloc((n + 1) * sizeof(bytea *));
	MrTable    *table;

	if (n == 0)
		return hash_artifacts(hashes, 0);
	table = mr_table_open("artifact");
	for (int i = 0; i < n; i++)
	{
		Datum		values[ARTIFACT_COLUMNS];
		bool		nulls[ARTIFACT_COLUMNS] = {false};

		CHECK_FOR_INTERRUPTS();
		values[ARTIFACT_MODEL_ID - 1] = Int64GetDatum(model);
		values[ARTIFACT_VERSION - 1] = Int32GetDatum(version);
		values[ARTIFACT_NAME - 1] = CStringGetTextDatum(specs[i].name);
		values[ARTIFACT_TEAM_ID - 1] = Int64GetDatum(team);
		values[ARTIFACT_DIGEST - 1] = MrDigestGetDatum(specs[i].digest);
		values[ARTIFACT_SIZE - 1] = Int64GetDatum(specs[i].size);
		mr_set_text(values, nulls, ARTIFACT_MEDIA_TYPE - 1, specs[i].media_type);
		mr_set_text(values, nulls, ARTIFACT_URI - 1, specs[i].uri);
		mr_set_text(values, nulls, ARTIFACT_STORE_VERSION - 1, specs[i].store_version);
		hashes[i] = mr_table_insert(table, values, nulls);
	}
	mr_table_close(table);
	return hash_artifacts(hashes, n);
}
