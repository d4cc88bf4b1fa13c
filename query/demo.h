/* demo - the whole path on this machine: the simulated company, the real programs, five questions and their answers.
 *
 * Shape:   a folder of its own: company/ (what the simulator wrote: configuration, secrets, the truth), run/ (sockets), store/, and
 *          the programs' logs. The folder stays, so that its store can be explored; the processes end.
 * Errors:  ERR_GONE when a program is missing, ERR_IO when one ends early or nothing comes within DEMO_LIMIT_SECONDS; the sentence
 *          names the log to read.
 * Threads: one. Blocking: some seconds.
 * Tests:   tests/integration/demo.sh
 */
#ifndef QUERY_DEMO_H
#define QUERY_DEMO_H

#include "base/error.h"

#include <stdint.h>

#define DEMO_LIMIT_SECONDS 60

struct demo_options {
	const char *folder; /* NULL: a new one under $TMPDIR or /tmp */
	uint64_t seed;
	uint32_t request_count;
};

/* Runs the demo; tells its story on stdout. */
int demo_run(const struct demo_options *options, struct error *err);

#endif
