/* anchor-file - checkpoints in a folder: SIZE.checkpoint, 20 digits, and latest, a copy of the newest. What is there is never written over.
 * Tests: tests/unit/notify-anchor.c, tests/integration/anchors.py */
#include "base/io.h"
#include "correlator/notify/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

struct anchor {
	const char *folder; /* borrowed from the configuration */
	struct buf path, temporary, there;
	struct note note, other;
};

static void close_anchor(struct anchor *anchor)
{
	buf_done(&anchor->path);
	buf_done(&anchor->temporary);
	buf_done(&anchor->there);
	free(anchor);
}

static int open_anchor(const struct channel_settings *settings, const atomic_bool *stop,
		       struct anchor **out_anchor, struct error *err)
{
	struct anchor *anchor = calloc(1, sizeof(*anchor));

	(void)stop;
	if (anchor == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the anchor %s", settings->name);
	}
	anchor->folder = config_text(settings->config, settings->section, "folder");
	buf_init(&anchor->path, 4096);
	buf_init(&anchor->temporary, 4096);
	buf_init(&anchor->there, NOTE_MAX_BYTES);
	*out_anchor = anchor;
	return 0;
}

/* Reads a checkpoint of the folder. Returns 0, ERR_GONE (not there), ERR_INPUT or ERR_IO. */
static int read_there(struct anchor *anchor, const char *path, struct note_checkpoint *out,
		      struct error *err)
{
	buf_clear(&anchor->there);
	if (access(path, F_OK) != 0) {
		return errno == ENOENT ? error_set(err, ERR_GONE, "%s is not there", path)
				       : error_errno(err, "%s", path);
	}
	int rc = io_read_file(path, NOTE_MAX_BYTES, &anchor->there, err);
	rc = rc != 0 ? rc : note_parse(buf_str(&anchor->there), &anchor->other, err);
	rc = rc != 0 ? rc : note_checkpoint_parse(anchor->other.text, out, err);
	if (rc == -ERR_INPUT) {
		error_prefix(err, "%s is no checkpoint", path);
	}
	return rc;
}

/* The file appears whole, or is not made; one that is there stays. Returns 0, ERR_GONE (it is there) or ERR_IO. */
static int write_new(struct anchor *anchor, struct str bytes, struct error *err)
{
	const char *temporary = anchor->temporary.ptr;
	const char *path = anchor->path.ptr;

	(void)unlink(temporary); /* of one that was killed; mostly there is none */
	int fd IO_CLOSE = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0) {
		return error_errno(err, "%s", temporary);
	}
	int rc = io_write_all(fd, bytes, err);
	if (rc == 0 && fsync(fd) != 0) {
		rc = error_errno(err, "%s", temporary);
	}
	if (rc == 0 && renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) != 0) {
		/* file systems that cannot do this: the only writer is we */
		bool plain = errno == EINVAL && access(path, F_OK) != 0 && errno == ENOENT;
		if (!plain || rename(temporary, path) != 0) {
			rc = errno == EEXIST || access(path, F_OK) == 0
				     ? error_set(err, ERR_GONE, "%s is there", path)
				     : error_errno(err, "%s", path);
		}
	}
	if (rc != 0) {
		(void)unlink(temporary); /* the failure is told */
		return rc;
	}
	int folder IO_CLOSE = open(anchor->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return folder >= 0 && fsync(folder) == 0 ? 0 : error_errno(err, "%s", anchor->folder);
}

static int set_paths(struct anchor *anchor, uint64_t size, struct error *err)
{
	buf_clear(&anchor->path);
	buf_clear(&anchor->temporary);
	buf_putf(&anchor->path, "%s/%020llu.checkpoint", anchor->folder, (unsigned long long)size);
	buf_putf(&anchor->temporary, "%s/.new", anchor->folder);
	int rc = buf_check(&anchor->path, "the path of a checkpoint", err);
	return rc != 0 ? rc : buf_check(&anchor->temporary, "the path of a checkpoint", err);
}

/* What the folder says of this log; true: it is said in reply. */
static bool contradicts(struct anchor *anchor, const struct note_checkpoint *ours,
			struct anchor_reply *reply)
{
	struct note_checkpoint there;
	struct buf latest;
	struct error err;

	buf_init(&latest, 4096);
	buf_putf(&latest, "%s/latest", anchor->folder);
	int rc = latest.failed ? -ERR_IO : read_there(anchor, latest.ptr, &there, &err);
	buf_done(&latest);
	if (rc == -ERR_GONE) {
		return false;
	}
	if (rc != 0) {
		anchor_reply_set(reply, FEED_NOT_TAKEN, "%s", err.text);
		return true;
	}
	if (!str_equal(there.origin, ours->origin)) {
		anchor_reply_set(reply, FEED_NOT_TAKEN,
				 "%s holds checkpoints of %.*s; %.*s needs a folder of its own",
				 anchor->folder, STR_ARG(there.origin), STR_ARG(ours->origin));
		return true;
	}
	if (there.head.size > ours->head.size) {
		reply->known_size = there.head.size;
		anchor_reply_set(reply, FEED_ANCHOR_AHEAD, "%s/latest is of %llu records",
				 anchor->folder, (unsigned long long)there.head.size);
		return true;
	}
	return false;
}

/* The file of this size is there already. */
static void judge_there(struct anchor *anchor, const struct note_checkpoint *ours,
			struct anchor_reply *reply)
{
	struct note_checkpoint there;
	struct error err;

	int rc = read_there(anchor, anchor->path.ptr, &there, &err);
	if (rc != 0 && rc != -ERR_INPUT) {
		anchor_reply_set(reply, FEED_NOT_TAKEN, "%s", err.text);
	} else if (rc == 0 && str_equal(there.origin, ours->origin) &&
		   there.head.size == ours->head.size &&
		   merkle_equal(&there.head.root, &ours->head.root)) {
		anchor_reply_set(reply, FEED_TAKEN, "%s was there", anchor->path.ptr);
	} else {
		anchor_reply_set(reply, FEED_ANCHOR_FORK, "%s is there and holds another tree",
				 anchor->path.ptr);
	}
}

static void send_task(struct anchor *anchor, const struct anchor_task *task,
		      struct anchor_reply *reply)
{
	struct note_checkpoint ours;
	struct buf latest;
	struct error err;

	int rc = note_parse(task->note, &anchor->note, &err);
	rc = rc != 0 ? rc : note_checkpoint_parse(anchor->note.text, &ours, &err);
	rc = rc != 0 ? rc : set_paths(anchor, ours.head.size, &err);
	if (rc != 0) {
		anchor_reply_set(reply, FEED_NOT_TAKEN, "%s", err.text);
		return;
	}
	if (contradicts(anchor, &ours, reply)) {
		return;
	}
	rc = write_new(anchor, task->note, &err);
	if (rc == -ERR_GONE) {
		judge_there(anchor, &ours, reply);
		if (reply->outcome != FEED_TAKEN) {
			return;
		}
		rc = 0;
	}
	buf_init(&latest, 4096);
	buf_putf(&latest, "%s/latest", anchor->folder);
	if (rc == 0) {
		rc = io_replace_file(latest.ptr, task->note, 0644, &err);
	}
	buf_done(&latest);
	if (rc != 0) {
		anchor_reply_set(reply, FEED_NOT_TAKEN, "%s", err.text);
		return;
	}
	anchor_reply_set(reply, FEED_TAKEN, "written to %s", anchor->path.ptr);
}

const struct anchor_type anchor_file = {
	.name = "file",
	.open = open_anchor,
	.send = send_task,
	.close = close_anchor,
};
