#include "query/command.h"

#include "base/io.h"
#include "base/json.h"
#include "query/import-config.h"
#include "query/import-run.h"
#include "query/store-sizes.h"
#include "query/writer.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

struct import {
	struct session *session;
	char store[PATH_MAX];
	char folder[64]; /* temporary: configuration and sockets; "" until made */
	char *files[OPTION_WORDS_MAX];
	struct import_file looks[OPTION_WORDS_MAX];
	size_t file_count;
	struct import_seen before, after;
	bool goes_on; /* where an interrupted import of the same files ended */
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
		import_file_look(path, &import->looks[import->file_count]);
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
		.goes_on = import->goes_on,
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

/* SIGINT and SIGTERM wait in the queue while the daemon runs, so that the temporary folder is always removed. */
static void hold_signals(int how)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(how, &set, NULL); /* cannot fail with these arguments */
}

static bool is_quiet(const struct import *import)
{
	return session_option(import->session, OPTION_QUIET) != NULL;
}

/* "going on in b.jsonl (file 2 of 2) behind 120.0 MB: what comes before is in the store" */
static void tell_where(const struct import *import)
{
	const struct filecursor *cursor = &import->before.cursor;
	const struct import_file *file = &import->looks[cursor->file_index];
	struct output *out = &import->session->err;
	if (!import->goes_on || is_quiet(import)) {
		return;
	}
	buf_put_text(&out->text, "going on in ");
	output_safe(out, str_of(file->path));
	buf_putf(&out->text, " (file %llu of %zu) behind ",
		 (unsigned long long)cursor->file_index + 1, import->file_count);
	sizes_put(&out->text, cursor->offset);
	buf_putf(&out->text, "%s: an import of %s was interrupted there\n",
		 file->is_packed ? " unpacked" : "",
		 import->file_count == 1 ? "this file" : "these files");
	(void)output_flush(out, NULL); /* only for show */
}

static int run_daemon(struct import *import, const char *config_path, struct error *err)
{
	const struct import_run run = {
		.session = import->session,
		.config_path = config_path,
		.store = import->store,
		.source = session_option(import->session, OPTION_SOURCE),
		.files = import->looks,
		.file_count = import->file_count,
		.before = &import->before,
		.goes_on = import->goes_on,
		.show = import->session->err.is_terminal && !is_quiet(import),
	};
	tell_where(import);
	return import_run(&run, err);
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

enum { RECEIVED, STORED, DUPLICATE, REJECTED, GAPS, FIGURE_COUNT };

static void count_figures(const struct import *import, uint64_t figures[FIGURE_COUNT])
{
	const struct store_source *before = &import->before.source;
	const struct store_source *after = &import->after.source;
	figures[RECEIVED] = after->received - before->received;
	figures[STORED] = after->stored - before->stored;
	figures[DUPLICATE] = after->duplicate - before->duplicate;
	figures[REJECTED] = after->rejected - before->rejected;
	figures[GAPS] = after->gaps - before->gaps;
}

static void put_json(const struct import *import, const uint64_t figures[FIGURE_COUNT])
{
	static const char *const names[FIGURE_COUNT] = {"received", "stored", "duplicate",
							"rejected", "gaps"};
	struct buf *out = &import->session->out.text;
	bool first = true;
	buf_put_byte(out, '{');
	json_put_key(out, &first, "source");
	json_put_string(out, str_of(session_option(import->session, OPTION_SOURCE)));
	for (size_t i = 0; i < FIGURE_COUNT; i++) {
		json_put_key(out, &first, names[i]);
		buf_put_u64(out, figures[i]);
	}
	json_put_key(out, &first, "files");
	buf_put_u64(out, import->file_count);
	json_put_key(out, &first, "blocks");
	buf_put_u64(out, import->after.sizes.block_count);
	json_put_key(out, &first, "block_bytes");
	buf_put_u64(out, import->after.sizes.block_bytes);
	json_put_key(out, &first, "store_bytes");
	buf_put_u64(out, import->after.sizes.all_bytes);
	buf_put_text(out, "}\n");
}

/* "api: 2 files, 1200 records: 1000 new, 200 already there, 0 rejected" */
static void put_words(const struct import *import, const uint64_t figures[FIGURE_COUNT])
{
	struct buf *out = &import->session->out.text;
	buf_putf(out, "%s: %zu %s, %llu records: %llu new, %llu already there, %llu rejected",
		 session_option(import->session, OPTION_SOURCE), import->file_count,
		 import->file_count == 1 ? "file" : "files", (unsigned long long)figures[RECEIVED],
		 (unsigned long long)figures[STORED] - figures[REJECTED],
		 (unsigned long long)figures[DUPLICATE], (unsigned long long)figures[REJECTED]);
	if (figures[GAPS] > 0) {
		buf_putf(out, ", %llu gaps", (unsigned long long)figures[GAPS]);
	}
	buf_put_byte(out, '\n');
}

/* "the store: 7 blocks with 438343 events, 22.4 bytes each; 30.3 MB in all" */
static void put_store(const struct import *import)
{
	struct buf *out = &import->session->out.text;
	const struct store_sizes *sizes = &import->after.sizes;
	uint64_t events = sizes->of_kind[RECORD_REQUEST] + sizes->of_kind[RECORD_STATEMENT];
	if (events == 0) {
		return;
	}
	buf_putf(out, "the store: %llu %s with %llu events, ",
		 (unsigned long long)sizes->block_count,
		 sizes->block_count == 1 ? "block" : "blocks", (unsigned long long)events);
	sizes_put_ratio(out, (double)sizes->block_bytes, (double)events);
	buf_put_text(out, " bytes each; ");
	sizes_put(out, sizes->all_bytes);
	buf_put_text(out, " in all\n");
}

static void put_hints(const struct import *import, const uint64_t figures[FIGURE_COUNT])
{
	struct buf *out = &import->session->err.text;
	if (figures[STORED] > 0) {
		buf_putf(out, "next: querytrail who --store %s --limit 20\n", import->store);
	} else if (figures[REJECTED] + figures[GAPS] == 0) {
		buf_put_text(out, figures[RECEIVED] > 0
					  ? "nothing new: these files were taken in before\n"
					  : "nothing to take in: these files hold no lines\n");
	}
	if (figures[REJECTED] > 0) {
		buf_putf(out, "what did not parse, and why: querytrail coverage --store %s\n",
			 import->store);
	}
}

static int summarise(struct import *import)
{
	uint64_t figures[FIGURE_COUNT];
	count_figures(import, figures);
	if (session_option(import->session, OPTION_JSON) != NULL) {
		put_json(import, figures);
	} else {
		put_words(import, figures);
		put_store(import);
		put_hints(import, figures);
	}
	return figures[REJECTED] > 0 || figures[GAPS] > 0 ? EXIT_INCOMPLETE : EXIT_FOUND;
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
	if (result == 0) {
		import_see(import->store, session_option(session, OPTION_SOURCE), &import->before);
		import->goes_on =
			import_can_go_on(&import->before, import->looks, import->file_count);
		result = write_config(import, config_path, sizeof(config_path), err);
	}
	if (result == 0) {
		result = run_daemon(import, config_path, err);
	}
	if (result == 0) {
		import_see(import->store, session_option(session, OPTION_SOURCE), &import->after);
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
