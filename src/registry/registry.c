/*
 * registry.c
 *		What the registry answers to the rooms above it.
 */
#include "postgres.h"

#include "base/hooks.h"
#include "registry/registry.h"

void
mr_registry_init(void)
{
}
