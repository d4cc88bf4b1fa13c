#include "correlator/roster.h"

#include <assert.h>
#include <stdlib.h>

#define STATE_OK   "ok"
#define STATE_DONE "done"

void roster_init(struct roster *roster)
{
	*roster = (struct roster){0};
}

void roster_done(struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++) {
		buf_done(&roster->sources[i]->cursor);
		free(roster->sources[i]);
	}
	free(roster->sources);
	*roster = (struct roster){0};
}

struct roster_source *roster_find(const struct roster *roster, struct str name)
{
	for (size_t i = 0; i < roster->count; i++) {
		if (str_is(name, roster->sources[i]->about.name)) {
			return roster->sources[i];
		}
	}
	return NULL;
}

static int make_room(struct roster *roster, struct error *err)
{
	if (roster->count == ROSTER_MAX) {
		return error_set(err, ERR_LIMIT, "there are already %d sources", ROSTER_MAX);
	}
	if (roster->count < roster->room) {
		return 0;
	}
	size_t room = roster->room > 0 ? roster->room * 2 : 16;
	struct roster_source **sources =
		realloc(roster->sources, room * sizeof(struct roster_source *));
	if (sources == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for %zu sources", room);
	}
	roster->sources = sources;
	roster->room = room;
	return 0;
}

/* Copies text, cut to fit. */
static void set_text(char *out, size_t room, struct str text)
{
	size_t len = text.len < room ? text.len : room - 1;
	if (len > 0) {
		memcpy(out, text.ptr, len);
	}
	out[len] = 0;
}

int roster_add(struct roster *roster, struct str name, struct roster_source **out_source,
	       struct error *err)
{
	struct roster_source *source = roster_find(roster, name);
	if (source != NULL) {
		*out_source = source;
		return 0;
	}
	assert(name.len > 0 && name.len <= RECORD_SOURCE_MAX);
	int rc = make_room(roster, err);
	if (rc < 0) {
		return rc;
	}
	source = calloc(1, sizeof *source);
	if (source == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for source %.*s", STR_ARG(name));
	}
	buf_init(&source->cursor, 0);
	set_text(source->about.name, sizeof source->about.name, name);
	source->about.watermark_ns = INT64_MIN;
	source->about.first_time_ns = INT64_MIN;
	source->about.last_time_ns = INT64_MIN;
	source->about.last_batch_ns = INT64_MIN;
	source->about.state_since_ns = INT64_MIN;
	source->dirty = true;
	roster->sources[roster->count++] = source;
	*out_source = source;
	return 0;
}

int roster_restore(struct roster *roster, const struct store_source *about, int64_t now_ns,
		   struct error *err)
{
	struct roster_source *source = NULL;
	int rc = roster_add(roster, str_of(about->name), &source, err);
	if (rc < 0) {
		return rc;
	}
	source->about = *about;
	source->about.cursor = (struct str){0};
	source->heard_ns = now_ns;
	source->silent = str_is(str_of(about->state), "silent");
	rc = roster_set_cursor(source, about->cursor, err);
	source->dirty = false;
	return rc;
}

void roster_set_type(struct roster_source *source, struct str type, unsigned kinds)
{
	if (!str_is(type, source->about.type) || kinds != source->about.kinds) {
		set_text(source->about.type, sizeof source->about.type, type);
		source->about.kinds = kinds;
		source->dirty = true;
	}
}

void roster_set_state(struct roster_source *source, const char *state, struct str text,
		      int64_t now_ns)
{
	struct store_source *about = &source->about;
	if (!str_is(str_of(state), about->state)) {
		set_text(about->state, sizeof about->state, str_of(state));
		about->state_since_ns = now_ns;
		source->dirty = true;
	}
	struct str cut = str_slice(text, 0, sizeof about->state_text - 1);
	if (!str_is(cut, about->state_text)) {
		set_text(about->state_text, sizeof about->state_text, cut);
		source->dirty = true;
	}
}

int roster_set_cursor(struct roster_source *source, struct str cursor, struct error *err)
{
	buf_clear(&source->cursor);
	buf_put_str(&source->cursor, cursor);
	int rc = buf_check(&source->cursor, "a cursor", err);
	if (rc == 0) {
		source->about.cursor = buf_str(&source->cursor);
		source->dirty = true;
	}
	return rc;
}

void roster_heard(struct roster_source *source, int64_t now_ns)
{
	source->heard_ns = now_ns;
	source->silent = false;
}

bool roster_is_done(const struct roster_source *source)
{
	return str_is(str_of(STATE_DONE), source->about.state);
}

/* The smallest watermark of the sources that may give a kind. */
static int64_t watermark_of(const struct roster *roster, enum record_kind kind)
{
	int64_t lowest = INT64_MAX;
	bool any = false;
	for (size_t i = 0; i < roster->count; i++) {
		const struct roster_source *source = roster->sources[i];
		if ((source->about.kinds >> kind & 1) != 0) {
			int64_t watermark_ns =
				roster_is_done(source) ? INT64_MAX : source->about.watermark_ns;
			lowest = watermark_ns < lowest ? watermark_ns : lowest;
			any = true;
		}
	}
	return any ? lowest : INT64_MIN;
}

void roster_watermarks(const struct roster *roster, int64_t *out_requests_ns,
		       int64_t *out_statements_ns)
{
	*out_requests_ns = watermark_of(roster, RECORD_REQUEST);
	*out_statements_ns = watermark_of(roster, RECORD_STATEMENT);
}

struct roster_source *roster_silent(const struct roster *roster, int64_t now_ns, int64_t limit_ns)
{
	const unsigned gives_events = 1u << RECORD_REQUEST | 1u << RECORD_STATEMENT;
	for (size_t i = 0; i < roster->count; i++) {
		struct roster_source *source = roster->sources[i];
		bool expected = (source->configured || source->peer != NULL) &&
				!roster_is_done(source) &&
				(source->about.kinds & gives_events) != 0;
		if (expected && !source->silent && now_ns - source->heard_ns >= limit_ns) {
			return source;
		}
	}
	return NULL;
}
