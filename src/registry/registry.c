/*
 * registry.c
 *		What the registry answers to the rooms above it.
 */
#include "postgres.h"

#include "base/hooks.h"
#include "registry/registry.h"
#include "registry/search.h"

void
mr_registry_init(void)
{
	mr_payload_redacted = mr_search_payload_redacted;
}
