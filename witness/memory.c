#include "witness/memory.h"

#include "base/io.h"
#include "base/parse.h"

#include <unistd.h>

#define PATH_BYTES 4096

int memory_verify(const struct memory_log *log, const struct note *note, struct error *err)
{
	bool signed_once = false;
	for (size_t i = 0; i < log->count; i++) {
		int rc = note_verify(note, log->keys[i], NULL, err);
		if (rc < 0 && rc != -ERR_GONE) {
			return rc;
		}
		signed_once |= rc == 0;
	}
	if (!signed_once) {
		return error_set(err, ERR_GONE, "no key of the log signed the checkpoint");
	}
	error_clear(err);
	return 0;
}

static void put_path(const char *folder, struct str origin, struct buf *out)
{
	uint8_t digest[DIGEST_BYTES];
	digest_sha256(origin, digest);
	buf_putf(out, "%s/", folder);
	buf_put_hex(out, str_make(digest, sizeof digest));
	buf_put_text(out, ".checkpoint");
}

static int check(const struct memory_log *log, struct str bytes, struct merkle_head *out,
		 struct error *err)
{
	struct note note;
	struct note_checkpoint checkpoint;
	int rc = note_parse(bytes, &note, err);
	rc = rc < 0 ? rc : note_checkpoint_parse(note.text, &checkpoint, err);
	rc = rc < 0 ? rc : memory_verify(log, &note, err);
	if (rc == 0 && !str_is(checkpoint.origin, log->keys[0]->name)) {
		rc = error_set(err, ERR_INPUT, "it is a checkpoint of %.*s",
			       STR_ARG(checkpoint.origin));
	}
	if (rc == 0) {
		*out = checkpoint.head;
	}
	return rc;
}

int memory_load(const char *folder, const struct memory_log *log, struct merkle_head *out,
		struct error *err)
{
	struct buf path;
	struct buf bytes;
	struct merkle_head head = {0};
	int rc = 0;
	digest_sha256((struct str){0}, head.root.bytes);
	buf_init(&path, PATH_BYTES);
	buf_init(&bytes, NOTE_MAX_BYTES);
	put_path(folder, str_of(log->keys[0]->name), &path);
	rc = buf_check(&path, "the path of the state", err);
	if (rc == 0 && access(path.ptr, F_OK) == 0) {
		rc = io_read_file(path.ptr, NOTE_MAX_BYTES, &bytes, err);
		if (rc == 0 && check(log, buf_str(&bytes), &head, err) < 0) {
			error_prefix(err, "%s: the checkpoint that was signed last is damaged",
				     path.ptr);
			err->code = ERR_CORRUPT;
			rc = -ERR_CORRUPT;
		}
	}
	if (rc == 0) {
		*out = head;
	}
	buf_done(&path);
	buf_done(&bytes);
	return rc;
}

int memory_save(const char *folder, struct str origin, struct str note, struct error *err)
{
	struct buf path;
	buf_init(&path, PATH_BYTES);
	put_path(folder, origin, &path);
	int rc = buf_check(&path, "the path of the state", err);
	rc = rc < 0 ? rc : io_replace_file(path.ptr, note, 0644, err);
	buf_done(&path);
	return rc;
}
