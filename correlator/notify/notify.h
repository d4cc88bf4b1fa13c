/* notify - the program: the daemon on one side, the channels on the other, one loop between.
 *
 * State:   none on disk. What waits is the daemon's; after a restart it is sent again.
 * Signals: SIGTERM and SIGINT let what is in flight end within NOTIFY_GRACE_NS; SIGHUP loads the configuration again, and a bad one
 *          changes nothing.
 * Threads: one, and one a channel. Blocking: notify_run, until asked to stop.
 * Tests:   tests/integration/notify-*.py
 */
#ifndef CORRELATOR_NOTIFY_NOTIFY_H
#define CORRELATOR_NOTIFY_NOTIFY_H

#include "base/error.h"

#include <stdio.h>

#define NOTIFY_GRACE_NS INT64_C(4000000000)

struct notify_options {
	const char *config_path;
	const char *runtime_dir;  /* instead of the configured one, or NULL */
	const char *test_channel; /* only send a made-up alert to this channel, or NULL */
};

/* Readies the process, once, before there are threads: libcurl, and connections that break without a signal. Returns 0, ERR_IO,
 * ERR_NOMEM. */
int notify_prepare(struct error *err);

/* Serves until asked to stop. Returns 0, or ERR_CONFIG, ERR_IO, ERR_NOMEM. */
int notify_run(const struct notify_options *options, struct error *err);

/* Sends the made-up alert and tells in words what happened. Returns 0 when it was taken, ERR_AGAIN when not, ERR_CONFIG. */
int notify_test(const struct notify_options *options, FILE *out, struct error *err);

#endif
