/* command - the commands of `querytrail`: one cmd-*.c and one row each.
 *
 * Exit:    0 found, 1 none, 2 error, 3 answered but incomplete, 4 denied, 78 bad configuration.
 * Threads: one command a process. Blocking: all of it.
 * Source:  docs/query.md. Tests: tests/unit/command.c, tests/golden/
 */
#ifndef QUERY_COMMAND_H
#define QUERY_COMMAND_H

#include "query/session.h"

#define COMMAND_STORE  1u /* reads a store; without one named, serve is asked */
#define COMMAND_SERVED 2u /* serve may run it for somebody */
#define COMMAND_MAKES  4u /* --store may not exist yet */
#define COMMAND_MANY   8u /* --format may stand several times */

struct command {
	const char *name;
	const char *words;    /* what may follow, for the help: "[FILTER]" */
	const char *summary;  /* one line */
	const char *examples; /* whole lines, for the help; may be NULL */
	uint64_t options;
	unsigned flags;
	size_t least_words, most_words;
	const char *local_word; /* behind this word no store is read; NULL: none */
	/* Returns the exit status, or -ERR_* with err, which is then told. */
	int (*run)(struct session *session, struct error *err);
};

/* Alerts, and what is done to them: see the run member of struct command. */
int cmd_alerts(struct session *session, struct error *err);
/* Config check|show|sample: see the run member of struct command. */
int cmd_config(struct session *session, struct error *err);
/* What is missing: see the run member of struct command. */
int cmd_coverage(struct session *session, struct error *err);
/* The whole path on made-up traffic: see the run member of struct command. */
int cmd_demo(struct session *session, struct error *err);
/* What a filter means, erased for good: see the run member of struct command. */
int cmd_erase(struct session *session, struct error *err);
/* The original lines of a source: see the run member of struct command. */
int cmd_export(struct session *session, struct error *err);
/* Help for everything: see the run member of struct command. */
int cmd_help(struct session *session, struct error *err);
/* Legal holds: see the run member of struct command. */
int cmd_hold(struct session *session, struct error *err);
/* Files into a store: see the run member of struct command. */
int cmd_import(struct session *session, struct error *err);
/* What was signed of a store, and by whom: see the run member of struct command. */
int cmd_log(struct session *session, struct error *err);
/* Evidence for an auditor: see the run member of struct command. */
int cmd_prove(struct session *session, struct error *err);
/* Reports to files: see the run member of struct command. */
int cmd_report(struct session *session, struct error *err);
/* Rules check|list|test: see the run member of struct command. */
int cmd_rules(struct session *session, struct error *err);
/* One request with its statements: see the run member of struct command. */
int cmd_show(struct session *session, struct error *err);
/* Sources and store: see the run member of struct command. */
int cmd_status(struct session *session, struct error *err);
/* Groups of trails by field: see the run member of struct command. */
int cmd_top(struct session *session, struct error *err);
/* Whether a store holds what its log says: see the run member of struct command. */
int cmd_verify(struct session *session, struct error *err);
/* The version: see the run member of struct command. */
int cmd_version(struct session *session, struct error *err);
/* Trails that match a filter: see the run member of struct command. */
int cmd_who(struct session *session, struct error *err);

/* The command of a name, or NULL; and all of them. */
const struct command *command_find(const char *name);
const struct command *command_table(size_t *out_count);

/* Runs a command line and returns the exit status. All messages go to surroundings->err_fd. */
int command_main(int argc, char *const *argv, const struct surroundings *surroundings);

/* Whether serve may run this command line, and for which command. Returns 0 or ERR_USAGE / ERR_AUTH. */
int command_check_served(int argc, char *const *argv, const struct command **out_command,
			 struct error *err);

#endif
