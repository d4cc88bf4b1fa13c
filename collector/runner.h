/* runner - drives one source: fetch, hand over, wait until it is durable, go on; for ever, or until caught up.
 *
 * Shape:   live: batches go to the daemon over feed.sock, which also keeps the cursor. print: records go to stdout as JSON lines,
 *          the cursor lives in memory, and no daemon is needed.
 * Errors:  a failing source or daemon is retried for ever with back-off, logged once, and told to the daemon as STATUS. With
 *          `once` a failure that will not pass, or RUNNER_ONCE_TRIES passing ones in a row, end it.
 * Life:    SIGTERM and SIGINT end it between two batches.
 * Threads: one per process. Blocking: runner_run. Tests: tests/unit/runner.c, tests/contract/source.c
 */
#ifndef COLLECTOR_RUNNER_H
#define COLLECTOR_RUNNER_H

#include "collector/source.h"

#include <stdio.h>

#define RUNNER_ONCE_TRIES 8

struct runner_options {
	const struct config *config;
	const char *name; /* of the source: sources.<name> */
	FILE *print;      /* where records go as JSON lines; NULL: to the daemon */
	bool once;        /* end when the source is caught up */
};

/* Runs until it is asked to stop or, with `once` or a source that has an end, until everything is handed over.
 * Returns 0, or ERR_CONFIG (no such source, cannot be opened), ERR_IO, ERR_NOMEM, and with `once` whatever the source said. */
int runner_run(const struct runner_options *options, struct error *err);

#endif
