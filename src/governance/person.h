/*
 * person.h
 *		Whether two acts are by different persons.
 */
#ifndef MODELREG_PERSON_H
#define MODELREG_PERSON_H

#include "utils/jsonb.h"

extern bool mr_same_person(Jsonb *a, Jsonb *b);

#endif							/* MODELREG_PERSON_H */
