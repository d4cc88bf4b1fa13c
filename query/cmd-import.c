#include "query/command.h"

#include "base/io.h"
#include "base/json.h"
#include "base/process.h"
#include "query/import-config.h"
#include "query/writer.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PROGRESS_MS 250
#define STOP_MS     30000

struct import {
	struct session *session;
	char store[PATH_MAX];
	char folder[64]; /* temporary: configuration and sockets; "" until made */
	char *files[OPTION_WORDS_MAX];
	size_t file_count;
	struct store_source before, after;
};

static int check_options(struct session *session, struct error *err)
{
	const char *source = session_option(session, OPTION_SOURCE);
	const char *type = session_option(session, OPTION_TYPE);
	if (source == NULL || type == NULL) {
		return error_set(err, ERR_USAGE,
				 "say what the files are: querytrail import --source NAME --type "
				 "access-log|audit-rows FILE...");
	}
	if (strcmp(type, "access-log") != 0 && strcmp(type, "audit-rows") != 0) {
		return error_set(err, ERR_USAGE,
				 "--type %s is unknown; there are access-log and audit-rows", type);
	}
	return 0;
}

static int check_files(struct import *import, struct error *err)
{
	const struct option_line *line = &import->session->line;
	for (size_t i = 0; i < line->word_count; i++) {
		struct stat status;
		char *path = realpath(line->word[i], NULL);
		if (path == NULL) {
			return error_errno(err, "%s", line->word[i]);
		}
		import->files[import->file_count++] = path;
		if (stat(path, &status) != 0 || access(path, R_OK) != 0) {
			return error_errno(err, "%s", line->word[i]);
		}
		if (S_ISDIR(status.st_mode)) {
			return error_set(err, ERR_USAGE, "%s is a folder; name its files",
					 line->word[i]);
		}
	}
	return 0;
}

/* The store's absolute path; it is made when it does not exist. */
static int find_store(struct import *import, struct error *err)
{
	struct session *session = import->session;
	const char *dir = session_store_dir(session);
	bool has_config = session_option(session, OPTION_CONFIG) != NULL ||
			  access(session_config_path(session), R_OK) == 0;
	if (has_config) {
		int result = session_load_config(session, NULL, err);
		if (result != 0) {
			return result;
		}
	}
	if (dir == NULL && session->config != NULL) {
		dir = config_text(session->config, "", "store");
	}
	if (dir == NULL) {
		return error_set(err, ERR_USAGE,
				 "say which store: --store DIR (it is made when it "
				 "does not exist)");
	}
	int result = io_make_dir(dir, 0700, err);
	if (result != 0) {
		return result;
	}
	long pid = 0;
	if (realpath(dir, import->store) == NULL) {
		return error_errno(err, "%s", dir);
	}
	if (writer_alive(import->store, &pid)) {
		return error_set(
			err, ERR_CONFIG,
			"process %ld already writes to %s: stop that daemon first, or give it "
			"these files as a source of type `file` in its configuration",
			pid, import->store);
	}
	return 0;
}

/* The source's counters as they are now; zeros when there is no store or source yet. */
static void read_counters(const struct import *import, struct store_source *out)
{
	struct store *store = NULL;
	const struct store_source *sources;
	size_t count;
	*out = (struct store_source){0};
	if (store_open(import->store, STORE_READ, &store, NULL) != 0) {
		return;
	}
	if (store_sources(store, &sources, &count, NULL) == 0) {
		for (size_t i = 0; i < count; i++) {
			if (strcmp(sources[i].name,
				   session_option(import->session, OPTION_SOURCE)) == 0) {
				*out = sources[i];
			}
		}
	}
	store_close(store);
}

static int write_config(struct import *import, char *path, size_t path_size, struct error *err)
{
	struct session *session = import->session;
	struct buf text;
	memcpy(import->folder, "/tmp/querytrail-import-XXXXXX", 30);
	if (mkdtemp(import->folder) == NULL) {
		import->folder[0] = '\0';
		return error_errno(err, "no temporary folder");
	}
	struct import_config config = {
		.store = import->store,
		.runtime = import->folder,
		.source = session_option(session, OPTION_SOURCE),
		.content = session_option(session, OPTION_TYPE),
		.log_format = session_option(session, OPTION_LOG_FORMAT),
		.files = import->files,
		.file_count = import->file_count,
		.model = session->config,
	};
	buf_init(&text, 4u << 20);
	import_config_put(&config, &text);
	(void)snprintf(path, path_size, "%s/querytrail.yaml", import->folder);
	int result = buf_check(&text, "the configuration for the import", err);
	if (result == 0) {
		result = io_replace_file(path, buf_str(&text), 0600, err);
	}
	buf_done(&text);
	return result;
}

static void show_progress(struct import *import)
{
	struct output *out = &import->session->err;
	if (!out->is_terminal) {
		return;
	}
	read_counters(import, &import->after);
	buf_putf(&out->text, "\r%llu records taken in ",
		 (unsigned long long)(import->after.received - import->before.received));
	(void)output_flush(out, NULL); /* progress is only for show */
}

/* SIGINT and SIGTERM wait in the queue while the daemon runs, so that the temporary folder is always removed. */
static void hold_signals(int how)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(how, &set, NULL); /* cannot fail with these arguments */
}

static bool is_interrupted(void)
{
	sigset_t set;
	struct timespec none = {0, 0};
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	return sigtimedwait(&set, NULL, &none) > 0;
}

static int run_daemon(struct import *import, const char *config_path, struct error *err)
{
	struct buf program;
	buf_init(&program, PATH_MAX);
	int result = process_find("querytraild", &program, err);
	if (result != 0) {
		buf_done(&program);
		return -ERR_IO;
	}
	const char *const argv[] = {"querytraild",         "--spawn", "--config", config_path,
				    "--import-until-done", NULL};
	struct process_start how = {.path = program.ptr,
				    .argv = argv,
				    .out_fd = import->session->err.fd,
				    .err_fd = import->session->err.fd};
	struct process daemon;
	int status = 0;
	result = process_start(&how, &daemon, err);
	buf_done(&program);
	if (result != 0) {
		return result;
	}
	while (!process_wait(&daemon, PROGRESS_MS, &status)) {
		if (is_interrupted()) {
			(void)process_stop(&daemon, STOP_MS); /* how it ended does not matter now */
			return error_set(
				err, ERR_CANCELLED,
				"interrupted; what was committed stays, and a second import goes "
				"on from there");
		}
		show_progress(import);
	}
	(void)process_stop(&daemon, 0); /* closes its pipes; it has ended */
	if (import->session->err.is_terminal) {
		buf_put_text(&import->session->err.text, "\r\033[K");
	}
	if (status != 0) {
		return error_set(err, status == 78 ? ERR_CONFIG : ERR_IO,
				 "querytraild ended with status %d; what it committed stays, and a "
				 "second import goes on from there",
				 status);
	}
	return 0;
}

static void remove_folder(const struct import *import)
{
	static const char *const names[] = {"querytrail.yaml", "feed.sock", "query.sock"};
	char path[128];
	if (import->folder[0] == '\0') {
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", import->folder, names[i]);
		(void)unlink(path); /* may not be there */
	}
	(void)rmdir(import->folder); /* what is left in it is told by its name in /tmp */
}

static int summarise(struct import *import)
{
	struct session *session = import->session;
	const struct store_source *before = &import->before;
	const struct store_source *after = &import->after;
	bool json = session_option(session, OPTION_JSON) != NULL;
	const char *name = session_option(session, OPTION_SOURCE);
	struct {
		const char *name;
		uint64_t count;
	} figures[] = {{"received", after->received - before->received},
		       {"stored", after->stored - before->stored},
		       {"duplicate", after->duplicate - before->duplicate},
		       {"rejected", after->rejected - before->rejected},
		       {"gaps", after->gaps - before->gaps}};
	struct buf *out = &session->out.text;
	bool first = true;
	if (json) {
		buf_put_byte(out, '{');
		json_put_key(out, &first, "source");
		json_put_string(out, str_of(name));
	} else {
		buf_putf(out, "%s:", name);
	}
	for (size_t i = 0; i < 5; i++) {
		if (json) {
			json_put_key(out, &first, figures[i].name);
			buf_put_u64(out, figures[i].count);
		} else {
			buf_putf(out, "%s %llu %s", i > 0 ? "," : "",
				 (unsigned long long)figures[i].count, figures[i].name);
		}
	}
	buf_put_text(out, json ? "}\n" : "\n");
	if (!json && figures[1].count > 0) {
		buf_putf(&session->err.text, "next: querytrail who --store %s --limit 20\n",
			 import->store);
	}
	if (!json && figures[3].count > 0) {
		buf_putf(&session->err.text,
			 "what did not parse, and why: querytrail coverage --store %s\n",
			 import->store);
	}
	if (figures[3].count > 0 || figures[4].count > 0) {
		return EXIT_INCOMPLETE;
	}
	if (!json && figures[1].count == 0) {
		buf_put_text(&session->err.text,
			     figures[0].count > 0
				     ? "nothing new: these files were taken in before\n"
				     : "nothing to take in: these files hold no lines\n");
	}
	return EXIT_FOUND;
}

int cmd_import(struct session *session, struct error *err)
{
	char config_path[PATH_MAX];
	struct import *import = calloc(1, sizeof(*import));
	if (import == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the import");
	}
	import->session = session;
	hold_signals(SIG_BLOCK);
	int result = check_options(session, err);
	result = result == 0 ? check_files(import, err) : result;
	result = result == 0 ? find_store(import, err) : result;
	result = result == 0 ? write_config(import, config_path, sizeof(config_path), err) : result;
	if (result == 0) {
		read_counters(import, &import->before);
		result = run_daemon(import, config_path, err);
	}
	if (result == 0) {
		read_counters(import, &import->after);
		result = summarise(import);
	}
	remove_folder(import);
	hold_signals(SIG_UNBLOCK);
	for (size_t i = 0; i < import->file_count; i++) {
		free(import->files[i]);
	}
	free(import);
	return result;
}
