/*
 * kept.c
 *		What folds keep in memory, and read of events.
 */
#include "postgres.h"

#include "base/hash.h"
#include "verify/kept.h"

/* More of anything would take more memory than is theirs. */
#define MAX_KEPT 1000000

/*
 * What is kept of a thing; zeros, but for the key, which stands first, when it
 * is new.  NULL: too much is.
 */
void *
mr_verify_keep(HTAB *table, const void *key, Size keysize, Size entrysize)
{
	bool		found;
	char	   *entry = hash_search(table, key, HASH_FIND, NULL);

	if (entry != NULL || hash_get_num_entries(table) >= MAX_KEPT)
		return entry;
	entry = hash_search(table, key, HASH_ENTER, &found);
	memset(entry + keysize, 0, entrysize - keysize);
	return entry;
}

/* Of a digit as hashes are written, -1 for anything else. */
static inline int
read_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes of a hash out of its digits; false for what is none. */
bool
mr_verify_read_hex(const JsonbValue *value, uint8 *bytes)
{
	const char *digits = value->val.string.val;
	int			wrong = 0;

	if (value->type != jbvString || value->val.string.len != 2 * MR_HASH_LEN)
		return false;
	for (int i = 0; i < MR_HASH_LEN; i++)
	{
		int			byte = read_digit(digits[2 * i]) * 16 | read_digit(digits[2 * i + 1]);

		wrong |= byte;
		bytes[i] = (uint8) byte;
	}
	return wrong >= 0;
}
