/* demo-alerts - which alerts of the demo's store belong to its incident.
 *
 * Threads: one. Blocking: reads the store. Errors: as store_open and alerts_walk. Tests: tests/integration/demo.sh
 */
#ifndef QUERY_DEMO_ALERTS_H
#define QUERY_DEMO_ALERTS_H

#include "base/error.h"
#include "model/alert.h"

#include <stdint.h>

struct demo_alerts {
	uint64_t count, high; /* all; of severity high and critical */
	char export_id
		[ALERT_ID_DIGITS +
		 1]; /* many rows read, the last time before the bypass; "" when there is none */
	char bypass_id[ALERT_ID_DIGITS + 1]; /* the whole table read past the gateway */
};

/* Reads them from the store in a folder. */
int demo_alerts_read(const char *store_dir, struct demo_alerts *out_alerts, struct error *err);

#endif
