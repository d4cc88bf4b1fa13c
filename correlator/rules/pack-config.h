/* pack-config - the rules that a configuration asks for: the one way for daemon and command line.
 *
 * Shape:   rules.folders, rules.disabled and rules.lists become pack options; without folders the rules that came with querytrail.
 * Shipped: $QUERYTRAIL_RULES; else beside the program: ../share/querytrail/rules, ../../share/querytrail/rules, ../../conf/rules and
 *          ../../../conf/rules (build trees); else the folder of the installation.
 * Threads: pure but for reading files. Blocking: reads files. Tests: tests/unit/pack-config.c
 */
#ifndef CORRELATOR_RULES_PACK_CONFIG_H
#define CORRELATOR_RULES_PACK_CONFIG_H

#include "base/config.h"
#include "correlator/rules/pack.h"

struct pack_wish {
	const char *const *folders; /* instead of the configuration's; or single files */
	size_t folder_count;
	bool example_lists; /* as in struct pack_options */
};

/* Reads the rules.
 *   config  NULL: no lists, nothing disabled
 *   wish    NULL: as configured
 * Returns 0, ERR_CONFIG (a folder can't be read) or ERR_NOMEM; bad rules are problems of the pack. */
int pack_read_config(const struct config *config, const struct pack_wish *wish,
		     struct pack **out_pack, struct error *err);

/* The folder of the rules that came with querytrail, appended to out. */
void pack_shipped_folder(struct buf *out);

#endif
