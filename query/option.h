/* option - the options of every command, in one table that also gives the help.
 *
 * Rules:   --name VALUE or --name=VALUE, anywhere on the line; -h. A word that begins with one - and is no option is a word of the
 *          filter (-app:etl). Everything behind -- is one too. An option may be given once, but --format where several are
 *          made at once. -o is --output where a command has it, else a word.
 * Life:    values borrow from argv.
 * Threads: pure. Blocking: never. Tests: tests/unit/option.c
 */
#ifndef QUERY_OPTION_H
#define QUERY_OPTION_H

#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

enum option_id {
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_STORE,
	OPTION_CONFIG,
	OPTION_FORMAT,
	OPTION_JSON,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_GRADE,
	OPTION_LIMIT,
	OPTION_WITH_RAW,
	OPTION_EXPLAIN,
	OPTION_TZ,
	OPTION_WIDTH,
	OPTION_NO_COLOR,
	OPTION_ORIGIN,
	OPTION_RAW,
	OPTION_SOURCE,
	OPTION_TYPE,
	OPTION_LOG_FORMAT,
	OPTION_SEVERITY,
	OPTION_STATE,
	OPTION_RULE,
	OPTION_NOTE,
	OPTION_CHANNEL,
	OPTION_DEAD,
	OPTION_OUTPUT,
	OPTION_REPORTS,
	OPTION_COLUMNS,
	OPTION_QUIET,
	OPTION_REASON,
	OPTION_LITERALS,
	OPTION_YES,
	OPTION_POLICY,
	OPTION_ANCHOR,
	OPTION_LEAVES,
	OPTION_BUNDLE,
	OPTION_VERIFIED,
	OPTION_CHECK,
	OPTION_KEY_FILE,
	OPTION_COUNT,
};

#define OPTION_BIT(id) (UINT64_C(1) << (id))

/* Options that every command takes. */
#define OPTIONS_ALWAYS \
	(OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION) | OPTION_BIT(OPTION_NO_COLOR))

#define OPTION_WORDS_MAX   4096
#define OPTION_FORMATS_MAX 8

struct option_line {
	const char *value[OPTION_COUNT]; /* NULL: not given; "" for a flag */
	char *word[OPTION_WORDS_MAX];    /* what is no option, in order */
	size_t word_count;
	const char *format[OPTION_FORMATS_MAX]; /* each --format; value[] has the last one */
	size_t format_count;
};

struct option_input {
	int argc;
	char *const *argv; /* argv[0] is not looked at */
	uint64_t accepted; /* the options that the command takes; bit OPTION_BIT(id) */
	const char *
		command; /* its name for messages; NULL before one is known: then options of any command are taken */
	bool many_formats; /* --format may stand several times */
};

/* Reads a command line. Returns 0 or ERR_USAGE with "did you mean". */
int option_parse(const struct option_input *input, struct option_line *out_line, struct error *err);

/* Appends one line of help for each option in the set. */
void option_put_help(uint64_t options, struct buf *out);

/* The name without dashes. Static text. */
const char *option_name(enum option_id id);

#endif
