/* daemon - querytraild: the loop that joins feed server, keeper and children.
 *
 * Commit:  a batch is committed as soon as nothing more is to be read, but small ones no more often than every
 *          DAEMON_SMALL_GAP_NS, and never later than commit_interval after it came.
 * Silence: a configured or connected source that is silent past its limit becomes a GAP record within 60 s.
 * Signals: SIGTERM and SIGINT commit what was received, tell the peers and end; SIGHUP reads the configuration again: a bad one
 *          changes nothing.
 * Errors:  a failing disk ends the daemon at once with its sentence: what was not confirmed is sent again after the restart. A full
 *          disk makes it pause (correlator/pause.h), and then open everything anew; the store stays its own meanwhile.
 * Threads: one per process. Blocking: daemon_run. Tests: tests/unit/daemon.c, tests/crash/
 */
#ifndef CORRELATOR_DAEMON_H
#define CORRELATOR_DAEMON_H

#include "base/error.h"

#include <stdbool.h>

#define DAEMON_SMALL_RECORDS 256
#define DAEMON_SMALL_GAP_NS  (50 * 1000 * 1000)
#define DAEMON_KEYS_MAX      (64u << 20)

struct daemon_options {
	const char *config_path; /* NULL: the default one, or none when that does not exist */
	const char *store_dir;   /* NULL: as configured */
	const char *runtime_dir; /* NULL: as configured */
	bool spawn;              /* run the collectors and querytrail-serve as children */
	bool records_only; /* judge nothing, neither by the join nor by rules: the next daemon judges what came */
	bool import; /* end when all configured file sources are done and settled; runs no querytrail-serve */
};

#define DAEMON_CONFIG_PATH "/etc/querytrail/querytrail.yaml"

/* Runs until it is asked to stop, or until the import is done. Returns 0, or ERR_CONFIG, ERR_CORRUPT, ERR_IO, ERR_NOMEM, and for an
 * import ERR_INPUT when a source failed. */
int daemon_run(const struct daemon_options *options, struct error *err);

#endif
