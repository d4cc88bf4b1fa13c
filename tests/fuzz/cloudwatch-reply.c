/* Any bytes as a page of FilterLogEvents, an error body, or a cursor: never a crash, and what is taken is whole. */
#include "collector/sources/cloudwatch/awserror.h"
#include "collector/sources/cloudwatch/eventid.h"
#include "collector/sources/cloudwatch/reply.h"
#include "collector/sources/cloudwatch/scan.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether part lies inside whole. */
static bool inside(struct str part, struct str whole)
{
	return part.len == 0 ||
	       (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void try_page(struct str body)
{
	struct arena arena;
	struct reply_page page;
	struct buf scratch;
	struct error err = {0};

	arena_init(&arena, 4u << 20);
	buf_init(&scratch, 0);
	int rc = reply_parse(body, &arena, &page, &err);
	assert(rc == 0 || err.text[0] != '\0');
	for (size_t i = 0; rc == 0 && i < page.event_count; i++) {
		const struct reply_event *event = &page.events[i];
		struct str text;
		uint8_t key[RECORD_KEY_MAX];
		bool exact;
		assert(inside(event->raw, body) && inside(event->message, event->raw));
		assert(event->raw.ptr[0] == '{' && event->raw.ptr[event->raw.len - 1] == '}');
		(void)reply_text(event->message, &arena, &scratch, &text); /* full is fine here */
		size_t len = eventid_key(event->event_id, event->timestamp_ms, key, &exact);
		assert(len <= RECORD_KEY_MAX && (!exact || len == EVENTID_BYTES));
	}
	buf_done(&scratch);
	arena_done(&arena);
}

static void try_error(struct str body)
{
	struct http_reply reply = {.status = 400, .error_type = "", .body = body};
	struct error err = {0};

	assert(awserror_of(&reply, "call", &err) != AWSERROR_NONE);
	assert(err.code != 0 && err.text[0] != '\0');
}

static void try_cursor(struct str bytes)
{
	static const struct scan_options options = {.start_ms = 3600000, .poll_ms = 5000};
	struct scans scans;
	struct buf out;
	struct error err;
	enum scan_kind kind;
	int64_t wait_ms;

	scans_init(&scans);
	buf_init(&out, 0);
	if (scans_read(&scans, bytes, &err) == 0 && bytes.len > 0) {
		scans_put(&scans, &out);
		assert(str_equal(buf_str(&out), bytes));
		int64_t now_ms = INT64_C(1795342830000);
		for (int i = 0; i < 8 && scans_choose(&scans, &options, now_ms, &kind, &wait_ms);
		     i++) {
			assert(scans.scan[kind].start_ms <= scans.scan[kind].end_ms);
			scans_page_done(&scans, &options, kind, (struct str){0}, now_ms);
		}
	}
	scans_done(&scans);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = str_make(data, size);

	try_page(bytes);
	try_error(bytes);
	try_cursor(bytes);
	return 0;
}
