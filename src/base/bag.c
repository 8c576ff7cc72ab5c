/*
 * bag.c
 *		Rows compared as bags, see bag.h.
 */
#include "postgres.h"

#include "base/bag.h"

/* 2^61 - 1, a prime. */
#define PRIME ((UINT64CONST(1) << 61) - 1)

/* Of numbers below the prime. */
static uint64
multiply(uint64 a, uint64 b)
{
#ifdef HAVE_INT128
	uint128		product = (uint128) a * b;
	uint64		sum = ((uint64) product & PRIME) + (uint64) (product >> 61);

	return sum >= PRIME ? sum - PRIME : sum;
#else
	uint64		result = 0;

	for (; b > 0; b >>= 1)
	{
		if (b & 1)
			result = (result + a) % PRIME;
		a = (a + a) % PRIME;
	}
	return result;
#endif
}

void
mr_bag_key(MrBagKey *key)
{
	if (!pg_strong_random(key, sizeof(MrBagKey)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	key->point %= PRIME;
	for (int i = 0; i < lengthof(key->factors); i++)
		key->factors[i] %= PRIME;
}

/* The halves of the values, which are below the prime, each with its factor. */
static uint64
hash_values(const MrBagKey *key, const int64 *values, int n)
{
	uint64		sum = key->factors[0];

	Assert(n <= MR_BAG_MAX_VALUES);
	for (int i = 0; i < n; i++)
	{
		sum += multiply(key->factors[1 + 2 * i], (uint64) values[i] >> 32);
		sum += multiply(key->factors[2 + 2 * i], (uint64) values[i] & 0xFFFFFFFF);
		sum %= PRIME;
	}
	return sum;
}

/* Add a row, of as many values as every row of this bag.  A bag begins as zeros. */
void
mr_bag_add(MrBag *bag, const MrBagKey *key, const int64 *values, int n)
{
	uint64		factor = (key->point + PRIME - hash_values(key, values, n)) % PRIME;

	bag->product = bag->count == 0 ? factor : multiply(bag->product, factor);
	bag->count++;
}

bool
mr_bag_equal(const MrBag *a, const MrBag *b)
{
	return a->count == b->count && a->product == b->product;
}
