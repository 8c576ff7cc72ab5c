/*
 * public_key.c
 *		Public keys, and whether a signature is one of theirs: libcrypto.
 *
 * Two algorithms, each with one form of its keys: Ed25519, and ECDSA over P-256
 * with SHA-256 and the point uncompressed.  So a key is known by fixed first
 * bytes of its DER form, and has one keyid.  Nothing of libcrypto outlives an
 * error: no function here raises one while it holds something.  What libcrypto
 * had no memory to find out is an error, 53200, and not an answer.
 */
#include "postgres.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "attestation/public_key.h"
#include "base/hash.h"

typedef struct Algorithm
{
	MrPublicKey key;			/* one that was published */
	int			prefix_len;		/* so much begins every key's DER form */
	const char *data;			/* what it signed, as published */
	int			signature_len;
	uint8		signature[72];
} Algorithm;

/* RFC 8032, 7.1, test 1; RFC 6979, A.2.5, SHA-256, "sample". */
static const Algorithm algorithms[] = {
	{
		{"ed25519", 44, {
			0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
			0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
			0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a
		}}, 12, "", 64, {
			0xe5, 0x56, 0x43, 0x00, 0xc3, 0x60, 0xac, 0x72, 0x90, 0x86, 0xe2, 0xcc, 0x80, 0x6e, 0x82, 0x8a,
			0x84, 0x87, 0x7f, 0x1e, 0xb8, 0xe5, 0xd9, 0x74, 0xd8, 0x73, 0xe0, 0x65, 0x22, 0x49, 0x01, 0x55,
			0x5f, 0xb8, 0x82, 0x15, 0x90, 0xa3, 0x3b, 0xac, 0xc6, 0x1e, 0x39, 0x70, 0x1c, 0xf9, 0xb4, 0x6b,
			0xd2, 0x5b, 0xf5, 0xf0, 0x59, 0x5b, 0xbe, 0x24, 0x65, 0x51, 0x41, 0x43, 0x8e, 0x7a, 0x10, 0x0b
		},
	},
	{
		{"ecdsa-p256", 91, {
			0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
			0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
			0x60, 0xfe, 0xd4, 0xba, 0x25, 0x5a, 0x9d, 0x31, 0xc9, 0x61, 0xeb, 0x74, 0xc6, 0x35, 0x6d, 0x68,
			0xc0, 0x49, 0xb8, 0x92, 0x3b, 0x61, 0xfa, 0x6c, 0xe6, 0x69, 0x62, 0x2e, 0x60, 0xf2, 0x9f, 0xb6,
			0x79, 0x03, 0xfe, 0x10, 0x08, 0xb8, 0xbc, 0x99, 0xa4, 0x1a, 0xe9, 0xe9, 0x56, 0x28, 0xbc, 0x64,
			0xf2, 0xf1, 0xb2, 0x0c, 0x2d, 0x7e, 0x9f, 0x51, 0x77, 0xa3, 0xc2, 0x94, 0xd4, 0x46, 0x22, 0x99
		}}, 27, "sample", 72, {
			0x30, 0x46, 0x02, 0x21, 0x00, 0xef, 0xd4, 0x8b, 0x2a, 0xac, 0xb6, 0xa8, 0xfd, 0x11, 0x40, 0xdd,
			0x9c, 0xd4, 0x5e, 0x81, 0xd6, 0x9d, 0x2c, 0x87, 0x7b, 0x56, 0xaa, 0xf9, 0x91, 0xc3, 0x4d, 0x0e,
			0xa8, 0x4e, 0xaf, 0x37, 0x16, 0x02, 0x21, 0x00, 0xf7, 0xcb, 0x1c, 0x94, 0x2d, 0x65, 0x7c, 0x41,
			0xd4, 0x36, 0xc7, 0xa1, 0xb6, 0xe2, 0x9f, 0x65, 0xf3, 0xe9, 0x00, 0xdb, 0xb9, 0xaf, 0xf4, 0x06,
			0x4d, 0xc4, 0xab, 0x2f, 0x84, 0x3a, 0xcd, 0xa8
		},
	},
};

#define ED25519_LEN 32

/*
 * Every function that others call begins with ERR_clear_error(), so that no
 * error is somebody else's, and ends with this.
 *
 * Called with nothing of libcrypto in hand: forgets its errors.  It could not
 * do what it was asked if it says that it had no memory, or if what never
 * fails otherwise did.
 */
static void
end_crypto(bool could)
{
	unsigned long error;

	while ((error = ERR_get_error()) != 0)
		could = could && ERR_GET_REASON(error) != ERR_R_MALLOC_FAILURE;
	if (!could)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("libcrypto could not look at a key or a signature.")));
}

/*
 * Ed25519's points of small order by their y, little-endian, without the sign
 * of x: under such a "key" anybody can sign.  And no y is written that is not
 * below 2^255 - 19.
 */
static const uint8 small_order[][ED25519_LEN] = {
	{0x00},
	{0x01},
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
	0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

static bool
is_weak_point(const uint8 *point)
{
	uint8		y[ED25519_LEN];
	int			i = ED25519_LEN - 1;

	memcpy(y, point, ED25519_LEN);
	y[i] &= 0x7f;
	for (int k = 0; k < lengthof(small_order); k++)
		if (memcmp(y, small_order[k], ED25519_LEN) == 0)
			return true;
	if (y[i] != 0x7f)
		return false;
	while (--i > 0 && y[i] == 0xff);
	return i == 0 && y[0] >= 0xed;
}

/* The algorithm of a DER form; NULL for none of ours. */
static const Algorithm *
find_algorithm(const uint8 *der, size_t len)
{
	for (int i = 0; i < lengthof(algorithms); i++)
		if (len == algorithms[i].key.len &&
			memcmp(der, algorithms[i].key.der, algorithms[i].prefix_len) == 0)
			return &algorithms[i];
	return NULL;
}

/* The key that libcrypto makes of a DER form, all of it; NULL for none. */
static EVP_PKEY *
decode(const uint8 *der, size_t len)
{
	const uint8 *end = der;
	EVP_PKEY   *pkey = d2i_PUBKEY(NULL, &end, len);

	if (pkey != NULL && end != der + len)
	{
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return pkey;
}

/* Is the point of an EC key on its curve, and not its zero? */
static bool
is_on_curve(const MrPublicKey *key)
{
	EVP_PKEY   *pkey = decode(key->der, key->len);
	EVP_PKEY_CTX *context = pkey == NULL ? NULL :
		EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool		is_on = context != NULL && EVP_PKEY_public_check(context) == 1;

	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(pkey);
	return is_on;
}

/* Why a DER form is not one of our algorithms. */
static const char *
explain_other(const uint8 *der, size_t len)
{
	EVP_PKEY   *pkey = decode(der, len);
	const char *why = "It is no SubjectPublicKeyInfo, or its point is not on the curve.";

	if (pkey != NULL)
	{
		char		group[32] = "";

		(void) EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL);
		why = EVP_PKEY_get_base_id(pkey) != EVP_PKEY_EC ?
			"It is of another algorithm." :
			strcmp(group, "prime256v1") != 0 ? "It is of another curve." :
			"Its point or its curve is in another form than named and uncompressed.";
	}
	EVP_PKEY_free(pkey);
	return why;
}

/* Check a DER form and keep it.  Returns what is wrong with it, or NULL. */
static const char *
read_der(const void *der, size_t len, MrPublicKey *key)
{
	const Algorithm *algorithm = find_algorithm(der, len);
	bool		sound;

	if (algorithm == NULL)
		return explain_other(der, len);
	key->algorithm = algorithm->key.algorithm;
	key->len = len;
	memcpy(key->der, der, len);
	sound = algorithm == &algorithms[0] ?
		!is_weak_point(key->der + algorithm->prefix_len) : is_on_curve(key);
	return sound ? NULL : "Its point is not on the curve, or one under which anybody can sign.";
}

/* The same, for who holds nothing. */
const char *
mr_public_key_from_der(const void *der, size_t len, MrPublicKey *key)
{
	const char *wrong;

	ERR_clear_error();
	wrong = read_der(der, len, key);
	end_crypto(true);
	return wrong;
}

/* Does a text hold a private key, whatever else it holds? */
bool
mr_is_private_key(const char *pem)
{
	return strstr(pem, "PRIVATE KEY") != NULL;
}

/*
 * The same for PEM: one block, and nothing else that is not white space
 * behind it.
 */
const char *
mr_public_key_from_pem(const char *pem, MrPublicKey *key)
{
	static const char begin[] = "-----BEGIN PUBLIC KEY-----";
	BIO		   *bio;
	char	   *name = NULL;
	char	   *header = NULL;
	uint8	   *der = NULL;
	long		len = 0;
	const char *wrong = "It is not in PEM.";
	bool		found;
	bool		could;

	pem += strspn(pem, " \t\r\n");
	if (strncmp(pem, begin, strlen(begin)) != 0)
		return "It does not begin with " "-----BEGIN PUBLIC KEY-----" ".";
	if (strstr(pem + strlen(begin), "-----BEGIN") != NULL)
		return "It is more than one key.";
	ERR_clear_error();
	bio = BIO_new_mem_buf(pem, -1);
	found = bio != NULL && PEM_read_bio(bio, &name, &header, &der, &len) == 1;
	/* of what is no PEM it says why */
	could = found || (bio != NULL && ERR_peek_error() != 0);
	if (found && strcmp(name, "PUBLIC KEY") == 0 && *header == '\0')
		wrong = read_der(der, len, key);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
	end_crypto(could);
	return wrong;
}

/* The keyid: SHA-256 of the DER form, in hexadecimal. */
char *
mr_public_key_id(const MrPublicKey *key)
{
	uint8		hash[MR_HASH_LEN];

	mr_sha256(key->der, key->len, hash);
	return mr_hash_to_hex(hash);
}

/* Ask libcrypto once.  A lack of memory can look like a wrong signature. */
static bool
try_signature(const MrPublicKey *key, const void *data, size_t len,
			  const void *signature, size_t signature_len)
{
	EVP_PKEY   *pkey = decode(key->der, key->len);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	const EVP_MD *hash = strcmp(key->algorithm, "ed25519") == 0 ? NULL : EVP_sha256();
	bool		verifies = pkey != NULL && context != NULL &&
		EVP_DigestVerifyInit(context, NULL, hash, NULL, pkey) == 1 &&
		EVP_DigestVerify(context, signature, signature_len, data, len) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pkey);
	return verifies;
}

/* The published signature of a key's algorithm: can libcrypto tell at all? */
static bool
try_published_signature(const MrPublicKey *key)
{
	const Algorithm *algorithm = find_algorithm(key->der, key->len);

	return try_signature(&algorithm->key, algorithm->data, strlen(algorithm->data),
						 algorithm->signature, algorithm->signature_len);
}

/*
 * Is that the key's signature over the data?  libcrypto takes no DER form of
 * an ECDSA signature but the one and only; of s and its negative, both.  What
 * it says of a wrong one differs from version to version, and of some lacks of
 * memory it says nothing.  So before "wrong" is believed it is asked again,
 * and then for a signature that is right.
 */
bool
mr_signature_verifies(const MrPublicKey *key, const void *data, size_t len,
					  const void *signature, size_t signature_len)
{
	bool		verifies;

	ERR_clear_error();
	verifies = try_signature(key, data, len, signature, signature_len) ||
		try_signature(key, data, len, signature, signature_len);
	end_crypto(verifies || try_published_signature(key));
	return verifies;
}
