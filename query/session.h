/* session - one question: the command line, where the answer goes, and the store it is answered from.
 *
 * Life:    everything lives until session_done.
 * Threads: one per process. Blocking: opens files.
 * Tests:   tests/unit/query-session.c, tests/golden/
 */
#ifndef QUERY_SESSION_H
#define QUERY_SESSION_H

#include "base/config.h"
#include "base/secret.h"
#include "query/option.h"
#include "query/output.h"
#include "store/store.h"

#define EXIT_FOUND      0
#define EXIT_NONE       1
#define EXIT_ERROR      2
#define EXIT_INCOMPLETE 3

#define SESSION_CONFIG_PATH "/etc/querytrail/querytrail.yaml"

/* What the one who asks sits at. Sent over query.sock when serve answers. */
struct surroundings {
	int out_fd, err_fd;
	bool out_is_terminal, err_is_terminal;
	bool color;         /* as far as the environment says; the terminal decides too */
	size_t width;       /* of the terminal; 0: none */
	int64_t now_ns;     /* the moment of the question */
	const char *tz;     /* zone by default; "" is UTC */
	const char *served; /* the store's folder when serve asks on somebody's behalf, else NULL */
	/* behind serve, else not set */
	const char *runtime;         /* the folder of the sockets */
	const struct config *config; /* serve's */
	const char *asker;           /* who that is, by name; set with served */
	int64_t asker_uid;
};

/* What this process sits at: fds 1 and 2, COLUMNS or the terminal's size, NO_COLOR, QUERYTRAIL_NO_COLOR, TERM. */
struct surroundings surroundings_detect(void);

struct command;

struct session {
	const struct command *command;
	const struct surroundings *surroundings;
	struct option_line line;
	struct output out, err;
	struct zone zone;
	struct store *store;
	struct config *config;
};

/* Prepares from a parsed line. Returns 0 or ERR_USAGE for a bad --tz or --width; the session must be done either way. */
int session_init(struct session *session, const struct surroundings *surroundings,
		 struct error *err);

/* Closes and frees everything; what was not flushed is lost. */
void session_done(struct session *session);

/* The folder of the store that was named by --store, QUERYTRAIL_STORE or serve; NULL when none was. */
const char *session_store_dir(const struct session *session);

/* The key of that store's blocks, empty when they have none; an initialised secret. Returns 0 or a failure. */
int session_read_store_key(struct session *session, struct secret *out, struct error *err);

/* Opens that store for reading into session->store. Returns 0 or a failure. */
int session_open_store(struct session *session, struct error *err);

/* Whether a daemon writes that store. serve answers only what the daemon has recorded, so behind it one does. */
bool session_daemon_runs(const struct session *session);

/* Loads --config, QUERYTRAIL_CONFIG or the usual file into session->config, once unless a report is wanted.
 *   out_report  every problem, one a line; may be NULL
 * Returns 0 or ERR_CONFIG. */
int session_load_config(struct session *session, struct buf *out_report, struct error *err);

/* The path that session_load_config reads. */
const char *session_config_path(const struct session *session);

/* --since and --until. Returns 0 or ERR_USAGE. */
int session_range(const struct session *session, int64_t *out_from_ns, int64_t *out_to_ns,
		  struct error *err);

/* The value of an option, or NULL. */
static inline const char *session_option(const struct session *session, enum option_id id)
{
	return session->line.value[id];
}

/* A number option with a default. Returns 0 or ERR_USAGE. */
int session_number(const struct session *session, enum option_id id, uint64_t fallback,
		   uint64_t *out_value, struct error *err);

#endif
