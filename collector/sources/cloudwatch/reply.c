#include "collector/sources/cloudwatch/reply.h"

#include "base/json.h"
#include "base/parse.h"

static int malformed(const struct json_scanner *scanner, struct error *err)
{
	return error_set(err, ERR_INPUT, "the reply is no page of events: %s at offset %zu",
			 scanner->problem != NULL ? scanner->problem
						  : "something else stands there",
			 scanner->pos);
}

/* Which member of an event a key names: the bit of it, or 0. */
enum member {
	MEMBER_STREAM = 1,
	MEMBER_TIMESTAMP = 2,
	MEMBER_MESSAGE = 4,
	MEMBER_INGESTION = 8,
	MEMBER_ID = 16,
};

static unsigned member_of(struct str key)
{
	static const struct {
		const char *name;
		enum member member;
	} members[] = {
		{"logStreamName", MEMBER_STREAM}, {"timestamp", MEMBER_TIMESTAMP},
		{"message", MEMBER_MESSAGE},      {"ingestionTime", MEMBER_INGESTION},
		{"eventId", MEMBER_ID},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (str_is(key, members[i].name)) {
			return members[i].member;
		}
	}
	return 0;
}

/* The slice of a text or number; empty for null; false for anything else. */
static bool scalar_slice(struct str raw, struct str *out)
{
	if (raw.len >= 2 && raw.ptr[0] == '"') {
		*out = str_slice(raw, 1, raw.len - 2);
		return true;
	}
	*out = str_is(raw, "null") ? (struct str){0} : raw;
	return raw.len > 0 && raw.ptr[0] != '{' && raw.ptr[0] != '[';
}

static void set_member(struct reply_event *event, unsigned member, struct str value)
{
	switch (member) {
	case MEMBER_STREAM:
		event->stream = value;
		break;
	case MEMBER_MESSAGE:
		event->message = value;
		break;
	case MEMBER_ID:
		event->event_id = value;
		break;
	case MEMBER_TIMESTAMP:
		(void)parse_i64(value, &event->timestamp_ms); /* absent when it is no number */
		break;
	case MEMBER_INGESTION:
		(void)parse_i64(value, &event->ingestion_ms); /* as above */
		break;
	}
}

/* Reads the members of an event whose brace was just scanned. False on a syntax error. */
static bool read_event(struct json_scanner *scanner, struct reply_event *event)
{
	unsigned seen = 0;
	size_t start = scanner->start;

	*event = (struct reply_event){.timestamp_ms = INT64_MIN, .ingestion_ms = INT64_MIN};
	for (;;) {
		enum json_event what = json_next(scanner);
		if (what == JSON_OBJECT_END) {
			break;
		}
		struct str raw;
		if (what != JSON_KEY) {
			return false;
		}
		unsigned member = member_of(scanner->text);
		if (!json_skip(scanner, &raw)) {
			return false;
		}
		struct str value;
		if (member == 0) {
			continue;
		}
		if ((seen & member) != 0) {
			event->problem = "the event repeats a key";
		} else if (!scalar_slice(raw, &value)) {
			event->problem = "a member of the event is no text or number";
		} else {
			set_member(event, member, value);
		}
		seen |= member;
	}
	if (event->problem == NULL && (seen & MEMBER_MESSAGE) == 0) {
		event->problem = "the event has no message";
	}
	event->raw = str_slice(scanner->input, start, scanner->pos - start);
	return true;
}

/* How many events the array at most holds: each has at least one brace. */
static size_t count_braces(struct str body)
{
	size_t count = 0;

	for (size_t i = 0; i < body.len && count < REPLY_EVENTS_MAX; i++) {
		count += body.ptr[i] == '{';
	}
	return count;
}

static int read_events(struct json_scanner *scanner, struct arena *arena, struct reply_page *page,
		       struct error *err)
{
	enum json_event what = json_next(scanner);
	size_t room = count_braces(str_slice(scanner->input, scanner->pos, scanner->input.len));

	if (what == JSON_NULL) {
		return 0;
	}
	if (what != JSON_ARRAY_BEGIN || page->events != NULL) {
		return malformed(scanner, err);
	}
	page->events = arena_calloc(arena, room + 1, sizeof(*page->events));
	if (page->events == NULL) {
		return error_set(err, ERR_LIMIT, "no memory for a page of %zu bytes",
				 scanner->input.len);
	}
	while ((what = json_next(scanner)) != JSON_ARRAY_END) {
		if (page->event_count >= REPLY_EVENTS_MAX) {
			return error_set(err, ERR_LIMIT, "a page has more than %d events",
					 REPLY_EVENTS_MAX);
		}
		if (what != JSON_OBJECT_BEGIN || page->event_count > room ||
		    !read_event(scanner, &page->events[page->event_count])) {
			return malformed(scanner, err);
		}
		page->event_count++;
	}
	return 0;
}

static int read_token(struct json_scanner *scanner, struct arena *arena, struct reply_page *page,
		      struct error *err)
{
	enum json_event what = json_next(scanner);
	struct buf scratch;

	if (what == JSON_NULL) {
		return 0;
	}
	if (what != JSON_STRING || page->next_token.ptr != NULL) {
		return malformed(scanner, err);
	}
	buf_init(&scratch, scanner->input.len + 16);
	bool kept = reply_text(scanner->text, arena, &scratch, &page->next_token);
	buf_done(&scratch);
	return kept ? 0 : error_set(err, ERR_LIMIT, "no memory for a page's token");
}

int reply_parse(struct str body, struct arena *arena, struct reply_page *out_page,
		struct error *err)
{
	struct json_scanner scanner = json_scanner(body);
	struct reply_page page = {0};
	enum json_event what = json_next(&scanner);

	if (what != JSON_OBJECT_BEGIN) {
		return malformed(&scanner, err);
	}
	while ((what = json_next(&scanner)) == JSON_KEY) {
		struct str raw;
		int rc = 0;
		if (str_is(scanner.text, "events")) {
			rc = read_events(&scanner, arena, &page, err);
		} else if (str_is(scanner.text, "nextToken")) {
			rc = read_token(&scanner, arena, &page, err);
		} else if (!json_skip(&scanner, &raw)) {
			rc = malformed(&scanner, err);
		}
		if (rc != 0) {
			return rc;
		}
	}
	if (what != JSON_OBJECT_END || str_trim(str_slice(body, scanner.pos, body.len)).len > 0) {
		return malformed(&scanner, err);
	}
	*out_page = page;
	return 0;
}

bool reply_text(struct str slice, struct arena *arena, struct buf *scratch, struct str *out_text)
{
	buf_clear(scratch);
	(void)json_unescape(slice, true,
			    scratch); /* how many lone surrogates there were is no matter */
	return !scratch->failed && arena_str(arena, buf_str(scratch), out_text) == 0;
}

bool reply_member(struct str body, const char *name, struct buf *out)
{
	struct json_scanner scanner = json_scanner(body);

	if (json_next(&scanner) != JSON_OBJECT_BEGIN) {
		return false;
	}
	while (json_next(&scanner) == JSON_KEY) {
		bool wanted = str_is(scanner.text, name);
		struct str raw;
		if (!json_skip(&scanner, &raw)) {
			return false;
		}
		struct str value;
		if (wanted) {
			if (!scalar_slice(raw, &value) || str_is(raw, "null")) {
				return false;
			}
			(void)json_unescape(value, false, out); /* as above */
			return true;
		}
	}
	return false;
}
