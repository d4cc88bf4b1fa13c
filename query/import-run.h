/* import-run - the daemon of an import: run to its end, with its progress on the terminal, until somebody interrupts it.
 *
 * Shape:   the daemon writes the store; what is shown is what it has committed. Its messages are passed on, each above the line of progress.
 * Signals: SIGINT and SIGTERM must be blocked; they end the daemon, which commits what it has.
 * Threads: one per process. Blocking: until the daemon ends. Tests: tests/unit/cmd-import.c, tests/integration/import-progress.py
 */
#ifndef QUERY_IMPORT_RUN_H
#define QUERY_IMPORT_RUN_H

#include "query/import-progress.h"
#include "query/session.h"
#include "store/sizes.h"

/* What a store says of itself and of a source at a moment; zeros when there is none. */
struct import_seen {
	struct store_source source; /* its texts but name, type and state are not kept */
	bool has_cursor;
	struct filecursor cursor;
	uint64_t cursor_hash; /* of all its bytes: another one once something was committed */
	uint64_t records;     /* in the store */
	struct store_sizes sizes;
};

/* Looks into the store. */
void import_see(const char *store, const char *source, struct import_seen *out);

/* Whether a cursor stands somewhere in these files, but not at their end, and no file has changed since it was committed. */
bool import_can_go_on(const struct import_seen *seen, const struct import_file *files,
		      size_t count);

struct import_run {
	struct session *session;
	const char *config_path, *store, *source;
	const struct import_file *files;
	size_t file_count;
	const struct import_seen *before;
	bool goes_on; /* from before's cursor */
	bool show;    /* progress */
};

/* Runs the daemon. Returns 0, ERR_CANCELLED (interrupted), ERR_CONFIG or ERR_IO. */
int import_run(const struct import_run *run, struct error *err);

#endif
