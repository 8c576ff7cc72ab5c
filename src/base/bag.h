/*
 * bag.h
 *		Do two scans give the same rows, in whatever order?
 *
 * A bag keeps no rows, but the product of (x - h(row)) over all of them,
 * modulo a prime, where x and the linear hash h were drawn at random when the
 * bags were begun.  Products of the same rows are equal; of different ones,
 * with a probability of their number by 2^61, whoever chose the rows, as long
 * as he chose them before.
 */
#ifndef MODELREG_BAG_H
#define MODELREG_BAG_H

#define MR_BAG_MAX_VALUES 8

/* Drawn at random; of bags that are compared. */
typedef struct MrBagKey
{
	uint64		point;
	uint64		factors[1 + 2 * MR_BAG_MAX_VALUES];
} MrBagKey;

typedef struct MrBag
{
	uint64		count;
	uint64		product;
} MrBag;

extern void mr_bag_key(MrBagKey *key);
extern void mr_bag_add(MrBag *bag, const MrBagKey *key, const int64 *values, int n);
extern bool mr_bag_equal(const MrBag *a, const MrBag *b);

#endif							/* MODELREG_BAG_H */
