/* yardstick - by which options of the join a store was judged, so that it is said when others are used.
 *
 * Shape:   a digest of the options (tolerances, signing key, routes, clocks), kept as the setting
 *          "join.judged" of the store. Verdicts that differ under new options are said as revisions; this says why they come.
 * Threads: as the store. Blocking: disk. Source: docs/format.md section 5.1. Tests: tests/unit/yardstick.c
 */
#ifndef CORRELATOR_YARDSTICK_H
#define CORRELATOR_YARDSTICK_H

#include "correlator/join/join.h"
#include "store/store.h"

#define YARDSTICK_KEY    "join.judged"
#define YARDSTICK_DIGITS 16

struct yardstick {
	char digest[YARDSTICK_DIGITS + 1];
	bool differs; /* the store was judged by others before */
	bool stored;
};

/* Takes the options' digest and compares it with the store's. Returns 0, or what store_meta_get says. */
int yardstick_take(struct yardstick *yardstick, struct store *store,
		   const struct join_options *options, struct error *err);

/* Puts it into the open transaction, once. */
int yardstick_put(struct yardstick *yardstick, struct store *store, struct error *err);

#endif
