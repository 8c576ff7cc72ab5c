/*
 * signature.h
 *		The input and output schema of a model version.
 */
#ifndef MODELREG_SIGNATURE_H
#define MODELREG_SIGNATURE_H

#include "utils/jsonb.h"

/* The normal form of a signature; 22023 that lists every mistake. */
extern Jsonb *mr_signature_normalize(Jsonb *signature);

#endif							/* MODELREG_SIGNATURE_H */
