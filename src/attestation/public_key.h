/*
 * public_key.h
 *		Public keys, and whether a signature is one of theirs.
 */
#ifndef MODELREG_PUBLIC_KEY_H
#define MODELREG_PUBLIC_KEY_H

/* The longest SubjectPublicKeyInfo of the two algorithms. */
#define MR_PUBLIC_KEY_MAX 91

typedef struct MrPublicKey
{
	const char *algorithm;		/* ed25519 or ecdsa-p256 */
	int			len;
	uint8		der[MR_PUBLIC_KEY_MAX];
} MrPublicKey;

/* What is wrong, a sentence, or NULL. */
extern const char *mr_public_key_from_pem(const char *pem, MrPublicKey *key);
extern const char *mr_public_key_from_der(const void *der, size_t len,
										  MrPublicKey *key);
extern bool mr_is_private_key(const char *pem);
extern char *mr_public_key_id(const MrPublicKey *key);

extern bool mr_signature_verifies(const MrPublicKey *key,
								  const void *data, size_t len,
								  const void *signature, size_t signature_len);

#endif							/* MODELREG_PUBLIC_KEY_H */
