#include "query/command.h"

#include "query/fmt.h"
#include "query/word.h"

static const char intro[] =
	"querytrail answers: who ran which query, through which route, and how do we know?\n"
	"\n"
	"  querytrail who user:alice --since today       what did alice run today?\n"
	"  querytrail who table:dbo.Customers            who touched this table?\n"
	"  querytrail who grade:U1 --since 2h            statements without an API request\n"
	"  querytrail show ID                            one request with its SQL and evidence\n"
	"  querytrail status                             is everything being collected?\n"
	"\n"
	"Commands\n";

static const char filter_help[] =
	"A filter is a row of terms; all of them must hold.\n"
	"\n"
	"  user:alice                  the whole value, letters folded\n"
	"  route:\"GET /orders/*\"       * is any text, ? any one character; quotes for spaces\n"
	"  statement~\"drop|truncate\"   a regular expression (PCRE2), found anywhere, letters\n"
	"  user!~\"^svc_\\d+$\"          folded unless it begins with (?-i); !~: does not match\n"
	"  rows>1000 duration>2s       numbers and durations: > >= < <= = !=\n"
	"  time:yesterday              a span of time; \"querytrail help time\"\n"
	"  -app:etl   NOT app:etl      must not hold\n"
	"  (user:a OR user:b) verb:DELETE\n"
	"  user:*   -user:*            there is a value, there is none\n"
	"  \"free text\"                 in statement, path, route, user, table, login, ...\n"
	"\n"
	"Fields\n";

static const char time_help[] =
	"Times, for --since, --until and time: in filters. Ranges include their start and exclude\n"
	"their end; a day, month or minute is a span, and --until takes its start.\n"
	"\n"
	"  2026-11-22T10:00:00.5Z   2026-11-22T10:00+02:00   2026-11-22 10:00\n"
	"  2026-11-22   2026-11   2026   10:30\n"
	"  now   today   yesterday   this-week   last-week   this-month   last-month   this-year\n"
	"  2h   90s   \"2 hours ago\"   \"1.5 days\"\n"
	"  @1700000000.25              seconds since 1970\n"
	"\n"
	"Without an offset a time is in the zone of --tz (default UTC), as are the times shown.\n";

static const char grades_help[] =
	"How an attribution is known:\n"
	"\n"
	"  A   exact, by an id that only the server side sets, unique and causally possible\n"
	"  B   exact, by a second id (Lambda request id, log stream)\n"
	"  C   exact, but by an id that a caller or the statement's text could forge\n"
	"  D   inferred, with probability and runner-up\n"
	"  U1  a statement without an API request: it may have gone around the API\n"
	"  U2  an API request without a statement\n"
	"  X   a contradiction: an id used twice, an impossible time, a login not meant for the "
	"route\n"
	"  pending   not joined yet\n"
	"\n"
	"A wrong person is never named at A or B. --grade AB shows only those.\n";

static const char outro[] =
	"\n\"querytrail help COMMAND\" tells more; also: help filter, help time, help grades.\n"
	"Exit status: 0 found, 1 none, 2 error, 3 answered but incomplete, 4 denied, 78 bad "
	"configuration.\n";

static void put_commands(struct buf *out)
{
	size_t count;
	const struct command *commands = command_table(&count);
	for (size_t i = 0; i < count; i++) {
		buf_putf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	}
}

static void put_command(const struct command *command, struct buf *out)
{
	buf_putf(out, "querytrail %s%s%s: %s\n", command->name,
		 command->words[0] != '\0' ? " " : "", command->words, command->summary);
	if (command->examples != NULL) {
		buf_putf(out, "\n%s", command->examples);
	}
	buf_put_text(out, "\nOptions\n");
	option_put_help(command->options, out);
	if (command->run == cmd_who) {
		buf_put_text(out, "\nFormats\n");
		size_t count;
		const struct fmt_type *const *types = fmt_types(&count);
		for (size_t i = 0; i < count; i++) {
			buf_putf(out, "  %-8s %s\n", types[i]->name, types[i]->help);
		}
		buf_put_text(out, "\nSee also: querytrail help filter, help time, help grades\n");
	}
}

int cmd_help(struct session *session, struct error *err)
{
	struct buf *out = &session->out.text;
	const char *topic = session->line.word_count > 0 ? session->line.word[0] : NULL;
	if (topic == NULL || strcmp(topic, "help") == 0) {
		buf_put_text(out, intro);
		put_commands(out);
		buf_put_text(out, outro);
		return EXIT_FOUND;
	}
	if (strcmp(topic, "filter") == 0 || strcmp(topic, "filters") == 0) {
		buf_put_text(out, filter_help);
		word_put_help(out);
		return EXIT_FOUND;
	}
	if (strcmp(topic, "time") == 0 || strcmp(topic, "times") == 0) {
		buf_put_text(out, time_help);
		return EXIT_FOUND;
	}
	if (strcmp(topic, "grade") == 0 || strcmp(topic, "grades") == 0) {
		buf_put_text(out, grades_help);
		return EXIT_FOUND;
	}
	const struct command *command = command_find(topic);
	if (command == NULL) {
		return error_set(
			err, ERR_USAGE,
			"there is no help for \"%s\"; \"querytrail help\" lists the commands",
			topic);
	}
	put_command(command, out);
	return EXIT_FOUND;
}
