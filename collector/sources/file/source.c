/* file - replays files: access log lines or audit rows, plain or gzip. Also the engine of `querytrail import`.
 *
 * Cursor:  version u8 = 2; u64: hash of the list of files; varints: file index, offset in unpacked bytes; block: rows that wait for
 *          their parts; varint: serial. When those rows take too much room the cursor stays at the last place where they did
 *          not, and only its serial moves on.
 * Other files than the cursor's are read from their beginning: the place in one list says nothing about another.
 * Replay:  the cursor that was given last is continued in memory; any other makes the source read its file again from the start,
 *          counting lines up to the offset, so that keys come out the same.
 */
#include "collector/source.h"
#include "collector/sources/file/intake.h"
#include "model/feed.h"
#include "model/filecursor.h"

#include <stdlib.h>
#include <sys/stat.h>

#define BATCH_RECORDS  1024u
#define BATCH_SPARE    16u /* for statements whose wait a reject ends */
#define BATCH_BYTES    (1u << 20)
#define HELD_IN_CURSOR (FEED_CURSOR_MAX - 1024)
#define FOLLOW_WAIT_NS (500 * NS_PER_MS)
#define USER_FIELDS    64

struct source {
	const char *section;
	const struct config *config;
	struct clock clock;
	struct buf name, section_text;
	struct intake intake;
	struct reader reader;
	size_t file_count;
	size_t file_index; /* of the file that is read; file_count: all are */
	uint64_t files_hash;
	bool follow;
	bool from_start; /* a new process reads all again */
	bool file_open;
	bool flushed;
	bool started; /* something was read in this process */
	uint64_t serial;
	uint64_t pieces;
	struct buf
		given; /* the cursor that the last fetch gave; empty: nothing in memory to go on with */
	struct buf held; /* scratch: the rows that wait */
	struct buf safe; /* file, offset and held rows of the cursor, without its serial */
};

static void file_close(struct source *source)
{
	if (source == NULL) {
		return;
	}
	intake_done(&source->intake);
	reader_done(&source->reader);
	buf_done(&source->name);
	buf_done(&source->section_text);
	buf_done(&source->given);
	buf_done(&source->held);
	buf_done(&source->safe);
	free(source);
}

static int open_intake(struct source *source, struct error *err)
{
	const char *users[USER_FIELDS];
	size_t user_count = config_list_count(source->config, "identity", "user");
	bool rows = str_is(str_of(config_text(source->config, source->section, "content")),
			   "audit-rows");

	if (user_count > USER_FIELDS) {
		return error_set(err, ERR_CONFIG, "%s: more than %d fields name the user",
				 config_place(source->config, "identity", "user"), USER_FIELDS);
	}
	for (size_t i = 0; i < user_count; i++) {
		users[i] = config_list(source->config, "identity", "user", i);
	}
	struct intake_options options = {
		.source = source->name.ptr,
		.rows = rows,
		.accesslog = {.format = str_of(
				      config_text(source->config, source->section, "format")),
			      .user_fields = users,
			      .user_field_count = user_count},
	};
	source->reader.rows = rows;
	return intake_init(&source->intake, &options, err);
}

/* Tells this list of files from others. */
static uint64_t hash_files(const struct source *source)
{
	uint64_t hash = source->file_count;
	for (size_t i = 0; i < source->file_count; i++) {
		const char *path = config_list(source->config, source->section, "files", i);
		hash = filecursor_hash(hash, str_of(path));
	}
	return hash;
}

static int file_open(const struct source_open *how, struct source **out_source, struct error *err)
{
	struct source *source = calloc(1, sizeof(*source));

	if (source == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for source %s", how->name);
	}
	source->config = how->config;
	source->clock = how->clock;
	buf_init(&source->name, RECORD_SOURCE_MAX);
	buf_init(&source->section_text, 1024);
	buf_init(&source->given, FEED_CURSOR_MAX);
	buf_init(&source->held, 0);
	buf_init(&source->safe, FEED_CURSOR_MAX);
	reader_init(&source->reader);
	buf_put_text(&source->name, how->name);
	buf_put_text(&source->section_text, how->section);
	source->section = source->section_text.ptr;
	int rc = source->name.failed || source->section_text.failed
			 ? error_set(err, ERR_CONFIG,
				     "the name of source %s is longer than %d bytes", how->name,
				     RECORD_SOURCE_MAX)
			 : open_intake(source, err);
	if (rc != 0) {
		error_prefix(err, "source %s", how->name);
		file_close(source);
		return rc;
	}
	source->file_count = config_list_count(how->config, source->section, "files");
	source->files_hash = hash_files(source);
	source->follow = config_bool(how->config, source->section, "follow") && !how->finite;
	source->from_start = config_bool(how->config, source->section, "from_start");
	*out_source = source;
	return 0;
}

static int open_next(struct source *source, struct error *err)
{
	const char *path =
		config_list(source->config, source->section, "files", source->file_index);
	struct stat status = {0};

	source->reader.follow = source->follow && source->file_index + 1 == source->file_count;
	int rc = reader_open(&source->reader, path, err);
	if (rc != 0) {
		return rc;
	}
	(void)stat(path, &status); /* only the time of rejects comes from it */
	intake_file(&source->intake, auditrow_basename(str_of(path)),
		    (int64_t)status.st_mtim.tv_sec * NS_PER_SEC + status.st_mtim.tv_nsec,
		    source->reader.mode);
	source->file_open = true;
	return 0;
}

static int bad_cursor(struct error *err)
{
	return error_set(
		err, ERR_CONFIG,
		"the stored cursor does not fit the configured files; give the source a new name");
}

/* Where a cursor says that reading goes on. */
struct place {
	uint64_t file_index;
	uint64_t offset;
	struct str held;
};

/* Reads a cursor; what belongs to other files, or shall not be gone by, gives the beginning and a serial that moves on. */
static int read_cursor(struct source *source, struct str cursor, struct place *out_place,
		       struct error *err)
{
	struct wire_reader reader = wire_reader(cursor);
	struct place place = {0};

	*out_place = place;
	if (cursor.len == 0) {
		return 0;
	}
	struct filecursor begin = {0};
	bool is_known = filecursor_read(&reader, &begin);
	place.file_index = begin.file_index;
	place.offset = begin.offset;
	place.held = wire_block(&reader, HELD_IN_CURSOR);
	uint64_t serial = wire_varint(&reader);
	if (!is_known || reader.failed || wire_left(&reader) > 0) {
		return bad_cursor(err);
	}
	source->serial = serial;
	if (begin.files_hash != source->files_hash || (source->from_start && !source->started)) {
		source->serial++;
		return 0;
	}
	if (place.file_index > source->file_count) {
		return bad_cursor(err);
	}
	*out_place = place;
	return 0;
}

/* Reads and counts the lines before offset again. */
static int go_to(struct source *source, int64_t offset, struct error *err)
{
	while (reader_offset(&source->reader) < offset) {
		struct reader_item item;
		int rc = reader_next(&source->reader, &item, err);
		if (rc != 0) {
			return rc;
		}
		if (item.kind == READER_END || item.kind == READER_DAMAGED) {
			const char *path = source->reader.path;
			return error_set(err, ERR_CONFIG,
					 "%s has become shorter than what was read of it (%lld of "
					 "%lld bytes)",
					 path, (long long)reader_offset(&source->reader),
					 (long long)offset);
		}
		rc = intake_recount(&source->intake, &item, err);
		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

/* Forgets what is in memory and stands where the cursor says. */
static int restart(struct source *source, struct str cursor, struct error *err)
{
	struct place place;

	buf_clear(&source->given);
	int rc = read_cursor(source, cursor, &place, err);
	if (rc != 0) {
		return rc;
	}
	intake_done(&source->intake);
	reader_close(&source->reader);
	source->file_open = false;
	source->flushed = false;
	source->file_index = (size_t)place.file_index;
	rc = open_intake(source, err);
	if (rc == 0 && place.held.len > 0 && source->intake.joiner != NULL) {
		rc = auditrow_joiner_restore(source->intake.joiner, place.held, err);
	}
	if (rc == 0 && source->file_index < source->file_count) {
		rc = open_next(source, err);
		rc = rc == 0 ? go_to(source, (int64_t)place.offset, err) : rc;
	}
	return rc;
}

/* Writes the next cursor; a serial only moves when something happened. */
static int put_cursor(struct source *source, bool moved, struct buf *out, struct error *err)
{
	int64_t offset = source->file_open ? reader_offset(&source->reader) : 0;

	buf_clear(&source->held);
	if (source->intake.joiner != NULL && auditrow_joiner_held(source->intake.joiner) > 0) {
		auditrow_joiner_save(source->intake.joiner, &source->held);
	}
	if (source->held.len <= HELD_IN_CURSOR || source->safe.len == 0) {
		buf_clear(&source->safe);
		bool fits = source->held.len <= HELD_IN_CURSOR;
		struct filecursor cursor = {.files_hash = source->files_hash};
		if (fits) { /* else the very first batch holds that much: begin at the beginning again */
			cursor.file_index = source->file_index;
			cursor.offset = (uint64_t)offset;
		}
		filecursor_put(&cursor, &source->safe);
		wire_put_block(&source->safe, fits ? buf_str(&source->held) : (struct str){0});
	}
	source->serial += moved;
	buf_put_str(out, buf_str(&source->safe));
	wire_put_varint(out, source->serial);
	buf_clear(&source->given);
	buf_put_str(&source->given, buf_str(out));
	int rc = buf_check(out, "the cursor", err);
	return rc == 0 ? buf_check(&source->given, "the cursor", err) : rc;
}

struct progress {
	struct source_batch *batch;
	size_t bytes;
	bool moved;
	bool idle;
	bool settled;
	/* the rows at the end of a followed file were given */ /* the end, at least until more is appended */
};

static bool batch_full(const struct progress *progress)
{
	return progress->batch->record_count >= BATCH_RECORDS || progress->bytes >= BATCH_BYTES;
}

static void count_record(struct progress *progress)
{
	const struct record *record = &progress->batch->records[progress->batch->record_count++];

	progress->bytes += record_text(record, FIELD_raw).len;
	progress->moved = true;
}

/* Takes the statements that are complete, while fewer than `most` records are in the batch. */
static int drain(struct source *source, struct progress *progress, size_t most, struct error *err)
{
	while (progress->batch->record_count < most &&
	       (most > BATCH_RECORDS || !batch_full(progress))) {
		struct source_batch *batch = progress->batch;
		int rc = intake_take(&source->intake, &batch->records[batch->record_count], err);
		if (rc == -ERR_GONE) {
			return 0;
		}
		if (rc != 0) {
			return rc;
		}
		count_record(progress);
	}
	return 0;
}

/* Goes on with the next file, or ends. */
static int next_file(struct source *source, struct progress *progress, struct error *err)
{
	if (source->file_open && source->reader.follow) {
		/* the last row so far is given, unless it says that a part is to come */
		progress->idle = source->intake.joiner == NULL || progress->settled;
		if (!progress->idle) {
			auditrow_joiner_flush(source->intake.joiner, false);
			progress->settled = true;
		}
		return 0;
	}
	if (source->file_open) {
		reader_close(&source->reader);
		source->file_open = false;
		source->file_index++;
		progress->moved = true;
	}
	if (source->file_index < source->file_count) {
		return open_next(source, err);
	}
	if (source->intake.joiner != NULL && !source->flushed) {
		auditrow_joiner_flush(source->intake.joiner, true);
		source->flushed = true;
		return 0;
	}
	progress->idle = true;
	return 0;
}

/* Puts a record that was given at once into the batch, behind the statements that wait for nothing but their next line. */
static int put_given(struct source *source, struct progress *progress, const struct record *given,
		     struct error *err)
{
	struct source_batch *batch = progress->batch;
	if (source->intake.joiner != NULL) {
		auditrow_joiner_pass(source->intake.joiner);
		int rc = drain(source, progress, BATCH_RECORDS + BATCH_SPARE - 1, err);
		if (rc != 0) {
			return rc;
		}
	}
	batch->records[batch->record_count] = *given;
	count_record(progress);
	return 0;
}

/* One piece, or the step to the next file. */
static int step(struct source *source, struct progress *progress, struct error *err)
{
	struct reader_item item = {.kind = READER_END};
	struct record record;
	bool given = false;

	if (source->file_open) {
		int rc = reader_next(&source->reader, &item, err);
		if (rc != 0) {
			return rc;
		}
	}
	if (item.kind == READER_END) {
		return next_file(source, progress, err);
	}
	progress->moved = true;
	source->pieces++;
	int rc = intake_give(&source->intake, &item, &record, &given, err);
	return rc == 0 && given ? put_given(source, progress, &record, err) : rc;
}

static int read_batch(struct source *source, const struct source_request *request,
		      struct progress *progress, struct error *err)
{
	while (!progress->idle && !batch_full(progress)) {
		int rc = drain(source, progress, BATCH_RECORDS, err);
		if (rc == 0 && !batch_full(progress)) {
			rc = step(source, progress, err);
		}
		if (rc != 0) {
			return rc;
		}
		if (source->pieces % 64 == 0 && clock_monotonic_ns() >= request->deadline_ns) {
			return 0;
		}
	}
	return 0;
}

static int file_fetch(struct source *source, const struct source_request *request,
		      struct source_batch *batch, struct error *err)
{
	struct progress progress = {.batch = batch};

	if (source->given.len == 0 || !str_equal(buf_str(&source->given), request->cursor)) {
		buf_clear(&source->safe);
		int rc = restart(source, request->cursor, err);
		if (rc != 0) {
			return rc;
		}
	}
	buf_clear(&source->given); /* until all went well */
	batch->record_count = 0;
	batch->records =
		arena_alloc(batch->arena, (BATCH_RECORDS + BATCH_SPARE) * sizeof(*batch->records));
	if (batch->records == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a batch of the files");
	}
	source->intake.arena = batch->arena;
	source->started = true;
	int rc = read_batch(source, request, &progress, err);
	if (rc != 0) {
		return rc;
	}
	batch->more = !progress.idle;
	batch->done = progress.idle && !source->follow;
	batch->wait_ns = FOLLOW_WAIT_NS;
	batch->watermark_ns = batch->done ? clock_now(&source->clock) : FEED_WATERMARK_NONE;
	return put_cursor(source, progress.moved, batch->cursor, err);
}

const struct source_type source_file = {
	.name = "file",
	.summary = "Files: access log lines or audit rows, plain or gzip.",
	.kinds = 1u << RECORD_REQUEST | 1u << RECORD_STATEMENT,
	.open = file_open,
	.fetch = file_fetch,
	.close = file_close,
};
