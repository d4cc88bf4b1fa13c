#include "collector/sources/sqlserver/auditreader.h"

#include "collector/sources/sqlserver/auditintake.h"
#include "model/feed.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ROW_ARENA_BYTES  (4u << 20)
#define STEP_INTERVAL_NS (10 * NS_PER_SEC)
#define FILES_PER_FETCH  4

struct auditreader {
	struct auditreader_options options;
	const struct auditdb *db;
	struct filewalk walk;
	struct auditsurvey survey;
	struct auditintake intake;
	struct auditcursor
		safe; /* the last cursor whose joiner state fits: what is issued while it does not */
	struct buf issued; /* the cursor of the last batch */
	bool is_live;      /* the state belongs to issued */
	struct arena row_arena;
	int64_t held_since_ns; /* wall; 0: nothing waits */
	int64_t step_again_ns; /* wall; the next step with a pattern while the written file is unknown */
	int64_t watermark_ns;
};

/* One call of reader_fetch. */
struct round {
	struct auditintake_batch in;
	int64_t now_ns;
	bool has_stepped; /* another file was entered after the end of one */
	bool is_caught_up;
};

int auditreader_new(const struct auditreader_options *options, const struct auditdb *db,
		    struct auditreader **out_reader, struct error *err)
{
	struct auditreader *reader = calloc(1, sizeof(*reader));
	if (reader == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the reader");
	}
	assert(options->batch_rows > 0);
	reader->options = *options;
	reader->db = db;
	filewalk_init(&reader->walk, db, options->rds, str_of(options->file_pattern));
	auditsurvey_init(&reader->survey, db, str_of(options->audit), options->warning);
	auditintake_init(&reader->intake, str_of(options->source_name),
			 str_of(options->server_name), &reader->survey);
	auditcursor_init(&reader->safe);
	buf_init(&reader->issued, FEED_CURSOR_MAX);
	arena_init(&reader->row_arena, ROW_ARENA_BYTES);
	reader->watermark_ns = FEED_WATERMARK_NONE;
	*out_reader = reader;
	return 0;
}

void auditreader_free(struct auditreader *reader)
{
	if (reader == NULL) {
		return;
	}
	filewalk_done(&reader->walk);
	auditsurvey_done(&reader->survey);
	auditintake_done(&reader->intake);
	auditcursor_done(&reader->safe);
	buf_done(&reader->issued);
	arena_done(&reader->row_arena);
	free(reader);
}

/* Makes the state of a cursor that is not the one given last: at the start, after an error, after a batch that was lost. */
static int restore(struct auditreader *reader, struct str bytes, struct error *err)
{
	reader->is_live = false;
	reader->walk.transmitted = false;
	reader->held_since_ns = 0;
	struct error why = {0};
	int status = auditintake_restore(&reader->intake, bytes, AUDITREADER_HELD_BYTES, &why);
	if (status == 0) {
		return auditcursor_copy(&reader->safe, &reader->intake.cursor, err);
	}
	/* Only the operator can decide to read all audit files again. */
	return error_set(err, status == -ERR_NOMEM ? ERR_NOMEM : ERR_CONFIG,
			 "the committed cursor of source %s can't be used: %s",
			 reader->options.source_name, why.text);
}

/* Reads what is behind the cursor in its file. Sets is_clean or is_full. */
static int read_file(struct auditreader *reader, struct round *round, struct error *err)
{
	uint64_t row_limit = reader->options.batch_rows + reader->intake.cursor.seen_count;
	struct auditdb_range range =
		filewalk_range(&reader->walk, &reader->intake.cursor, row_limit);
	struct auditcursor_seen seen;
	int status = auditcursor_seen_init(&seen, &reader->intake.cursor, err);
	if (status != 0) {
		return status;
	}
	int64_t overlap = reader->intake.cursor.last_offset;
	auditintake_begin_read(&reader->intake, &round->in);
	status = reader->db->read(reader->db->owner, &range, err);
	while (status == 0 && !round->in.is_clean && !round->in.is_full) {
		struct auditdb_item item;
		arena_clear(&reader->row_arena);
		status = reader->db->next(reader->db->owner, &reader->row_arena, &item, err);
		if (status == 0) {
			status = auditintake_take(&reader->intake, &round->in, &seen, &item, err);
		}
		if (overlap != reader->intake.cursor.last_offset) {
			/* Behind the overlap nothing is a repeat. */
			auditcursor_seen_done(&seen);
			overlap = reader->intake.cursor.last_offset;
		}
		if (round->in.new_bytes > AUDITREADER_BATCH_BYTES ||
		    round->in.batch->record_count + AUDITINTAKE_RESERVE / 2 > round->in.capacity) {
			round->in.is_full = true;
		}
	}
	auditcursor_seen_done(&seen);
	if (!round->in.is_clean) {
		reader->db->stop(reader->db->owner);
	} else if (round->in.got_rows >= row_limit) {
		round->in.is_full = true;
	}
	return status;
}

/* The cursor's file is gone: goes on in the oldest one left. out_found: there is one. */
static int recover(struct auditreader *reader, struct round *round, const struct error *why,
		   bool *out_found, struct error *err)
{
	struct buf name;
	buf_init(&name, AUDITFILE_NAME_MAX);
	*out_found = false;
	int status = filewalk_oldest(&reader->walk, auditcursor_file(&reader->intake.cursor), &name,
				     err);
	if (status != 0 || name.len == 0) {
		auditsurvey_tell(&reader->survey, AUDITSURVEY_NO_FILES,
				 "the audit file %.*s is gone and there is no newer one: %s",
				 STR_ARG(auditcursor_file(&reader->intake.cursor)), why->text);
		buf_done(&name);
		return status;
	}
	status = auditintake_leave_deleted(&reader->intake, &round->in, buf_str(&name),
					   str_of(why->text), err);
	*out_found = status == 0;
	buf_done(&name);
	return status;
}

/* Whether to ask for the next file: always when the server writes another one; while that is not known, when nothing new
 * came, and not all the time, because the pattern opens every file. */
static bool should_step(const struct auditreader *reader, const struct round *round)
{
	if (reader->survey.has_status) {
		return !str_equal_fold(buf_str(&reader->walk.current),
				       auditcursor_file(&reader->intake.cursor));
	}
	return reader->options.finite ||
	       (round->in.new_rows == 0 && round->now_ns >= reader->step_again_ns);
}

/* At the clean end of a file: goes on to the next one, or is caught up. */
static int step(struct auditreader *reader, struct round *round, struct error *err)
{
	if (!should_step(reader, round)) {
		round->is_caught_up = reader->survey.has_status;
		return 0;
	}
	struct buf name;
	buf_init(&name, AUDITFILE_NAME_MAX);
	int status = filewalk_next(&reader->walk, &reader->intake.cursor, &name, err);
	reader->step_again_ns = round->now_ns + STEP_INTERVAL_NS;
	if (status == 0 && name.len > 0) {
		status = auditcursor_enter(&reader->intake.cursor, buf_str(&name), err);
		reader->step_again_ns = 0;
		round->has_stepped = true;
	} else if (status == 0) {
		round->is_caught_up = true;
	}
	buf_done(&name);
	return status;
}

/* Reads until the batch is full, the end is reached, or a few files were gone through. */
static int read_files(struct auditreader *reader, struct round *round, struct error *err)
{
	for (int files = 0; files < FILES_PER_FETCH && !round->in.is_full; files++) {
		struct error why = {0};
		round->has_stepped = false;
		int status = read_file(reader, round, &why);
		if (status == 0 && round->in.is_clean && !round->in.is_full) {
			status = step(reader, round, &why);
		}
		if (status == -ERR_GONE) {
			bool found = filewalk_try_transmitted(&reader->walk);
			if (!found) {
				status = recover(reader, round, &why, &found, err);
				if (status != 0 || !found) {
					return status;
				}
			}
			round->has_stepped = true;
			continue;
		}
		if (status != 0) {
			return err != NULL ? (*err = why, status) : status;
		}
		if (!round->has_stepped) {
			return 0;
		}
	}
	return 0;
}

/* Where nothing was read yet: at the oldest file. */
static int find_start(struct auditreader *reader, struct error *err)
{
	struct buf name;
	buf_init(&name, AUDITFILE_NAME_MAX);
	int status = filewalk_oldest(&reader->walk, (struct str){0}, &name, err);
	if (status == 0 && name.len > 0) {
		status = auditcursor_enter(&reader->intake.cursor, buf_str(&name), err);
	} else if (status == 0) {
		auditsurvey_tell(&reader->survey, AUDITSURVEY_NO_FILES,
				 "there is no audit file yet at %.*s",
				 STR_ARG(buf_str(&reader->walk.pattern)));
	}
	buf_done(&name);
	return status;
}

/* Lets go of rows that wait for parts: whole ones at the end of what there is, torn ones after a while. */
static int release(struct auditreader *reader, struct round *round, struct error *err)
{
	bool at_end = round->in.is_clean && !round->in.is_full && !round->has_stepped;
	if (at_end) {
		auditrow_joiner_flush(reader->intake.joiner,
				      round->is_caught_up && reader->options.finite);
	}
	int status = auditintake_take_records(&reader->intake, &round->in, err);
	if (status != 0) {
		return status;
	}
	if (auditrow_joiner_held(reader->intake.joiner) == 0) {
		reader->held_since_ns = 0;
	} else if (reader->held_since_ns == 0 || round->in.new_rows > 0) {
		reader->held_since_ns = round->now_ns;
	} else if (at_end &&
		   round->now_ns - reader->held_since_ns > reader->options.part_timeout_ns) {
		auditrow_joiner_flush(reader->intake.joiner, true);
		status = auditintake_take_records(&reader->intake, &round->in, err);
	}
	return status;
}

static void set_watermark(struct auditreader *reader, struct round *round)
{
	int64_t lateness = auditsurvey_lateness_ns(&reader->survey);
	int64_t mark = FEED_WATERMARK_NONE;
	if (round->is_caught_up && !round->in.is_full &&
	    auditrow_joiner_held(reader->intake.joiner) == 0) {
		mark = round->now_ns + reader->survey.clock_ahead_ns - lateness;
	} else if (reader->intake.cursor.last_time_ns != 0) {
		mark = reader->intake.cursor.last_time_ns - lateness;
	}
	if (mark > reader->watermark_ns) {
		reader->watermark_ns = mark;
	}
	round->in.batch->watermark_ns = reader->watermark_ns;
}

/* Writes the next cursor. Without records and at the same place it is the one that came in, so that nothing is committed. */
static int issue(struct auditreader *reader, struct round *round, struct str before,
		 struct error *err)
{
	struct auditcursor *cursor = &reader->intake.cursor;
	buf_clear(&cursor->joiner);
	if (auditrow_joiner_held(reader->intake.joiner) > 0) {
		auditrow_joiner_save(reader->intake.joiner, &cursor->joiner);
	}
	bool fits = !cursor->joiner.failed;
	if (fits) {
		int status = auditcursor_copy(&reader->safe, cursor, err);
		if (status != 0) {
			return status;
		}
	}
	reader->safe.generation = cursor->generation;
	buf_clear(round->in.batch->cursor);
	int status = auditcursor_encode(&reader->safe, round->in.batch->cursor, err);
	if (status == 0 && (round->in.batch->record_count > 0 ||
			    !str_equal(buf_str(round->in.batch->cursor), before))) {
		cursor->generation++;
		reader->safe.generation = cursor->generation;
		buf_clear(round->in.batch->cursor);
		status = auditcursor_encode(&reader->safe, round->in.batch->cursor, err);
	}
	buf_clear(&reader->issued);
	buf_put_str(&reader->issued, buf_str(round->in.batch->cursor));
	reader->is_live = status == 0 && !reader->issued.failed;
	return status;
}

static int prepare(struct auditreader *reader, struct round *round, struct error *err)
{
	struct source_batch *batch = round->in.batch;
	batch->records = NULL;
	batch->record_count = 0;
	batch->more = batch->done = false;
	batch->wait_ns = reader->options.poll_interval_ns;
	batch->note = NULL;
	batch->counts = NULL;
	round->in.open_gap = AUDITINTAKE_NO_RECORD;
	size_t wanted = reader->options.batch_rows + auditrow_joiner_held(reader->intake.joiner) +
			AUDITINTAKE_RESERVE;
	round->in.capacity = wanted < FEED_BATCH_RECORDS ? wanted : FEED_BATCH_RECORDS;
	batch->records = arena_alloc(batch->arena, round->in.capacity * sizeof(*batch->records));
	if (batch->records == NULL) {
		return error_set(err, ERR_AGAIN, "the batch's memory is full");
	}
	return 0;
}

static void tell_counts(const struct auditreader *reader, struct source_batch *batch)
{
	char text[160];
	struct str copy;
	snprintf(text, sizeof(text),
		 "rows %" PRIu64 ", repeats %" PRIu64 ", gaps %" PRIu64 ", rejects %" PRIu64,
		 reader->intake.row_count, reader->intake.repeat_count, reader->intake.gap_count,
		 reader->intake.reject_count);
	if (arena_str(batch->arena, str_of(text), &copy) == 0) {
		batch->counts = copy.ptr;
	}
}

static int fill(struct auditreader *reader, struct round *round,
		const struct source_request *request, struct error *err)
{
	int status = reader->db->begin(reader->db->owner, request->deadline_ns, err);
	if (status == 0) {
		arena_clear(&reader->row_arena);
		status = auditsurvey_take(&reader->survey, &reader->walk, round->now_ns,
					  &reader->row_arena, err);
	}
	if (status == 0) {
		status = filewalk_ready(&reader->walk, err);
	}
	if (status == 0 && auditcursor_file(&reader->intake.cursor).len == 0) {
		status = find_start(reader, err);
	}
	if (status == 0 && auditcursor_file(&reader->intake.cursor).len > 0) {
		status = read_files(reader, round, err);
	}
	if (status == 0) {
		status = release(reader, round, err);
	}
	return status;
}

/* Whether the next fetch can ask for the next file at once, which waits until nothing new comes. */
static bool is_step_due(const struct auditreader *reader, const struct round *round)
{
	return !reader->survey.has_status && !round->is_caught_up && round->in.new_rows > 0 &&
	       round->now_ns >= reader->step_again_ns;
}

int auditreader_fetch(struct auditreader *reader, const struct source_request *request,
		      struct source_batch *batch, struct error *err)
{
	struct round round = {.in.batch = batch, .now_ns = clock_now(&reader->options.clock)};
	int status = 0;
	if (!reader->is_live || !str_equal(request->cursor, buf_str(&reader->issued))) {
		status = restore(reader, request->cursor, err);
	}
	if (status == 0) {
		status = prepare(reader, &round, err);
	}
	if (status == 0) {
		status = fill(reader, &round, request, err);
	}
	if (status == 0) {
		set_watermark(reader, &round);
		batch->note = auditsurvey_take_note(&reader->survey, batch->arena);
		tell_counts(reader, batch);
		status = issue(reader, &round, request->cursor, err);
	}
	if (status != 0) {
		reader->is_live = false;
		return status;
	}
	bool nothing = auditcursor_file(&reader->intake.cursor).len == 0;
	batch->more = round.in.is_full || round.has_stepped || is_step_due(reader, &round);
	batch->done = reader->options.finite && !batch->more && (round.is_caught_up || nothing);
	return 0;
}
