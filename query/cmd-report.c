#include "query/command.h"

#include "base/io.h"
#include "query/argument.h"
#include "query/client.h"
#include "query/report/report.h"

#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PASSWD_BYTES 65536

struct order { /* what the command line wants */
	const struct report_writer_type *type[OPTION_FORMATS_MAX];
	size_t type_count;
	const char *path; /* NULL: stdout */
	bool is_folder;
};

static bool is_folder(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int unknown_format(const char *name, struct error *err)
{
	size_t count;
	const struct report_writer_type *const *types = report_writer_types(&count);
	struct buf names;
	buf_init(&names, 1024);
	for (size_t i = 0; i < count; i++) {
		buf_putf(&names, "%s%s",
			 i == 0          ? ""
			 : i + 1 < count ? ", "
					 : " and ",
			 types[i]->name);
	}
	int result = error_set(err, ERR_USAGE, "--format %s is unknown; reports have %.*s", name,
			       STR_ARG(buf_str(&names)));
	buf_done(&names);
	return result;
}

/* The format that a file's name asks for, or NULL. */
static const struct report_writer_type *type_of_path(const char *path)
{
	size_t count;
	const struct report_writer_type *const *types = report_writer_types(&count);
	for (size_t i = 0; i < count; i++) {
		if (str_has_suffix(str_of(path), str_of(types[i]->extension))) {
			return types[i];
		}
	}
	return NULL;
}

static int take_format(struct order *order, const char *name, struct error *err)
{
	const struct report_writer_type *type = report_writer_find(name);
	if (type == NULL) {
		return unknown_format(name, err);
	}
	for (size_t i = 0; i < order->type_count; i++) {
		if (order->type[i] == type) {
			return 0;
		}
	}
	order->type[order->type_count++] = type;
	return 0;
}

/* Formats that were not named: all in a folder, that of the file's name, or Markdown. */
static int default_formats(struct order *order, struct error *err)
{
	size_t count;
	const struct report_writer_type *const *types = report_writer_types(&count);
	if (order->is_folder) {
		for (size_t i = 0; i < count && i < OPTION_FORMATS_MAX; i++) {
			order->type[order->type_count++] = types[i];
		}
		return 0;
	}
	const struct report_writer_type *type =
		order->path != NULL ? type_of_path(order->path) : &write_md;
	if (type == NULL) {
		return error_set(err, ERR_USAGE,
				 "-o %s does not say which format it has; name it with --format",
				 order->path);
	}
	order->type[order->type_count++] = type;
	return 0;
}

/* What the formats and the place ask of each other. */
static int check_order(const struct session *session, const struct order *order, struct error *err)
{
	if (order->path != NULL) {
		return 0;
	}
	if (order->type_count > 1) {
		return error_set(err, ERR_USAGE, "several formats need -o FOLDER");
	}
	if (session->surroundings->out_is_terminal && order->type[0] == &write_pdf) {
		return error_set(err, ERR_USAGE, "a terminal cannot show PDF; use -o FILE");
	}
	return 0;
}

static int read_order(const struct session *session, struct order *order, struct error *err)
{
	const struct option_line *line = &session->line;
	const char *path = session_option(session, OPTION_OUTPUT);
	int result = 0;
	for (size_t i = 0; result == 0 && i < line->format_count; i++) {
		result = take_format(order, line->format[i], err);
	}
	if (result == 0 && session_option(session, OPTION_JSON) != NULL) {
		result = take_format(order, "jsonl", err);
	}
	if (path != NULL && strcmp(path, "-") != 0) {
		bool named = str_has_suffix(str_of(path), STR_LIT("/"));
		order->path = path;
		order->is_folder = named || is_folder(path) || order->type_count > 1;
	}
	if (result == 0 && order->type_count == 0) {
		result = default_formats(order, err);
	}
	return result == 0 ? check_order(session, order, err) : result;
}

static int open_targets(struct session *session, const struct order *order, struct str name,
			struct targets *targets, struct error *err)
{
	int result = 0;
	if (order->path != NULL && order->is_folder && !is_folder(order->path)) {
		result = io_make_dir(order->path, 0700, err);
	}
	for (size_t i = 0; result == 0 && i < order->type_count; i++) {
		const struct report_writer_type *type = order->type[i];
		struct target_place place = {order->path, session->surroundings->out_fd,
					     session->surroundings->out_is_terminal};
		result = order->path != NULL && order->is_folder
				 ? targets_add_to_folder(targets, type, str_of(order->path), name,
							 err)
				 : targets_add(targets, type, &place, err);
	}
	return result;
}

/* Puts the files in place and says where they are. */
static int close_targets(struct session *session, struct targets *targets, struct error *err)
{
	int result = targets_commit(targets, err);
	for (size_t i = 0; result == 0 && i < targets->file_count; i++) {
		if (targets->file[i]->path.len > 0) {
			buf_put_text(&session->err.text, "wrote ");
			output_safe(&session->err, targets->file[i]->path);
			buf_put_byte(&session->err.text, '\n');
		}
	}
	return result;
}

static void find_asker(const struct session *session, char *name, size_t name_bytes,
		       struct head_asker *out_asker)
{
	char text[PASSWD_BYTES];
	struct passwd entry;
	struct passwd *found = NULL;
	const struct surroundings *surroundings = session->surroundings;
	if (surroundings->asker != NULL) {
		*out_asker = (struct head_asker){surroundings->asker, surroundings->asker_uid};
		return;
	}
	uid_t uid = getuid();
	bool known = getpwuid_r(uid, &entry, text, sizeof(text), &found) == 0 && found != NULL;
	(void)snprintf(name, name_bytes, "%s", known ? entry.pw_name : "a user without a name");
	*out_asker = (struct head_asker){name, uid};
}

static int run_here(struct session *session, struct report *report, struct targets *targets,
		    struct error *err)
{
	char asker[256];
	struct buf filter;
	struct report_outcome outcome;
	struct report_question question = {.zone = &session->zone,
					   .now_ns = session->surroundings->now_ns};
	int result = session_open_store(session, err);
	result = result == 0 ? session_range(session, &question.from_ns, &question.to_ns, err)
			     : result;
	if (result != 0) {
		return result;
	}
	buf_init(&filter, LEXER_TEXT_MAX);
	argument_join(session->line.word + 1, session->line.word_count - 1, &filter);
	question.store = session->store;
	question.filter = buf_str(&filter);
	find_asker(session, asker, sizeof(asker), &question.asker);
	result = buf_check(&filter, "the filter", err);
	result = result == 0 ? report_run(report, &question, targets, &outcome, err) : result;
	result = result == 0 ? close_targets(session, targets, err) : result;
	buf_done(&filter);
	if (result != 0) {
		return result;
	}
	if (outcome.incomplete) {
		buf_put_text(&session->err.text,
			     "The report is incomplete: something that it ought to cover is "
			     "missing; it says what.\n");
		return EXIT_INCOMPLETE;
	}
	return outcome.row_count > 0 ? EXIT_FOUND : EXIT_NONE;
}

/* The command line for serve: one format, to stdout. */
static int ask_one(struct session *session, const struct report_writer_type *type, int out_fd,
		   struct error *err)
{
	const struct option_line *line = &session->line;
	size_t room = line->word_count + 2 * (size_t)OPTION_COUNT + 8;
	const char **argv = calloc(room, sizeof(*argv));
	if (argv == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the question");
	}
	int argc = 0;
	char option[OPTION_COUNT][40];
	argv[argc++] = "querytrail";
	argv[argc++] = "report";
	for (size_t id = 0; id < OPTION_COUNT; id++) {
		bool passes = id == OPTION_SINCE || id == OPTION_UNTIL || id == OPTION_TZ ||
			      id == OPTION_CONFIG;
		if (passes && line->value[id] != NULL) {
			(void)snprintf(option[id], sizeof(option[id]), "--%s",
				       option_name((enum option_id)id)); /* names are short */
			argv[argc++] = option[id];
			argv[argc++] = line->value[id];
		}
	}
	argv[argc++] = "--format";
	argv[argc++] = type->name;
	argv[argc++] = "--";
	for (size_t i = 0; i < line->word_count; i++) {
		argv[argc++] = line->word[i];
	}
	struct surroundings surroundings = *session->surroundings;
	const struct surroundings *own = session->surroundings;
	surroundings.out_is_terminal = surroundings.out_is_terminal && out_fd == own->out_fd;
	surroundings.out_fd = out_fd;
	session->surroundings = &surroundings;
	config_free(session->config);
	session->config = NULL;
	int status = client_ask(session, argc, (char *const *)argv, err);
	session->surroundings = own;
	free(argv);
	return status;
}

/* serve gives the bytes; the files are ours. */
static int ask_serve(struct session *session, const struct order *order, struct targets *targets,
		     struct error *err)
{
	int status = EXIT_FOUND;
	for (size_t i = 0; i < order->type_count; i++) {
		targets->target[i].writer.type = NULL; /* it is serve that writes */
		status = ask_one(session, order->type[i], targets->target[i].file->output.fd, err);
		if (status != EXIT_FOUND && status != EXIT_NONE && status != EXIT_INCOMPLETE) {
			return status; /* the old files stay */
		}
	}
	int result = close_targets(session, targets, err);
	return result != 0 ? result : status;
}

static int make(struct session *session, const struct folders *folders, struct error *err)
{
	struct order order = {.type_count = 0};
	struct targets *targets = calloc(1, sizeof(*targets));
	struct report *report = calloc(1, sizeof(*report));
	if (targets == NULL || report == NULL) {
		free(targets);
		free(report);
		return error_set(err, ERR_NOMEM, "no memory for the report");
	}
	struct str name = str_of(session->line.word[0]);
	targets_init(targets, &session->zone);
	int result = read_order(session, &order, err);
	result = result == 0 ? report_load(folders, name, report, err) : result;
	bool loaded = result == 0;
	result = result == 0 ? open_targets(session, &order, name, targets, err) : result;
	if (result == 0) {
		result = session_store_dir(session) != NULL
				 ? run_here(session, report, targets, err)
				 : ask_serve(session, &order, targets, err);
	}
	targets_done(targets);
	if (loaded) {
		report_done(report);
	}
	free(targets);
	free(report);
	return result;
}

static void put_listed(struct session *session, const struct definition *definition)
{
	struct buf *out = &session->out.text;
	output_style(&session->out, STYLE_TITLE);
	output_safe(&session->out, definition->name);
	output_style(&session->out, STYLE_NONE);
	buf_put_text(out, "\n    ");
	output_safe(&session->out, definition->title);
	for (size_t i = 0; i < definition->clause_count; i++) {
		const struct report_clause *clause = &definition->clause[i];
		bool same =
			i > 0 && str_equal(clause->framework, definition->clause[i - 1].framework);
		buf_put_text(out, same ? ", " : "\n    ");
		if (!same) {
			output_safe(&session->out, clause->framework);
			buf_put_byte(out, ' ');
		}
		output_safe(&session->out, clause->clause);
	}
	buf_put_byte(out, '\n');
}

struct listing {
	struct session *session;
	const struct folders *folders;
	bool checks;
	size_t bad;
};

/* One report: what it is, or what is wrong with it. */
static int list_one(struct listing *listing, const char *name, struct error *err)
{
	struct error problem;
	struct output *out = &listing->session->out;
	struct report *report = calloc(1, sizeof(*report));
	if (report == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the report");
	}
	error_clear(&problem);
	int result = report_load(listing->folders, str_of(name), report, &problem);
	if (result == 0 && listing->checks) {
		buf_putf(&out->text, "ok     %s\n", name);
	} else if (result == 0) {
		put_listed(listing->session, report->definition);
	} else {
		listing->bad++;
		buf_putf(&out->text, "%s %s: ", listing->checks ? "error " : "", name);
		output_safe(out, str_of(problem.text));
		buf_put_byte(&out->text, '\n');
	}
	if (result == 0) {
		report_done(report);
	}
	free(report);
	return result == -ERR_NOMEM ? error_set(err, ERR_NOMEM, "%s", problem.text) : 0;
}

/* list: all of them. check: all of them, or those of the first folder, which was named. */
static int list(struct listing *listing, size_t index, struct error *err)
{
	struct arena arena;
	struct folder_names *names = calloc(1, sizeof(*names));
	if (names == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the names of reports");
	}
	arena_init(&arena, 1u << 20);
	int result = folders_list(listing->folders, index, &arena, names, err);
	size_t count = names->count;
	for (size_t i = 0; result == 0 && i < count; i++) {
		result = list_one(listing, names->name[i], err);
	}
	arena_done(&arena);
	free(names);
	if (result != 0) {
		return result;
	}
	if (listing->bad > 0) {
		return error_exit_status(ERR_CONFIG);
	}
	return count > 0 ? EXIT_FOUND : EXIT_NONE;
}

/* What list and check may be told. */
static int check_words(const struct session *session, bool lists, struct error *err)
{
	size_t most = lists ? 1 : 2;
	if (session->surroundings->served != NULL) {
		return error_set(err, ERR_AUTH,
				 "querytrail-serve does not read folders for others");
	}
	if (session->line.word_count > most) {
		return error_set(err, ERR_USAGE, "\"querytrail report %s\" does not know \"%s\"",
				 session->line.word[0], session->line.word[most]);
	}
	return 0;
}

int cmd_report(struct session *session, struct error *err)
{
	const char *extra = session_option(session, OPTION_REPORTS);
	bool lists = strcmp(session->line.word[0], "list") == 0;
	bool checks = strcmp(session->line.word[0], "check") == 0;
	int result = lists || checks ? check_words(session, lists, err) : 0;
	if (result != 0) {
		return result;
	}
	struct folders *folders = calloc(1, sizeof(*folders));
	if (folders == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the report");
	}
	if (checks && session->line.word_count == 2) {
		extra = session->line.word[1];
	}
	result = folders_find(extra, folders, err);
	if (result == 0 && (lists || checks)) {
		struct listing listing = {session, folders, checks, 0};
		result = list(&listing, checks && extra != NULL ? 0 : SIZE_MAX, err);
	} else if (result == 0) {
		result = make(session, folders, err);
	}
	free(folders);
	return result;
}
