/* import-config - the temporary configuration under which files are taken into a store.
 *
 * Shape:   one `file` source, the store, a runtime folder of its own; the seal, join, identity, rules and alerts sections of the real
 *          configuration, so that imported records are read, joined and kept as live ones are.
 * Threads: any. Blocking: never. Tests: tests/unit/import-config.c
 */
#ifndef QUERY_IMPORT_CONFIG_H
#define QUERY_IMPORT_CONFIG_H

#include "base/config.h"

struct import_config {
	const char *store, *runtime; /* absolute folders */
	const char *source;          /* its name */
	const char *content;         /* access-log or audit-rows */
	const char *log_format;      /* or NULL */
	char *const *files;          /* absolute paths */
	size_t file_count;
	bool goes_on;               /* behind the stored cursor; else from the beginning */
	const struct config *model; /* to take join and identity from; NULL: defaults */
};

/* Appends the configuration as YAML. */
void import_config_put(const struct import_config *import, struct buf *out);

#endif
