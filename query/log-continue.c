#include "query/log-continue.h"

#include "base/parse.h"
#include "store/log/anchors.h"
#include "store/sign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCE     "querytraild"
#define NAMES_MAX  256
#define REASON_MAX 2048

struct names {
	char name[NAMES_MAX][ANCHORS_NAME_MAX + 1];
	size_t count;
};

static int take_name(void *owner, const struct anchor_state *state, struct error *err)
{
	struct names *names = owner;
	(void)err;
	if (names->count < NAMES_MAX) {
		(void)snprintf(names->name[names->count++], ANCHORS_NAME_MAX + 1, "%s",
			       state->name); /* fits */
	}
	return 0;
}

static int forget_anchors(struct store *store, struct error *err)
{
	struct names *names = calloc(1, sizeof *names);
	int rc = names != NULL ? anchors_walk(store, take_name, names, err)
			       : error_set(err, ERR_NOMEM, "no memory for anchors");
	for (size_t i = 0; rc == 0 && i < names->count; i++) {
		rc = anchors_drop(store, names->name[i], err);
	}
	free(names);
	return rc;
}

/* What was signed last, as a sentence: of whom, how many, which root. */
static int put_last(struct store *store, struct buf *reason, struct error *err)
{
	struct checkpoint last;
	struct buf bytes;
	struct note_checkpoint text;
	struct note *note = calloc(1, sizeof *note);
	buf_init(&bytes, NOTE_MAX_BYTES);
	int rc = note != NULL ? checkpoints_last(store, &last, &bytes, err)
			      : error_set(err, ERR_NOMEM, "no memory for a checkpoint");
	if (rc == -ERR_GONE) {
		error_clear(err);
		buf_put_text(reason, "nothing was signed before");
		rc = 0;
	} else if (rc == 0 && (note_parse(last.note, note, err) < 0 ||
			       note_checkpoint_parse(note->text, &text, err) < 0)) {
		error_clear(err);
		buf_put_text(reason, "what was signed last can't be read");
	} else if (rc == 0) {
		buf_putf(reason, "%.*s signed %llu records last, root ", STR_ARG(text.origin),
			 (unsigned long long)text.head.size);
		parse_put_base64(reason,
				 str_make(text.head.root.bytes, sizeof text.head.root.bytes));
	}
	free(note);
	buf_done(&bytes);
	return rc;
}

static int append(const struct log_continue *work, struct store *store, struct error *err)
{
	struct record record;
	struct buf reason, encoded, refused;
	char key[RECORD_KEY_MAX];
	uint64_t leaf;
	int len = snprintf(key, sizeof key, "log-continue:%lld:%ld", (long long)work->now_ns,
			   (long)getpid());
	buf_init(&reason, 0);
	buf_init(&encoded, 0);
	buf_init(&refused, 0);
	buf_putf(&reason, "the log goes on as %s: ", work->origin);
	int rc = put_last(store, &reason, err);
	if (rc == 0 && store_meta_get(store, CHECKPOINTS_REFUSED, &refused, NULL) == 0 &&
	    refused.len > 0) {
		buf_putf(&reason, "; it was refused: %.*s",
			 STR_ARG(str_slice(buf_str(&refused), 0, REASON_MAX)));
	}
	record_init(&record, RECORD_LIFECYCLE);
	record.source = STR_LIT(SOURCE);
	record.key = str_make(key, (size_t)len);
	record.time_ns = work->now_ns;
	record_set_text(&record, FIELD_event, STR_LIT("log_continue"));
	record_set_text(&record, FIELD_program, STR_LIT("querytrail"));
	record_set_text(&record, FIELD_reason, buf_str(&reason));
	record_set_text(&record, FIELD_note, str_of(work->why));
	record_set_number(&record, FIELD_peer_uid, (int64_t)getuid());
	rc = rc < 0 ? rc : buf_check(&reason, "the reason", err);
	rc = rc < 0 ? rc : record_encode(&record, &encoded, err);
	rc = rc < 0 ? rc : store_append(store, &record, buf_str(&encoded), &leaf, err);
	buf_done(&reason);
	buf_done(&encoded);
	buf_done(&refused);
	return rc;
}

/* Moves the old key aside and makes the new one. */
static int change_key(struct log_continue *work, const char *path, struct error *err)
{
	struct sign *sign = NULL;
	struct stat st;
	struct error ignored;
	char name[NOTE_NAME_MAX + 1] = "old";
	if (stat(path, &st) == 0) {
		if (sign_open(&path, 1, &sign, &ignored) == 0) {
			memcpy(name, sign_key(sign, 0)->name, sizeof name);
		}
		sign_close(sign);
		for (char *at = name; *at != 0; at++) {
			*at = *at == '/' ? '-' : *at;
		}
		int len = snprintf(work->kept, sizeof work->kept, "%s.%s", path, name);
		if (len < 0 || (size_t)len >= sizeof work->kept) {
			return error_set(err, ERR_CONFIG, "%s is too long a name", path);
		}
		if (access(work->kept, F_OK) == 0) {
			return error_set(err, ERR_CONFIG, "%s is there already: move it away first",
					 work->kept);
		}
		if (rename(path, work->kept) < 0) {
			return error_errno(err, "%s can't be kept as %s", path, work->kept);
		}
	} else if (errno != ENOENT) {
		return error_errno(err, "%s can't be looked at", path);
	}
	sign = NULL;
	int rc = sign_make_key(path, NULL, err);
	rc = rc < 0 ? rc : sign_open(&path, 1, &sign, err);
	if (rc == 0) {
		memcpy(work->origin, sign_key(sign, 0)->name, sizeof work->origin);
	}
	sign_close(sign);
	return rc;
}

static int commit(const struct log_continue *work, struct store *store, struct error *err)
{
	int rc = store_begin(store, work->now_ns, err);
	rc = rc < 0 ? rc : append(work, store, err);
	rc = rc < 0 ? rc : forget_anchors(store, err);
	rc = rc < 0 ? rc : store_meta_put(store, CHECKPOINTS_ORIGIN, str_of(work->origin), err);
	rc = rc < 0 ? rc : store_meta_put(store, CHECKPOINTS_REFUSED, (struct str){0}, err);
	return rc < 0 ? rc : store_commit(store, err);
}

int log_continue(struct log_continue *work, struct error *err)
{
	struct store *store = NULL;
	struct buf path;
	work->kept[0] = 0;
	work->origin[0] = 0;
	buf_init(&path, 0);
	buf_putf(&path, "%s%s", work->key_file != NULL ? work->key_file : work->dir,
		 work->key_file != NULL ? "" : "/log.key");
	int rc = buf_check(&path, "the name of the key", err);
	rc = rc < 0 ? rc : store_open(work->dir, STORE_WRITE, &store, err);
	if (rc == 0 && work->store_key.len > 0) {
		rc = store_use_key(store, work->store_key, err);
	}
	rc = rc < 0 ? rc : change_key(work, path.ptr, err);
	rc = rc < 0 ? rc : commit(work, store, err);
	store_close(store);
	buf_done(&path);
	return rc;
}
