#include "model/auditrow/joiner.h"

#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>

/* Text and lines of one statement: its record holds both and has to fit RECORD_MAX_BYTES. */
#define STATEMENT_MAX_BYTES (RECORD_MAX_BYTES / 2)

struct auditrow_joiner *auditrow_joiner_new(struct str source, size_t max_bytes)
{
	struct auditrow_joiner *joiner = calloc(1, sizeof(*joiner));

	if (joiner == NULL) {
		return NULL;
	}
	assert(source.len <= sizeof(joiner->source_text));
	joiner_clear(joiner);
	joiner->max_bytes = max_bytes;
	buf_init(&joiner->scratch, 0);
	if (source.len != 0) {
		memcpy(joiner->source_text, source.ptr, source.len);
	}
	joiner->source = str_make(joiner->source_text, source.len);
	return joiner;
}

/* Frees a part and those behind it. */
static void free_parts(void *first)
{
	struct part *part = first;

	while (part != NULL) {
		struct part *next = part->next;

		free(part);
		part = next;
	}
}

static void free_held(struct held *held)
{
	free_parts(held->first);
	free(held);
}

static void append(struct held_list *list, struct held *held)
{
	held->next = NULL;
	*list->end = held;
	list->end = &held->next;
}

/* Takes the one that hangs at link out of the list. */
static struct held *detach(struct held_list *list, struct held **link)
{
	struct held *held = *link;

	*link = held->next;
	if (list->end == &held->next) {
		list->end = link;
	}
	return held;
}

static void clear_list(struct held_list *list)
{
	while (list->first != NULL) {
		struct held *next = list->first->next;

		free_held(list->first);
		list->first = next;
	}
	list->end = &list->first;
}

void joiner_clear(struct auditrow_joiner *joiner)
{
	clear_list(&joiner->waiting);
	clear_list(&joiner->done);
	joiner->waiting_bytes = 0;
}

void auditrow_joiner_free(struct auditrow_joiner *joiner)
{
	if (joiner == NULL) {
		return;
	}
	joiner_clear(joiner);
	buf_done(&joiner->scratch);
	free(joiner);
}

static int64_t sequence_of(const struct part *part)
{
	int64_t sequence = part_number(part, AUDITCOLUMN_sequence_number, 1);

	return sequence < 1 ? 1 : sequence; /* 0 is seen where there is only one part */
}

/* Whether both rows say the same in all that the parts of one record share. */
static bool same_record(const struct part *a, const struct part *b)
{
	return part_number(a, AUDITCOLUMN_event_time, 0) ==
		       part_number(b, AUDITCOLUMN_event_time, 0) &&
	       part_number(a, AUDITCOLUMN_session_id, 0) ==
		       part_number(b, AUDITCOLUMN_session_id, 0) &&
	       str_equal(part_text(a, AUDITCOLUMN_action_id),
			 part_text(b, AUDITCOLUMN_action_id)) &&
	       str_equal(part_text(a, AUDITCOLUMN_sequence_group_id),
			 part_text(b, AUDITCOLUMN_sequence_group_id));
}

void joiner_append(struct auditrow_joiner *joiner, struct held *held, struct part *part)
{
	int64_t expected = held->last != NULL ? sequence_of(held->last) + 1 : 1;

	held->broken = held->broken || sequence_of(part) != expected;
	held->full = part_is_full(part);
	held->size_bytes += part->size_bytes;
	joiner->waiting_bytes += part->size_bytes;
	held->part_count++;
	part->next = NULL;
	if (held->last != NULL) {
		held->last->next = part;
	} else {
		held->first = part;
	}
	held->last = part;
}

struct held *joiner_begin(struct auditrow_joiner *joiner, struct part *part)
{
	struct held *held = calloc(1, sizeof(*held));

	if (held == NULL) {
		return NULL;
	}
	joiner_append(joiner, held, part);
	append(&joiner->waiting, held);
	return held;
}

void joiner_finish(struct auditrow_joiner *joiner, struct held **link)
{
	struct held *held = detach(&joiner->waiting, link);

	held->incomplete = held->broken || held->full;
	joiner->waiting_bytes -= held->size_bytes;
	append(&joiner->done, held);
}

/* The waiting statement that a part continues, the nearest one if there are several; NULL when it begins a new one. */
static struct held *find_continued(const struct auditrow_joiner *joiner, const struct part *part)
{
	int64_t sequence = sequence_of(part);
	struct held *after_gap = NULL;
	struct held *exact = NULL;

	if (sequence == 1) {
		return NULL;
	}
	for (struct held *held = joiner->waiting.first; held != NULL; held = held->next) {
		int64_t last = sequence_of(held->last);

		if (!same_record(held->last, part)) {
			continue;
		}
		if (last + 1 == sequence) {
			exact = held;
		} else if (last < sequence) {
			after_gap = held;
		}
	}
	return exact != NULL ? exact : after_gap;
}

/* Ends the wait of those that a row shows to be over: a session does one thing after the other, and a row that is not full
 * waits for nothing but a part right behind it. */
static void finish_passed(struct auditrow_joiner *joiner, const struct part *part)
{
	int64_t session = part_number(part, AUDITCOLUMN_session_id, 0);
	struct held **link = &joiner->waiting.first;

	while (*link != NULL) {
		bool same_session =
			part_number((*link)->last, AUDITCOLUMN_session_id, 0) == session;

		if (!(*link)->full || same_session) {
			joiner_finish(joiner, link);
		} else {
			link = &(*link)->next;
		}
	}
}

static void keep_to_limit(struct auditrow_joiner *joiner)
{
	while (joiner->waiting.first != NULL && joiner->waiting_bytes > joiner->max_bytes) {
		joiner_finish(joiner, &joiner->waiting.first);
	}
}

int auditrow_joiner_add(struct auditrow_joiner *joiner, const struct auditrow *row,
			struct error *err)
{
	struct part *part = part_new(row, &joiner->scratch);
	struct held *held;

	if (part == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for an audit row of %.*s",
				 STR_ARG(joiner->source));
	}
	held = find_continued(joiner, part);
	if (held != NULL && held->part_count < AUDITROW_PARTS_MAX &&
	    held->size_bytes + part->size_bytes <= STATEMENT_MAX_BYTES) {
		joiner_append(joiner, held, part);
		keep_to_limit(joiner);
		return 0;
	}
	finish_passed(joiner, part);
	if (joiner_begin(joiner, part) == NULL) {
		free(part);
		return error_set(err, ERR_NOMEM, "no memory for an audit row of %.*s",
				 STR_ARG(joiner->source));
	}
	keep_to_limit(joiner);
	return 0;
}

void auditrow_joiner_pass(struct auditrow_joiner *joiner)
{
	struct held **link = &joiner->waiting.first;

	while (*link != NULL) {
		if (!(*link)->full) {
			joiner_finish(joiner, link);
		} else {
			link = &(*link)->next;
		}
	}
}

void auditrow_joiner_flush(struct auditrow_joiner *joiner, bool final)
{
	struct held **link = &joiner->waiting.first;

	while (*link != NULL) {
		if (final || (!(*link)->broken && !(*link)->full)) {
			joiner_finish(joiner, link);
		} else {
			link = &(*link)->next;
		}
	}
}

int auditrow_joiner_take(struct auditrow_joiner *joiner, struct arena *arena,
			 struct record *out_record, struct error *err)
{
	struct held *held = joiner->done.first;
	struct statement_source from;
	int code;

	if (held == NULL) {
		return error_set(err, ERR_GONE, "no statement of %.*s is complete now",
				 STR_ARG(joiner->source));
	}
	from = (struct statement_source){
		.source = joiner->source, .first = held->first, .incomplete = held->incomplete};
	code = statement_record(&from, arena, &joiner->scratch, out_record, err);
	if (code != 0) {
		return code;
	}
	if (!arena_at_end(arena, free_parts, held->first)) {
		return error_set(err, ERR_LIMIT, "there is no room for a statement of %.*s",
				 STR_ARG(joiner->source));
	}
	free(detach(&joiner->done, &joiner->done.first));
	return 0;
}

bool auditrow_joiner_has(const struct auditrow_joiner *joiner)
{
	return joiner->done.first != NULL;
}

static size_t count_parts(const struct held_list *list)
{
	size_t count = 0;

	for (const struct held *held = list->first; held != NULL; held = held->next) {
		count += held->part_count;
	}
	return count;
}

size_t auditrow_joiner_held(const struct auditrow_joiner *joiner)
{
	return count_parts(&joiner->waiting) + count_parts(&joiner->done);
}
