/*
 * registry.c
 *		What the registry answers to the rooms above it.
 */
#include "postgres.h"

#include "commands/async.h"

#include "base/hooks.h"
#include "registry/registry.h"
#include "registry/version_node.h"

/* A hint for those who LISTEN: which model; they ask what became of it. */
void
mr_model_notify(int64 model)
{
	char		payload[32];

	snprintf(payload, sizeof(payload), INT64_FORMAT, model);
	Async_Notify("modelreg", payload);
}

void
mr_registry_init(void)
{
	mr_version_node = mr_find_version_node;
	mr_version_address = mr_find_version_address;
	mr_payload_redacted = mr_registry_payload_redacted;
}
