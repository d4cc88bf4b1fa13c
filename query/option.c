#include "query/option.h"

static const struct option {
	const char *name;
	const char *argument; /* NULL: a flag */
	const char *help;
} options[OPTION_COUNT] = {
	[OPTION_HELP] = {"help", NULL, "show this help (-h)"},
	[OPTION_VERSION] = {"version", NULL, "show the version"},
	[OPTION_STORE] = {"store", "DIR",
			  "read this store directly (also QUERYTRAIL_STORE); without it "
			  "querytrail-serve is asked"},
	[OPTION_CONFIG] = {"config", "FILE",
			   "the configuration (also QUERYTRAIL_CONFIG); "
			   "/etc/querytrail/querytrail.yaml"},
	[OPTION_FORMAT] = {"format", "F",
			   "table, text, json, jsonl or csv; reports: html, pdf, csv, jsonl, md"},
	[OPTION_JSON] = {"json", NULL, "the same as --format json"},
	[OPTION_SINCE] = {"since", "TIME", "from this time on: 2026-11-22, 2h, yesterday"},
	[OPTION_UNTIL] = {"until", "TIME", "before this time"},
	[OPTION_GRADE] = {"grade", "G", "only these grades: AB, X, U1, pending"},
	[OPTION_LIMIT] = {"limit", "N", "show the first N rows; there is no limit otherwise"},
	[OPTION_WITH_RAW] = {"with-raw", NULL, "json and csv also hold the original lines"},
	[OPTION_EXPLAIN] = {"explain", NULL, "say how the query was understood and what was read"},
	[OPTION_TZ] = {"tz", "ZONE",
		       "zone for times, in and out: UTC (default), local, +02:00, "
		       "Europe/Berlin"},
	[OPTION_WIDTH] = {"width", "N", "columns of the table; 0: as wide as it takes"},
	[OPTION_NO_COLOR] = {"no-color", NULL, "no colours (also NO_COLOR, TERM=dumb)"},
	[OPTION_ORIGIN] = {"origin", NULL, "say for each value where it comes from"},
	[OPTION_RAW] = {"raw", NULL, "the original lines, byte for byte"},
	[OPTION_SOURCE] = {"source", "NAME", "the source"},
	[OPTION_TYPE] = {"type", "T", "what the files hold: access-log or audit-rows"},
	[OPTION_LOG_FORMAT] = {"log-format", "TEXT",
			       "the stage's access log format; without it the well-known keys"},
	[OPTION_SEVERITY] = {"severity", "S",
			     "alerts of this severity and above: low, medium, high, critical"},
	[OPTION_STATE] = {"state", "LIST",
			  "alerts in these states: firing,acknowledged,revoked,expired"},
	[OPTION_RULE] = {"rule", "R",
			 "alerts of this rule: its id (* is any text) or a part of its title"},
	[OPTION_NOTE] = {"note", "TEXT", "what you found, or why; it is kept"},
	[OPTION_CHANNEL] = {"channel", "NAME", "only to this channel"},
	[OPTION_DEAD] = {"dead", NULL, "all deliveries that are dead"},
	[OPTION_OUTPUT] = {"output", "PATH",
			   "a file, or a folder for a file of each format (-o); - is stdout"},
	[OPTION_REPORTS] = {"reports", "DIR", "a folder with reports of your own"},
	[OPTION_COLUMNS] = {"columns", NULL,
			    "what each column of the blocks takes, beside what its values need"},
	[OPTION_QUIET] = {"quiet", NULL, "no progress while it runs"},
	[OPTION_REASON] = {"reason", "TEXT", "why, for the record; it must not name the person"},
	[OPTION_LITERALS] = {"literals", NULL,
			     "take only values and original lines; who, when and where stay"},
	[OPTION_POLICY] =
		{"policy", "FILE",
		 "whom to trust: the keys of the log and its witnesses (C2SP tlog-policy)"},
	[OPTION_ANCHOR] = {"anchor", "PATH",
			   "checkpoints kept outside of the store: a file, or a folder of them"},
	[OPTION_LEAVES] = {"leaves", "A..B", "only leaves A to B, their groups of 256 as a whole"},
	[OPTION_BUNDLE] = {"bundle", "DIR",
			   "check this folder that \"querytrail prove\" wrote, without a store"},
	[OPTION_VERIFIED] = {"verified", NULL,
			     "compute everything that the answer rests on anew, and compare it "
			     "with what was signed"},
	[OPTION_CHECK] = {"check", "FILE", "check this proof; reads no store"},
	[OPTION_KEY_FILE] = {"key-file", "FILE",
			     "the key that signs, if it is not log.key in the store's folder"},
	[OPTION_YES] = {"yes", NULL, "do it; without it is only said what would be done"},
};

const char *option_name(enum option_id id)
{
	return options[id].name;
}

static int unknown(struct str name, const char *command, struct error *err)
{
	const char *names[OPTION_COUNT];
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		names[i] = options[i].name;
	}
	const char *near = str_nearest(name, names, OPTION_COUNT);
	if (near != NULL) {
		return error_set(err, ERR_USAGE, "unknown option --%.*s; did you mean --%s?",
				 STR_ARG(name), near);
	}
	return error_set(err, ERR_USAGE,
			 "unknown option --%.*s; \"querytrail help%s%s\" lists them", STR_ARG(name),
			 command != NULL ? " " : "", command != NULL ? command : "");
}

struct reader { /* a command line being read */
	int argc;
	char *const *argv;
	int at;
	const struct option_input *input;
	struct option_line *line;
};

/* Before the command is known, options of any are taken. */
static bool accepts(const struct reader *reader, enum option_id id)
{
	return reader->input->command == NULL || (reader->input->accepted >> id & 1u) != 0;
}

static int find(const struct reader *reader, struct str name, enum option_id *out_id,
		struct error *err)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (!str_is(name, options[i].name)) {
			continue;
		}
		if (!accepts(reader, (enum option_id)i)) {
			return error_set(err, ERR_USAGE, "--%s does not go with \"querytrail %s\"",
					 options[i].name, reader->input->command);
		}
		*out_id = (enum option_id)i;
		return 0;
	}
	return unknown(name, reader->input->command, err);
}

static int take(struct reader *reader, enum option_id id, const char *value, struct error *err)
{
	struct option_line *line = reader->line;
	const struct option_input *input = reader->input;
	bool many = id == OPTION_FORMAT && (input->many_formats || input->command == NULL);
	if (line->value[id] != NULL && options[id].argument != NULL && !many) {
		return error_set(err, ERR_USAGE, "--%s is given twice", options[id].name);
	}
	line->value[id] = value != NULL ? value : "";
	if (id == OPTION_FORMAT) {
		if (line->format_count == OPTION_FORMATS_MAX) {
			return error_set(err, ERR_USAGE, "--format is given more than %d times",
					 OPTION_FORMATS_MAX);
		}
		line->format[line->format_count++] = value;
	}
	return 0;
}

/* -h, and -o where the command has --output. Returns whether the word was one of them, in *out_taken. */
static int parse_short(struct reader *reader, bool *out_taken, struct error *err)
{
	const char *word = reader->argv[reader->at];
	*out_taken = strcmp(word, "-h") == 0;
	if (*out_taken) {
		reader->line->value[OPTION_HELP] = "";
		return 0;
	}
	if (strcmp(word, "-o") != 0 || !accepts(reader, OPTION_OUTPUT)) {
		return 0;
	}
	if (reader->at + 1 >= reader->argc) {
		return error_set(err, ERR_USAGE, "-o needs a value: -o PATH");
	}
	*out_taken = true;
	return take(reader, OPTION_OUTPUT, reader->argv[++reader->at], err);
}

/* One --option; its value may stand behind = or apart. */
static int parse_long(struct reader *reader, struct error *err)
{
	const char *word = reader->argv[reader->at];
	struct str text = str_slice(str_of(word), 2, SIZE_MAX);
	ptrdiff_t equals = str_find_byte(text, '=', 0);
	struct str name = equals < 0 ? text : str_slice(text, 0, (size_t)equals);
	enum option_id id;
	int result = find(reader, name, &id, err);
	if (result != 0) {
		return result;
	}
	const struct option *option = &options[id];
	const char *value = equals < 0 ? NULL : word + 2 + equals + 1;
	if (option->argument == NULL && value != NULL) {
		return error_set(err, ERR_USAGE, "--%s takes no value", option->name);
	}
	if (option->argument != NULL && value == NULL) {
		if (reader->at + 1 >= reader->argc) {
			return error_set(err, ERR_USAGE, "--%s needs a value: --%s %s",
					 option->name, option->name, option->argument);
		}
		value = reader->argv[++reader->at];
	}
	return take(reader, id, value, err);
}

int option_parse(const struct option_input *input, struct option_line *out_line, struct error *err)
{
	struct option_line *line = out_line;
	*line = (struct option_line){0};
	struct reader reader = {input->argc, input->argv, 1, input, line};
	bool only_words = false;
	for (; reader.at < reader.argc; reader.at++) {
		char *word = reader.argv[reader.at];
		if (!only_words && strcmp(word, "--") == 0) {
			only_words = true;
			continue;
		}
		bool taken = false;
		int result = only_words ? 0 : parse_short(&reader, &taken, err);
		if (result != 0) {
			return result;
		}
		if (taken) {
			continue;
		}
		if (!only_words && strncmp(word, "--", 2) == 0) {
			result = parse_long(&reader, err);
			if (result != 0) {
				return result;
			}
			continue;
		}
		if (line->word_count == OPTION_WORDS_MAX) {
			return error_set(err, ERR_USAGE, "more than %d words on the command line",
					 OPTION_WORDS_MAX);
		}
		line->word[line->word_count++] = word;
	}
	return 0;
}

void option_put_help(uint64_t set, struct buf *out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if ((set >> i & 1u) == 0) {
			continue;
		}
		size_t begin = out->len;
		buf_putf(out, "  --%s", options[i].name);
		if (options[i].argument != NULL) {
			buf_putf(out, " %s", options[i].argument);
		}
		size_t used = out->len - begin;
		buf_put_fill(out, ' ', used < 20 ? 20 - used : 1);
		buf_putf(out, "%s\n", options[i].help);
	}
}
