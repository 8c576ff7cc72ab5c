/*
 * registry.c
 *		What the registry answers to the rooms above it.
 */
#include "postgres.h"

#include "base/hooks.h"
#include "registry/registry.h"
#include "registry/version_node.h"

void
mr_registry_init(void)
{
	mr_version_node = mr_find_version_node;
	mr_version_address = mr_find_version_address;
	mr_payload_redacted = mr_registry_payload_redacted;
}
