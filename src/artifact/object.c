/*
 * object.c
 *		The large objects that hold bytes: made, written, read, hashed, dropped.
 *
 * Everything but the size of a caller's own object is done as the owner, to
 * whom all these objects belong and who grants nobody anything.  The server
 * keeps the relations of large objects open between calls and would complain
 * at commit that they leaked, or find them gone after an error; so each
 * function here closes them before it ends, however it ends.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_largeobject_metadata.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "libpq/libpq-fs.h"
#include "miscadmin.h"
#include "storage/large_object.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "artifact/artifact.h"
#include "artifact/artifact_tables.h"
#include "artifact/object.h"
#include "base/errors.h"
#include "base/hash.h"
#include "base/table.h"

#define BUFFER_SIZE (1024 * 1024)

/* What one function here does with an object, and what comes of it. */
typedef struct Access
{
	Oid			object;
	bool		latest;			/* not as the statement's snapshot sees it */
	int64		offset;
	char	   *data;
	int			len;			/* of data; how many bytes were read */
	Oid			target;			/* of a copy */
	int64		size;
	MrDigest   *digest;
} Access;

typedef void (*Work) (Access *access);

/* The object that mr_object_drop() drops now, for the guard. */
static Oid	dropping = InvalidOid;

/*
 * Error 55000 while the server lets everybody read and write every large
 * object.
 */
void
mr_object_require_privileges(void)
{
	if (lo_compat_privileges)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("modelreg holds no artifacts while lo_compat_privileges is on"),
				 errdetail("With it every role may change every large object."),
				 errhint("Turn lo_compat_privileges off."),
				 mr_reason("lo_compat_privileges")));
}

/*
 * Do only superusers have rights on the object of this metadata?  After a
 * restore it may belong to another one than the registry does.
 */
static bool
is_private(Relation rel, HeapTuple tuple)
{
	Oid			owner = ((Form_pg_largeobject_metadata) GETSTRUCT(tuple))->lomowner;
	bool		isnull;
	Datum		value = heap_getattr(tuple, Anum_pg_largeobject_metadata_lomacl,
									 RelationGetDescr(rel), &isnull);
	Acl		   *acl;

	if (!superuser_arg(owner))
		return false;
	if (isnull)
		return true;
	acl = DatumGetAclP(value);
	for (int i = 0; i < ACL_NUM(acl); i++)
		if (!superuser_arg(ACL_DAT(acl)[i].ai_grantee))
			return false;
	return true;
}

/* The metadata of an object: does it exist, and is it private? */
static bool
object_exists(Oid object, Snapshot snapshot, bool *private)
{
	Relation	rel = table_open(LargeObjectMetadataRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		exists;

	ScanKeyInit(&key, Anum_pg_largeobject_metadata_oid,
				BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
	scan = systable_beginscan(rel, LargeObjectMetadataOidIndexId, true,
							  snapshot, 1, &key);
	tuple = systable_getnext(scan);
	exists = HeapTupleIsValid(tuple);
	*private = exists && is_private(rel, tuple);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return exists;
}

/* A new, empty object, which belongs to the owner, with rights for nobody. */
Oid
mr_object_create(void)
{
	Oid			object = inv_create(InvalidOid);
	bool		private;

	if (!object_exists(object, NULL, &private) || !private)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("default privileges would give others rights on the registry's large objects"),
				 errhint("Revoke them with ALTER DEFAULT PRIVILEGES."),
				 mr_reason("default_privileges")));
	return object;
}

static void
run(Work work, Access *access)
{
	PG_TRY();
	{
		work(access);
	}
	PG_CATCH();
	{
		dropping = InvalidOid;
		close_lo_relation(true);
		PG_RE_THROW();
	}
	PG_END_TRY();
	dropping = InvalidOid;
	close_lo_relation(true);
}

static void
drop_work(Access *access)
{
	dropping = access->object;
	(void) inv_drop(access->object);
}

/* Drop an object; its row has to go or change in the same transaction. */
void
mr_object_drop(Oid object)
{
	Access		access = {.object = object};

	run(drop_work, &access);
}

/* For the guard: is this the drop that mr_object_drop() makes now? */
bool
mr_object_drop_passes(Oid object)
{
	return OidIsValid(object) && object == dropping;
}

/* Does a row of the registry name the object? */
bool
mr_object_is_ours(Oid object)
{
	Datum		key = ObjectIdGetDatum(object);
	MrTable    *table = mr_table_open_read("blob");
	bool		ours = mr_table_find_latest(table, "blob_object", 1, &key);

	mr_table_close(table);
	if (ours)
		return true;
	table = mr_table_open_read("upload");
	ours = mr_table_find_latest(table, "upload_object", 1, &key);
	mr_table_close(table);
	return ours;
}

static LargeObjectDesc *
open_to_read(Access *access)
{
	return inv_open(access->object,
					access->latest ? INV_READ | INV_WRITE : INV_READ,
					CurrentMemoryContext);
}

static void
size_work(Access *access)
{
	LargeObjectDesc *desc = open_to_read(access);

	access->size = inv_seek(desc, 0, SEEK_END);
	inv_close(desc);
}

/*
 * The size of an object as the statement's snapshot sees it.  The current
 * role must be allowed to read it: 42501, or 42704 if there is none.
 */
int64
mr_object_size(Oid object)
{
	Access		access = {.object = object};

	run(size_work, &access);
	return access.size;
}

static void
write_work(Access *access)
{
	LargeObjectDesc *desc = inv_open(access->object, INV_WRITE,
									 CurrentMemoryContext);

	(void) inv_seek(desc, access->offset, SEEK_SET);
	for (int done = 0; done < access->len;)
	{
		CHECK_FOR_INTERRUPTS();
		done += inv_write(desc, access->data + done,
						  Min(access->len - done, BUFFER_SIZE));
	}
	inv_close(desc);
}

/* Write bytes at an offset. */
void
mr_object_write(Oid object, int64 offset, const char *data, int len)
{
	Access		access = {.object = object,.offset = offset,
	.data = unconstify(char *, data),.len = len};

	run(write_work, &access);
}

static void
read_work(Access *access)
{
	LargeObjectDesc *desc = open_to_read(access);
	int			done = 0;
	int			got;

	(void) inv_seek(desc, access->offset, SEEK_SET);
	do
	{
		CHECK_FOR_INTERRUPTS();
		got = inv_read(desc, access->data + done,
					   Min(access->len - done, BUFFER_SIZE));
		done += got;
	} while (got > 0 && done < access->len);
	inv_close(desc);
	access->len = done;
}

/*
 * Read up to len bytes at an offset, as the statement's snapshot sees them or
 * (latest) as they are now; returns how many there were.
 */
int
mr_object_read(Oid object, bool latest, int64 offset, char *data, int len)
{
	Access		access = {.object = object,.latest = latest,.offset = offset,
	.data = data,.len = len};

	run(read_work, &access);
	return access.len;
}

/* Hash what there is, and write it to another object if there is one. */
static MrDigest *
stream(LargeObjectDesc *from, LargeObjectDesc *to, int64 *size)
{
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);
	char	   *buffer = palloc(BUFFER_SIZE);
	uint8		hash[MR_HASH_LEN];
	int			got;

	*size = 0;
	if (pg_cryptohash_init(ctx) < 0)
		elog(ERROR, "could not begin SHA-256: %s", pg_cryptohash_error(ctx));
	while ((got = inv_read(from, buffer, BUFFER_SIZE)) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		if (pg_cryptohash_update(ctx, (uint8 *) buffer, got) < 0)
			elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(ctx));
		if (to != NULL)
			(void) inv_write(to, buffer, got);
		*size += got;
	}
	if (pg_cryptohash_final(ctx, hash, MR_HASH_LEN) < 0)
		elog(ERROR, "could not end SHA-256: %s", pg_cryptohash_error(ctx));
	pg_cryptohash_free(ctx);
	pfree(buffer);
	return mr_digest_sha256(hash);
}

static void
digest_work(Access *access)
{
	LargeObjectDesc *desc = open_to_read(access);

	access->digest = stream(desc, NULL, &access->size);
	inv_close(desc);
}

/* The digest and the number of an object's bytes; see mr_object_read(). */
MrDigest *
mr_object_digest(Oid object, bool latest, int64 *size)
{
	Access		access = {.object = object,.latest = latest};

	run(digest_work, &access);
	*size = access.size;
	return access.digest;
}

static void
copy_work(Access *access)
{
	LargeObjectDesc *from = open_to_read(access);
	LargeObjectDesc *to = inv_open(access->target, INV_WRITE,
								   CurrentMemoryContext);

	access->digest = stream(from, to, &access->size);
	inv_close(to);
	inv_close(from);
}

/*
 * Copy an object, as the statement's snapshot sees it, into a new and empty
 * one; returns the digest of the bytes and their number.
 */
MrDigest *
mr_object_copy(Oid source, Oid target, int64 *size)
{
	Access		access = {.object = source,.target = target};

	run(copy_work, &access);
	*size = access.size;
	return access.digest;
}

static MrBytesState
check_object(const MrBlob *blob, const MrDigest *digest, bool deep)
{
	bool		private;
	int64		size;

	if (!object_exists(blob->object, GetActiveSnapshot(), &private))
		return MR_BYTES_MISSING;
	if (mr_object_size(blob->object) != blob->size)
		return MR_BYTES_ALTERED;
	if (deep && !mr_digest_equal(mr_object_digest(blob->object, false, &size), digest))
		return MR_BYTES_ALTERED;
	return private ? MR_BYTES_OK : MR_BYTES_EXPOSED;
}

/*
 * What became of the bytes of a digest: present, of the right size and, in a
 * deep check, the very bytes?  Called as the owner; works on a standby.
 */
MrBytesState
mr_bytes_check(const MrDigest *digest, int64 size, bool deep)
{
	MrBlob		blob;

	if (!mr_blob_find(digest, GetActiveSnapshot(), &blob))
		return MR_BYTES_MISSING;
	if (!OidIsValid(blob.object))
		return MR_BYTES_PURGED;
	if (blob.size != size)
		return MR_BYTES_ALTERED;
	return check_object(&blob, digest, deep);
}

const char *
mr_bytes_state_name(MrBytesState state)
{
	static const char *const names[] = {
		[MR_BYTES_OK] = "ok",
		[MR_BYTES_PURGED] = "purged",
		[MR_BYTES_MISSING] = "missing",
		[MR_BYTES_ALTERED] = "altered",
		[MR_BYTES_EXPOSED] = "exposed"
	};

	return names[state];
}
