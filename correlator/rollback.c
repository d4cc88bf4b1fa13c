#include "correlator/rollback.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/parse.h"
#include "store/log/nodes.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Whether a file's name is that of a checkpoint: digits and the suffix. */
static bool is_checkpoint(struct str name)
{
	if (name.len != ROLLBACK_NAME_BYTES + strlen(ROLLBACK_SUFFIX) ||
	    !str_has_suffix(name, STR_LIT(ROLLBACK_SUFFIX))) {
		return false;
	}
	for (size_t i = 0; i < ROLLBACK_NAME_BYTES; i++) {
		if (name.ptr[i] < '0' || name.ptr[i] > '9') {
			return false;
		}
	}
	return true;
}

int rollback_newest(const char *folder, struct buf *out_path, struct buf *out_note,
		    struct error *err)
{
	char newest[ROLLBACK_NAME_BYTES + sizeof ROLLBACK_SUFFIX] = "";
	buf_clear(out_path);
	buf_clear(out_note);
	DIR *dir = opendir(folder);
	if (dir == NULL) {
		return errno == ENOENT ? error_set(err, ERR_GONE, "there is no folder %s", folder)
				       : error_errno(err, "%s", folder);
	}
	errno = 0;
	for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		if (is_checkpoint(str_of(entry->d_name)) && strcmp(entry->d_name, newest) > 0) {
			memcpy(newest, entry->d_name, strlen(entry->d_name) + 1);
		}
	}
	int rc = errno != 0 ? error_errno(err, "%s", folder) : 0;
	(void)closedir(dir); /* it was only read */
	if (rc == 0 && newest[0] == 0) {
		rc = error_set(err, ERR_GONE, "%s holds no checkpoint", folder);
	}
	if (rc == 0) {
		buf_putf(out_path, "%s/%s", folder, newest);
		rc = buf_check(out_path, "the path of a checkpoint", err);
	}
	return rc < 0 ? rc : io_read_file(out_path->ptr, NOTE_MAX_BYTES, out_note, err);
}

static int behind(struct error *err, const char *path, const struct merkle_head *seen,
		  const char *what)
{
	return error_set(
		err, ERR_CONFIG,
		"%s: this log had %llu records when it was anchored there, but %s; put the right "
		"store back, or run \"querytrail log continue\", which goes on under another name "
		"and says so in the log",
		path, (unsigned long long)seen->size, what);
}

static int compare(struct store *store, const char *path, const struct merkle_head *seen,
		   struct error *err)
{
	struct log_nodes *nodes = NULL;
	struct merkle_head head;
	struct merkle_hash root;
	int rc = log_nodes_open(store, &nodes, err);
	if (rc < 0) {
		return rc;
	}
	log_nodes_head(nodes, &head);
	if (seen->size > head.size) {
		char what[128];
		(void)snprintf(what, sizeof what, "this store has %llu: it is an older copy",
			       (unsigned long long)head.size);
		rc = behind(err, path, seen, what);
	} else {
		const struct merkle_source source = log_nodes_source(nodes);
		rc = merkle_root_fetch(seen->size, &source, &root, err);
		if (rc == 0 && !merkle_equal(&root, &seen->root)) {
			rc = behind(
				err, path, seen,
				"the first of this store's are others: it was changed, or it is an "
				"older copy that went on");
		}
	}
	log_nodes_close(nodes);
	return rc;
}

int rollback_check_folder(struct store *store, const char *origin, const char *folder,
			  struct error *err)
{
	struct buf path, bytes;
	struct note_checkpoint seen;
	struct note *note = calloc(1, sizeof *note);
	if (note == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a checkpoint");
	}
	buf_init(&path, 4096);
	buf_init(&bytes, NOTE_MAX_BYTES);
	int rc = rollback_newest(folder, &path, &bytes, err);
	rc = rc < 0 ? rc : note_parse(buf_str(&bytes), note, err);
	rc = rc < 0 ? rc : note_checkpoint_parse(note->text, &seen, err);
	if (rc == -ERR_INPUT) {
		error_prefix(err, "%s is no checkpoint", path.ptr);
	}
	if (rc == 0 && str_is(seen.origin, origin)) {
		rc = compare(store, path.ptr, &seen.head, err);
	}
	buf_done(&path);
	buf_done(&bytes);
	free(note);
	return rc == -ERR_GONE ? 0 : rc;
}

int rollback_check(struct store *store, const char *origin, const struct config *config,
		   struct error *err)
{
	size_t count = config_name_count(config, "anchors");
	for (size_t i = 0; i < count; i++) {
		char section[128];
		struct error why;
		const char *name = config_name(config, "anchors", i);
		int len = snprintf(section, sizeof section, "anchors.%s", name);
		if (len < 0 || (size_t)len >= sizeof section ||
		    strcmp(config_text(config, section, "type"), "file") != 0) {
			continue;
		}
		int rc = rollback_check_folder(store, origin,
					       config_text(config, section, "folder"), &why);
		if (rc == -ERR_INPUT || rc == -ERR_IO) {
			log_write(LOG_LEVEL_ERROR, "anchor-unreadable", "anchor %s: %s", name,
				  why.text);
		} else if (rc < 0) {
			error_prefix(&why, "anchor %s", name);
			*err = why;
			return rc;
		}
	}
	return 0;
}

int rollback_refuse(struct store *store, const struct rollback_finding *finding, int64_t now_ns,
		    struct error *err)
{
	struct buf text;
	buf_init(&text, 8192);
	int rc = rollback_refused(store, &text, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		buf_clear(&text);
		buf_putf(&text, "%s %llu ", finding->who, (unsigned long long)finding->size);
		if (finding->root != NULL) {
			parse_put_base64(
				&text, str_make(finding->root->bytes, sizeof finding->root->bytes));
		} else {
			buf_put_byte(&text, '-');
		}
		buf_put_byte(&text, ' ');
		clock_put_rfc3339(&text, now_ns, 3);
		buf_putf(&text, " %s", finding->sentence);
		rc = buf_check(&text, "the refusal", err);
		rc = rc < 0 ? rc : store_meta_put(store, ROLLBACK_KEY, buf_str(&text), err);
	}
	buf_done(&text);
	return rc;
}

int rollback_refused(struct store *store, struct buf *out_text, struct error *err)
{
	buf_clear(out_text);
	int rc = store_meta_get(store, ROLLBACK_KEY, out_text, err);
	/* empty: it was taken back */
	return rc == 0 && out_text->len == 0 ? error_set(err, ERR_GONE, "nothing is refused") : rc;
}
