#include "query/command.h"

#include "query/client.h"

#include <stdlib.h>

#define SET_ASK                                                                             \
	(OPTION_BIT(OPTION_STORE) | OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_FORMAT) | \
	 OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_TZ) | OPTION_BIT(OPTION_WIDTH) |       \
	 OPTIONS_ALWAYS)
#define SET_VERIFIED (OPTION_BIT(OPTION_VERIFIED) | OPTION_BIT(OPTION_POLICY))
#define SET_RANGE    (OPTION_BIT(OPTION_SINCE) | OPTION_BIT(OPTION_UNTIL))

static const struct command commands[] = {
	{.name = "who",
	 .words = "[FILTER]",
	 .summary = "which statements ran, by whom, through which route, and how we know",
	 .examples = "  querytrail who user:alice --since today\n"
		     "  querytrail who table:dbo.Customers verb:SELECT rows>1000\n"
		     "  querytrail who route:\"GET /orders/*\" -app:etl --grade AB\n"
		     "  querytrail who \"credit card\" --since 2h --format text\n"
		     "  querytrail who grade:U1            statements without an API request\n",
	 .options = SET_ASK | SET_RANGE | OPTION_BIT(OPTION_GRADE) | OPTION_BIT(OPTION_LIMIT) |
		    OPTION_BIT(OPTION_WITH_RAW) | OPTION_BIT(OPTION_EXPLAIN) | SET_VERIFIED,
	 .flags = COMMAND_STORE | COMMAND_SERVED,
	 .most_words = OPTION_WORDS_MAX,
	 .run = cmd_who},
	{.name = "show",
	 .words = "ID",
	 .summary = "one request with its statements and verdicts; any of its ids will do",
	 .examples = "  querytrail show 6a1f6cb4-8a0e-4bd4-9bb1-0c6f2d6f3b11\n"
		     "  querytrail show 3f9c0d1e2a4b5c6d   a statement's id\n"
		     "  querytrail show 4711               a leaf number\n",
	 .options = SET_ASK | SET_VERIFIED,
	 .flags = COMMAND_STORE | COMMAND_SERVED,
	 .least_words = 1,
	 .most_words = 1,
	 .run = cmd_show},
	{.name = "top",
	 .words = "FIELD[,FIELD] [FILTER]",
	 .summary = "how many statements each user, route, table, .. has",
	 .examples = "  querytrail top user --since today\n"
		     "  querytrail top route,table verb:DELETE\n"
		     "  querytrail top grade --format csv\n",
	 .options = SET_ASK | SET_RANGE | OPTION_BIT(OPTION_GRADE) | OPTION_BIT(OPTION_LIMIT) |
		    SET_VERIFIED,
	 .flags = COMMAND_STORE | COMMAND_SERVED,
	 .least_words = 1,
	 .most_words = OPTION_WORDS_MAX,
	 .run = cmd_top},
	{.name = "alerts",
	 .words = "[list|show ID|ack ID|replay [ID]|failed|test CHANNEL]",
	 .summary = "what the rules found; acknowledge it, send it again",
	 .examples = "  querytrail alerts --since yesterday --severity high --state firing\n"
		     "  querytrail alerts show 3f9c0d1e2a4b5c6d\n"
		     "  querytrail alerts ack 3f9c0d1e2a4b5c6d --note \"agreed with the owner, "
		     "CHG-1201\"\n"
		     "  querytrail alerts failed           deliveries that are given up\n"
		     "  querytrail alerts replay --dead    sends them again\n"
		     "  querytrail alerts replay --channel pager   what fires, and what is dead, "
		     "again\n"
		     "  querytrail alerts test pager       sends a made-up alert\n",
	 .options = SET_ASK | SET_RANGE | OPTION_BIT(OPTION_SEVERITY) | OPTION_BIT(OPTION_STATE) |
		    OPTION_BIT(OPTION_RULE) | OPTION_BIT(OPTION_NOTE) | OPTION_BIT(OPTION_CHANNEL) |
		    OPTION_BIT(OPTION_DEAD),
	 .flags = COMMAND_STORE | COMMAND_SERVED,
	 .most_words = 2,
	 .local_word = "test",
	 .run = cmd_alerts},
	{.name = "status",
	 .words = "",
	 .summary = "sources, how far they are read, and what the store holds",
	 .examples = "  querytrail status\n  querytrail status --format json\n"
		     "  querytrail status --columns        what each column takes\n",
	 .options = SET_ASK | OPTION_BIT(OPTION_COLUMNS) | OPTION_BIT(OPTION_LIMIT),
	 .flags = COMMAND_STORE | COMMAND_SERVED,
	 .run = cmd_status},
	{.name = "coverage",
	 .words = "",
	 .summary = "what is missing: every gap, and sources that lag",
	 .examples = "  querytrail coverage --since yesterday\n",
	 .options = SET_ASK | SET_RANGE,
	 .flags = COMMAND_STORE | COMMAND_SERVED,
	 .run = cmd_coverage},
	{.name = "log",
	 .words = "[show|policy|keys|proof OLD NEW|next-key|continue]",
	 .summary = "what was signed of a store, and by whom; goes on under a new key",
	 .examples = "  querytrail log                     origin, size, root, keys and anchors\n"
		     "  querytrail log policy > auditor.policy\n"
		     "  querytrail log proof 1000 latest -o grown.proof\n"
		     "  querytrail log proof --check grown.proof --policy auditor.policy\n"
		     "  querytrail log next-key -o next.key    for a change of keys\n"
		     "  querytrail log continue --reason \"restored from 2026-11-20\" --yes\n",
	 .options = OPTION_BIT(OPTION_STORE) | OPTION_BIT(OPTION_CONFIG) |
		    OPTION_BIT(OPTION_OUTPUT) | OPTION_BIT(OPTION_POLICY) |
		    OPTION_BIT(OPTION_CHECK) | OPTION_BIT(OPTION_KEY_FILE) |
		    OPTION_BIT(OPTION_REASON) | OPTION_BIT(OPTION_YES) | OPTION_BIT(OPTION_TZ) |
		    OPTION_BIT(OPTION_WIDTH) | OPTIONS_ALWAYS,
	 .most_words = 3,
	 .run = cmd_log},
	{.name = "prove",
	 .words = "ID... -o DIR",
	 .summary = "evidence for an auditor: records with proofs that they were signed",
	 .examples = "  querytrail prove 6a1f6cb4-8a0e-4bd4-9bb1-0c6f2d6f3b11 -o ./evidence\n"
		     "  querytrail prove leaf:4711 -o ./evidence --policy auditor.policy\n",
	 .options = OPTION_BIT(OPTION_STORE) | OPTION_BIT(OPTION_CONFIG) |
		    OPTION_BIT(OPTION_OUTPUT) | OPTION_BIT(OPTION_POLICY) | OPTIONS_ALWAYS,
	 .flags = COMMAND_STORE,
	 .least_words = 1,
	 .most_words = OPTION_WORDS_MAX,
	 .run = cmd_prove},
	{.name = "verify",
	 .words = "",
	 .summary = "whether each record is the one that was committed and signed",
	 .examples = "  querytrail verify --policy auditor.policy --anchor /mnt/worm/querytrail\n"
		     "  querytrail verify --leaves 0..99999\n"
		     "  querytrail verify --bundle ./evidence --policy auditor.policy   what prove "
		     "wrote\n",
	 .options =
		 OPTION_BIT(OPTION_STORE) | OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_FORMAT) |
		 OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_POLICY) | OPTION_BIT(OPTION_ANCHOR) |
		 OPTION_BIT(OPTION_LEAVES) | OPTION_BIT(OPTION_BUNDLE) | OPTION_BIT(OPTION_QUIET) |
		 OPTION_BIT(OPTION_TZ) | OPTION_BIT(OPTION_WIDTH) | OPTIONS_ALWAYS,
	 .flags = COMMAND_STORE,
	 .run = cmd_verify},
	{.name = "import",
	 .words = "FILE...",
	 .summary = "take in files of access log lines or audit rows",
	 .examples =
		 "  querytrail import --store ./store --source api --type access-log api.log.gz\n"
		 "  querytrail import --store ./store --source sql --type audit-rows audit.jsonl\n",
	 .options = OPTION_BIT(OPTION_STORE) | OPTION_BIT(OPTION_CONFIG) |
		    OPTION_BIT(OPTION_SOURCE) | OPTION_BIT(OPTION_TYPE) |
		    OPTION_BIT(OPTION_LOG_FORMAT) | OPTION_BIT(OPTION_FORMAT) |
		    OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_QUIET) | OPTIONS_ALWAYS,
	 .flags = COMMAND_MAKES,
	 .least_words = 1,
	 .most_words = OPTION_WORDS_MAX,
	 .run = cmd_import},
	{.name = "export",
	 .words = "",
	 .summary = "the original lines and rows of a source, byte for byte, in commit order",
	 .examples = "  querytrail export --raw --source api > api.log\n",
	 .options = OPTION_BIT(OPTION_STORE) | OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_RAW) |
		    OPTION_BIT(OPTION_SOURCE) | OPTIONS_ALWAYS,
	 .flags = COMMAND_STORE | COMMAND_SERVED,
	 .run = cmd_export},
	{.name = "hold",
	 .words = "list | add NAME FILTER | release NAME",
	 .summary = "legal holds: what is under one is neither removed nor erased",
	 .examples = "  querytrail hold add case-17 user:alice --note \"court order 17/2026\"\n"
		     "  querytrail hold list\n"
		     "  querytrail hold release case-17 --note \"closed on 2026-11-20\"\n",
	 .options = OPTION_BIT(OPTION_STORE) | OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_NOTE) |
		    OPTION_BIT(OPTION_TZ) | OPTION_BIT(OPTION_WIDTH) | OPTIONS_ALWAYS,
	 .flags = COMMAND_STORE,
	 .most_words = OPTION_WORDS_MAX,
	 .run = cmd_hold},
	{.name = "erase",
	 .words = "FILTER",
	 .summary = "erase requests, their statements and alerts for good; shows first what",
	 .examples = "  querytrail erase user:alice\n"
		     "  querytrail erase user:alice --reason \"request 4711, GDPR article 17\" "
		     "--yes\n"
		     "  querytrail erase table:dbo.Patients --until 2026-01-01 --literals "
		     "--reason \"DPIA 8\" --yes\n",
	 .options = OPTION_BIT(OPTION_STORE) | OPTION_BIT(OPTION_CONFIG) | SET_RANGE |
		    OPTION_BIT(OPTION_GRADE) | OPTION_BIT(OPTION_REASON) |
		    OPTION_BIT(OPTION_LITERALS) | OPTION_BIT(OPTION_YES) | OPTION_BIT(OPTION_TZ) |
		    OPTION_BIT(OPTION_WIDTH) | OPTIONS_ALWAYS,
	 .flags = COMMAND_STORE,
	 .least_words = 1,
	 .most_words = OPTION_WORDS_MAX,
	 .run = cmd_erase},
	{.name = "config",
	 .words = "check|show|sample [FILE]",
	 .summary = "check the configuration, show it with defaults, or print a sample",
	 .examples = "  querytrail config check /etc/querytrail/querytrail.yaml\n"
		     "  querytrail config show --origin\n"
		     "  querytrail config sample > querytrail.yaml\n",
	 .options = OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_ORIGIN) | OPTIONS_ALWAYS,
	 .least_words = 1,
	 .most_words = 2,
	 .run = cmd_config},
	{.name = "rules",
	 .words = "check|list|test [FOLDER|FILE]...",
	 .summary = "check the rules that raise alerts, list them, or run their examples",
	 .examples = "  querytrail rules check\n"
		     "  querytrail rules check ./rules --config querytrail.yaml\n"
		     "  querytrail rules list --format csv\n"
		     "  querytrail rules test ./rules/my-rule.yml\n",
	 .options = OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_FORMAT) |
		    OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_WIDTH) | OPTIONS_ALWAYS,
	 .least_words = 1,
	 .most_words = OPTION_WORDS_MAX,
	 .run = cmd_rules},
	{.name = "demo",
	 .words = "[FOLDER]",
	 .summary = "a simulated company, its incident, and five questions with their answers",
	 .examples = "  querytrail demo\n  querytrail demo ./demo      keeps everything in this "
		     "folder\n",
	 .options = OPTIONS_ALWAYS,
	 .most_words = 1,
	 .run = cmd_demo},
	{.name = "report",
	 .words = "NAME [FILTER] | list | check [DIR]",
	 .summary = "a report for the file: who ran what, alerts, coverage, evidence for PCI DSS",
	 .examples =
		 "  querytrail report list\n"
		 "  querytrail report who-ran-what-by-user --since last-month --until this-month "
		 "-o report.html\n"
		 "  querytrail report pci --since 2026-10 --until 2026-11 -o ./audit/\n"
		 "  querytrail report who-ran-what-by-table table:dbo.Customers --format csv\n"
		 "  querytrail report check ./my-reports\n",
	 .options = SET_ASK | SET_RANGE | OPTION_BIT(OPTION_OUTPUT) | OPTION_BIT(OPTION_REPORTS),
	 .flags = COMMAND_SERVED | COMMAND_MANY,
	 .least_words = 1,
	 .most_words = OPTION_WORDS_MAX,
	 .run = cmd_report},
	{.name = "help",
	 .words = "[COMMAND|filter|time|grades]",
	 .summary = "help for a command, for filters, times or grades",
	 .examples = "  querytrail help who\n  querytrail help filter\n",
	 .options = OPTIONS_ALWAYS,
	 .most_words = 1,
	 .run = cmd_help},
	{.name = "version",
	 .words = "",
	 .summary = "the version",
	 .options = OPTIONS_ALWAYS,
	 .run = cmd_version},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

const struct command *command_table(size_t *out_count)
{
	*out_count = COMMAND_COUNT;
	return commands;
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0) {
			return &commands[i];
		}
	}
	return NULL;
}

static int unknown_command(const char *name, struct error *err)
{
	const char *names[COMMAND_COUNT];
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		names[i] = commands[i].name;
	}
	const char *near = str_nearest(str_of(name), names, COMMAND_COUNT);
	if (near != NULL) {
		return error_set(err, ERR_USAGE, "unknown command \"%s\"; did you mean \"%s\"?",
				 name, near);
	}
	return error_set(err, ERR_USAGE,
			 "unknown command \"%s\"; \"querytrail help\" lists them, and \"querytrail "
			 "who %s\" looks for it",
			 name, name);
}

/* Whether the line reads no store although its command does. */
static bool is_local(const struct command *command, const struct option_line *line)
{
	bool local_word = command->local_word != NULL && line->word_count > 0 &&
			  strcmp(line->word[0], command->local_word) == 0;
	return local_word || line->value[OPTION_BUNDLE] != NULL;
}

/* Finds the command and reads the line with its options; without a word the help is meant. */
static int read_line(int argc, char *const *argv, struct session *session, struct error *err)
{
	struct option_input input = {.argc = argc, .argv = argv};
	int result = option_parse(&input, &session->line, err);
	if (result != 0) {
		return result;
	}
	struct option_line *line = &session->line;
	bool version = line->value[OPTION_VERSION] != NULL;
	if (line->word_count == 0) {
		session->command = command_find(version ? "version" : "help");
		return 0;
	}
	session->command = command_find(line->word[0]);
	if (session->command == NULL) {
		return unknown_command(line->word[0], err);
	}
	input.accepted = session->command->options;
	input.command = session->command->name;
	input.many_formats = (session->command->flags & COMMAND_MANY) != 0;
	result = option_parse(&input, line, err);
	if (result != 0) {
		return result;
	}
	if (line->value[OPTION_HELP] != NULL) {
		session->command = command_find("help"); /* word 0 is the command to tell about */
		return 0;
	}
	line->word_count--;
	memmove(line->word, line->word + 1, line->word_count * sizeof(line->word[0]));
	if (line->word_count < session->command->least_words) {
		return error_set(
			err, ERR_USAGE, "\"querytrail %s\" needs %s; \"querytrail help %s\"",
			session->command->name, session->command->words, session->command->name);
	}
	if (line->word_count > session->command->most_words) {
		return error_set(err, ERR_USAGE,
				 "\"querytrail %s\" does not know what to do with \"%s\"",
				 session->command->name, line->word[session->command->most_words]);
	}
	return 0;
}

int command_check_served(int argc, char *const *argv, const struct command **out_command,
			 struct error *err)
{
	struct session *session = calloc(1, sizeof(*session));
	if (session == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the command line");
	}
	int result = read_line(argc, argv, session, err);
	const struct command *command = session->command;
	bool names_path = result == 0 && (session->line.value[OPTION_STORE] != NULL ||
					  session->line.value[OPTION_CONFIG] != NULL ||
					  session->line.value[OPTION_OUTPUT] != NULL ||
					  session->line.value[OPTION_REPORTS] != NULL);
	bool local = result == 0 && is_local(command, &session->line);
	free(session);
	if (result != 0) {
		return result;
	}
	if ((command->flags & COMMAND_SERVED) == 0 || names_path || local) {
		return error_set(
			err, ERR_AUTH,
			"querytrail-serve does not run this: only who, show, top, alerts, status, "
			"coverage, export and report, without --store, --config, --output and "
			"--reports");
	}
	*out_command = command;
	return 0;
}

static int run(struct session *session, int argc, char *const *argv,
	       const struct surroundings *surroundings, struct error *err)
{
	int result = session_init(session, surroundings, err);
	if (result != 0) {
		return result;
	}
	bool needs_store = (session->command->flags & COMMAND_STORE) != 0 &&
			   !is_local(session->command, &session->line);
	if (needs_store && session_store_dir(session) == NULL) {
		return client_ask(session, argc, argv, err);
	}
	if (needs_store) {
		result = session_open_store(session, err);
	}
	return result != 0 ? result : session->command->run(session, err);
}

int command_main(int argc, char *const *argv, const struct surroundings *surroundings)
{
	struct error err;
	error_clear(&err);
	struct session *session = calloc(1, sizeof(*session));
	if (session == NULL) {
		return EXIT_ERROR;
	}
	int result = read_line(argc, argv, session, &err);
	if (result != 0) {
		output_init(&session->err, surroundings->err_fd, NULL);
	} else {
		result = run(session, argc, argv, surroundings, &err);
		int written = output_flush(&session->out, result >= 0 ? &err : NULL);
		result = result >= 0 && written != 0 ? written : result;
	}
	int status = result >= 0 ? result : error_exit_status(result);
	if (result < 0 && session->out.failure.code != ERR_GONE) { /* else nobody reads any more */
		bool placed = strncmp(err.text, "query:", 6) == 0;
		buf_putf(&session->err.text, "%s%s\n", placed ? "" : "querytrail: ", err.text);
	}
	(void)output_flush(&session->err, NULL); /* there is nobody left to tell */
	session_done(session);
	free(session);
	return status;
}
