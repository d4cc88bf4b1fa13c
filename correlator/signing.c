#include "correlator/signing.h"

#include "base/clock.h"
#include "base/io.h"
#include "store/log/checkpoints.h"
#include "store/log/nodes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct signing {
	struct store *store;
	struct sign *sign;
	int64_t interval_ns;
	int64_t due_ns;
	uint64_t signed_size;
	bool signed_once;
};

/* The store's own key; made when nothing was ever signed. */
static int own_key(const struct signing_options *options, bool is_new, struct buf *path,
		   struct error *err)
{
	struct stat st;
	buf_put_text(path, options->store_dir);
	buf_put_text(path, "/" SIGNING_KEY_FILE);
	int rc = buf_check(path, "the path of the log's key", err);
	if (rc < 0 || stat(path->ptr, &st) == 0) {
		return rc;
	}
	if (errno != ENOENT) {
		return error_errno(err, "%s can't be looked at", path->ptr);
	}
	if (!is_new) {
		return error_set(err, ERR_CONFIG,
				 "%s is missing: it signed this store's log; put it back, or "
				 "configure the key as log.key_file",
				 path->ptr);
	}
	return sign_make_key(path->ptr, NULL, err);
}

static int open_keys(struct signing *signing, const struct signing_options *options, bool is_new,
		     struct error *err)
{
	const char *files[2];
	size_t count = 0;
	struct buf path;
	buf_init(&path, 4096);
	int rc = 0;
	if (options->key_file != NULL) {
		files[count++] = options->key_file;
	} else {
		rc = own_key(options, is_new, &path, err);
		files[count++] = path.ptr;
	}
	if (options->next_key_file != NULL) {
		files[count++] = options->next_key_file;
	}
	rc = rc < 0 ? rc : sign_open(files, count, &signing->sign, err);
	buf_done(&path);
	return rc;
}

/* What was signed last must be what the store still holds. */
static int compare(struct signing *signing, const struct note_checkpoint *last, struct error *err)
{
	struct log_nodes *nodes = NULL;
	struct merkle_head head;
	struct merkle_hash root;
	int rc = log_nodes_open(signing->store, &nodes, err);
	if (rc < 0) {
		return rc;
	}
	log_nodes_head(nodes, &head);
	if (last->head.size > head.size) {
		rc = error_set(
			err, ERR_CONFIG,
			"the store holds %llu records, but %llu were signed: it was cut off, or "
			"put back from an older copy",
			(unsigned long long)head.size, (unsigned long long)last->head.size);
	} else {
		const struct merkle_source source = log_nodes_source(nodes);
		rc = merkle_root_fetch(last->head.size, &source, &root, err);
	}
	log_nodes_close(nodes);
	if (rc == 0 && !merkle_equal(&root, &last->head.root)) {
		rc = error_set(
			err, ERR_CONFIG,
			"the first %llu records are not those that were signed: the store was "
			"changed; querytrail verify tells where",
			(unsigned long long)last->head.size);
	}
	return rc;
}

/* Whether "querytrail log continue" said that this key goes on. */
static bool is_continued(struct signing *signing)
{
	struct buf origin;
	buf_init(&origin, NOTE_NAME_MAX + 1);
	bool yes = store_meta_get(signing->store, CHECKPOINTS_ORIGIN, &origin, NULL) == 0 &&
		   str_is(buf_str(&origin), signing_origin(signing));
	buf_done(&origin);
	return yes;
}

static int resume(struct signing *signing, struct str note_bytes, struct error *err)
{
	struct note *note = calloc(1, sizeof *note);
	struct note_checkpoint last;
	int rc = note != NULL ? note_parse(note_bytes, note, err)
			      : error_set(err, ERR_NOMEM, "no memory for a checkpoint");
	rc = rc < 0 ? rc : note_checkpoint_parse(note->text, &last, err);
	if (rc == 0 && !str_is(last.origin, signing_origin(signing))) {
		if (is_continued(signing)) {
			free(note);
			return 0; /* the new log is signed from its beginning */
		}
		rc = error_set(
			err, ERR_CONFIG,
			"the log was signed as %.*s, the key is of %s; \"querytrail log continue\" "
			"goes on under another name",
			STR_ARG(last.origin), signing_origin(signing));
	}
	rc = rc < 0 ? rc : compare(signing, &last, err);
	if (rc == 0) {
		sign_resume(signing->sign, &last.head);
		signing->signed_size = last.head.size;
		signing->signed_once = true;
	}
	free(note);
	return rc;
}

int signing_open(const struct signing_options *options, struct signing **out_signing,
		 struct error *err)
{
	struct checkpoint last;
	struct buf note;
	struct signing *signing = calloc(1, sizeof *signing);
	if (signing == NULL) {
		return error_set(err, ERR_NOMEM, "no memory to sign the log");
	}
	buf_init(&note, NOTE_MAX_BYTES);
	signing->store = options->store;
	signing->interval_ns = options->interval_ns;
	signing->due_ns = INT64_MAX;
	int rc = checkpoints_last(options->store, &last, &note, err);
	bool is_new = rc == -ERR_GONE;
	if (is_new) {
		error_clear(err);
		rc = 0;
	}
	rc = rc < 0 ? rc : open_keys(signing, options, is_new, err);
	rc = rc < 0 || is_new ? rc : resume(signing, buf_str(&note), err);
	buf_done(&note);
	if (rc < 0) {
		error_prefix(err, "the log of %s", options->store_dir);
		signing_close(signing);
		return rc;
	}
	if (store_leaf_count(signing->store) > signing->signed_size) {
		signing->due_ns = clock_monotonic_ns();
	}
	*out_signing = signing;
	return 0;
}

void signing_close(struct signing *signing)
{
	if (signing != NULL) {
		sign_close(signing->sign);
		free(signing);
	}
}

const char *signing_origin(const struct signing *signing)
{
	return sign_key(signing->sign, 0)->name;
}

static bool has_line(struct str lines, struct str line)
{
	while (lines.len > 0) {
		const char *end = memchr(lines.ptr, '\n', lines.len);
		size_t len = end != NULL ? (size_t)(end - lines.ptr) : lines.len;
		if (str_equal(str_make(lines.ptr, len), line)) {
			return true;
		}
		lines = str_slice(lines, end != NULL ? len + 1 : len, lines.len);
	}
	return false;
}

bool signing_news(struct signing *signing, struct buf *out_keys, struct buf *out_news)
{
	bool any = false;
	buf_clear(out_keys);
	buf_clear(out_news);
	int rc = store_meta_get(signing->store, CHECKPOINTS_KEYS, out_keys, NULL);
	if (rc < 0 && rc != -ERR_GONE) {
		return false; /* whatever it is stops the daemon elsewhere */
	}
	struct buf vkey;
	buf_init(&vkey, NOTE_VKEY_MAX);
	for (size_t i = 0; i < sign_key_count(signing->sign); i++) {
		buf_clear(&vkey);
		note_key_put(sign_key(signing->sign, i), &vkey);
		if (!has_line(buf_str(out_keys), buf_str(&vkey))) {
			buf_putf(out_news, "%s%.*s", any ? ", " : "the log is signed by ",
				 STR_ARG(buf_str(&vkey)));
			buf_put_str(out_keys, buf_str(&vkey));
			buf_put_byte(out_keys, '\n');
			any = true;
		}
	}
	buf_done(&vkey);
	return any;
}

void signing_committed(struct signing *signing, int64_t now_ns)
{
	if (signing->due_ns == INT64_MAX &&
	    store_leaf_count(signing->store) > signing->signed_size) {
		signing->due_ns = now_ns + signing->interval_ns;
	}
}

int64_t signing_due_ns(const struct signing *signing)
{
	return signing->due_ns;
}

static int sign_nodes(struct signing *signing, struct log_nodes *nodes, struct error *err)
{
	const struct merkle_source source = log_nodes_source(nodes);
	struct merkle_proof proof = {.count = 0};
	struct merkle_head head;
	struct buf note;
	buf_init(&note, NOTE_MAX_BYTES);
	log_nodes_head(nodes, &head);
	int rc = signing->signed_once && signing->signed_size <= head.size
			 ? merkle_prove_tree(signing->signed_size, head.size, &source, &proof, err)
			 : 0;
	rc = rc < 0 ? rc : sign_head(signing->sign, &head, &proof, &note, err);
	rc = rc < 0 ? rc
		    : checkpoints_put(signing->store, buf_str(&note), head.size, clock_now_ns(),
				      err);
	if (rc == 0) {
		signing->signed_size = head.size;
		signing->signed_once = true;
	}
	buf_done(&note);
	return rc;
}

int signing_run(struct signing *signing, struct error *err)
{
	struct log_nodes *nodes = NULL;
	signing->due_ns = INT64_MAX;
	if (signing->signed_once && store_leaf_count(signing->store) == signing->signed_size) {
		return 0;
	}
	int rc = log_nodes_open(signing->store, &nodes, err);
	rc = rc < 0 ? rc : sign_nodes(signing, nodes, err);
	log_nodes_close(nodes);
	return rc;
}
