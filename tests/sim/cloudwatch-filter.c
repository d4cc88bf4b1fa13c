/* FilterLogEvents: a scan over events in order, cut into pages. The token says where to go on; it is signed, bound to the parameters
 * and to the time at which it was given. */
#include "tests/sim/cloudwatch-state.h"

#include "base/digest.h"
#include "base/parse.h"

#define PAGE_EVENTS     10000
#define PAGE_BYTES      (1 << 20)
#define EVENT_OVERHEAD  26
#define PATTERN_MAX     1024
#define STREAM_NAMES    100
#define TOKEN_LIFE_NS   (24 * NS_PER_HOUR)
#define TOKEN_SIGNATURE 16

struct scan {
	int64_t start_ms, end_ms;
	int64_t limit;
	const json_t *names;
	struct str prefix, pattern;
	uint8_t parameters[DIGEST_BYTES]; /* what a token is bound to */
	uint32_t position;                /* of the next event to look at */
	uint64_t page;                    /* ordinal of this page in its scan */
	bool after_empty;
};

static void refuse_parameter(struct call *call, const char *message)
{
	call_refuse(call, 400, "InvalidParameterException", message);
}

static bool read_streams(struct call *call, const json_t *input, struct scan *scan)
{
	scan->names = json_object_get(input, "logStreamNames");
	scan->prefix = input_text(input, "logStreamNamePrefix");
	if (scan->names != NULL && scan->prefix.len > 0) {
		refuse_parameter(call, "logStreamNames and logStreamNamePrefix exclude each other");
		return false;
	}
	if (scan->names != NULL &&
	    (json_array_size(scan->names) == 0 || json_array_size(scan->names) > STREAM_NAMES)) {
		refuse_parameter(call, "logStreamNames must have 1 to 100 members");
		return false;
	}
	return true;
}

static void digest_parameters(const json_t *input, struct scan *scan)
{
	struct buf text;
	buf_init(&text, 0);
	buf_putf(&text, "%lld %lld %.*s %.*s", (long long)scan->start_ms, (long long)scan->end_ms,
		 STR_ARG(scan->prefix), STR_ARG(scan->pattern));
	for (size_t i = 0; i < json_array_size(scan->names); i++) {
		buf_putf(&text, " %s", json_string_value(json_array_get(scan->names, i)));
	}
	struct str group = input_text(input, "logGroupName");
	buf_putf(&text, " %.*s", STR_ARG(group));
	digest_sha256(buf_str(&text), scan->parameters);
	buf_done(&text);
}

static void sign_token(const struct call *call, const struct scan *scan, struct str payload,
		       uint8_t out[DIGEST_BYTES])
{
	struct buf text;
	buf_init(&text, 0);
	buf_put_str(&text, payload);
	buf_put(&text, scan->parameters, sizeof(scan->parameters));
	digest_hmac_sha256(str_make(call->server->token_key, sizeof(call->server->token_key)),
			   buf_str(&text), out);
	buf_done(&text);
}

static void put_token(const struct call *call, const struct scan *scan, struct buf *out)
{
	struct buf payload;
	buf_init(&payload, 0);
	buf_putf(&payload, "%lld %u %llu %d ", (long long)(call->now_ns / NS_PER_MS),
		 scan->position, (unsigned long long)scan->page, scan->after_empty);
	uint8_t signature[DIGEST_BYTES];
	sign_token(call, scan, buf_str(&payload), signature);
	buf_put(&payload, signature, TOKEN_SIGNATURE);
	parse_put_base64url(out, buf_str(&payload));
	buf_done(&payload);
}

static bool read_fields(struct str payload, struct scan *scan, int64_t *out_issued_ms)
{
	uint64_t position = 0, page = 0, after_empty = 0;
	struct str rest = payload;
	bool good = parse_i64(str_split(&rest, ' '), out_issued_ms) &&
		    parse_u64(str_split(&rest, ' '), &position) &&
		    parse_u64(str_split(&rest, ' '), &page) &&
		    parse_u64(str_split(&rest, ' '), &after_empty);
	scan->position = (uint32_t)position;
	scan->page = page;
	scan->after_empty = after_empty != 0;
	return good;
}

static int64_t token_life_ns(const struct call *call)
{
	if (call->settings.token_life_ms > 0) {
		return call->settings.token_life_ms * NS_PER_MS;
	}
	int64_t life = call->server->options.token_life_ns;
	return life > 0 ? life : TOKEN_LIFE_NS;
}

/* Sets where the scan goes on; false, with the refusal written, for a token that is not ours, of other parameters, or too old. */
static bool take_token(struct call *call, struct str token, struct scan *scan)
{
	struct buf bytes;
	buf_init(&bytes, 4096);
	bool good = parse_base64url(token, &bytes) && bytes.len > TOKEN_SIGNATURE;
	int64_t issued_ms = 0;
	if (good) {
		struct str payload = str_slice(buf_str(&bytes), 0, bytes.len - TOKEN_SIGNATURE);
		uint8_t signature[DIGEST_BYTES];
		sign_token(call, scan, payload, signature);
		good = digest_equal(str_make(signature, TOKEN_SIGNATURE),
				    str_slice(buf_str(&bytes), payload.len, TOKEN_SIGNATURE)) &&
		       read_fields(payload, scan, &issued_ms);
	}
	buf_done(&bytes);
	if (!good || call->fault.kind == FAULT_KIND_BAD_TOKEN) {
		refuse_parameter(call, "The specified nextToken is invalid.");
		return false;
	}
	if (issued_ms * NS_PER_MS + token_life_ns(call) < call->now_ns) {
		refuse_parameter(call, "The specified nextToken is expired.");
		return false;
	}
	return true;
}

static bool read_scan(struct call *call, const json_t *input, struct scan *scan)
{
	*scan = (struct scan){.start_ms = input_int(input, "startTime", 0),
			      .end_ms = input_int(input, "endTime", INT64_MAX),
			      .limit = input_int(input, "limit", PAGE_EVENTS),
			      .pattern = input_text(input, "filterPattern")};
	if (scan->limit < 1 || scan->limit > PAGE_EVENTS) {
		refuse_parameter(call, "limit must be between 1 and 10000");
		return false;
	}
	if (scan->start_ms < 0 || scan->end_ms < scan->start_ms) {
		refuse_parameter(call, "endTime must not be less than startTime");
		return false;
	}
	if (scan->pattern.len > PATTERN_MAX) {
		refuse_parameter(call, "filterPattern is longer than 1024");
		return false;
	}
	if (!read_streams(call, input, scan)) {
		return false;
	}
	digest_parameters(input, scan);
	struct str token = input_text(input, "nextToken");
	if (token.ptr != NULL) {
		return take_token(call, token, scan);
	}
	scan->position = events_from(call->server, scan->start_ms);
	return true;
}

static bool in_streams(const struct scan *scan, struct str stream)
{
	if (scan->names == NULL) {
		return str_has_prefix(stream, scan->prefix);
	}
	for (size_t i = 0; i < json_array_size(scan->names); i++) {
		if (str_is(stream, json_string_value(json_array_get(scan->names, i)))) {
			return true;
		}
	}
	return false;
}

/* Every term of the pattern must occur; quotes around a term are taken off. JSON selectors are not known here. */
static bool matches(struct str pattern, struct str message)
{
	struct str rest = pattern;
	while (rest.ptr != NULL && pattern.len > 0) {
		struct str term = str_split(&rest, ' ');
		if (term.len >= 2 && term.ptr[0] == '"' && term.ptr[term.len - 1] == '"') {
			term = str_slice(term, 1, term.len - 2);
		}
		if (str_find(message, term, 0) < 0) {
			return false;
		}
	}
	return true;
}

/* How many events this page may hold: 0 for a page that the service returns empty while it still searches. */
static int64_t page_limit(const struct call *call, const struct scan *scan)
{
	int64_t limit = scan->limit;
	if (call->settings.page_lines > 0 && limit > call->settings.page_lines) {
		limit = call->settings.page_lines;
	}
	if (!call->settings.quirks) {
		return limit;
	}
	if (scan->page % 4 == 1 && !scan->after_empty) {
		return 0;
	}
	return scan->page % 3 == 2 && limit > 2 ? limit / 3 : limit;
}

static bool fits(const struct call *call, const struct scan *scan, const struct event *event)
{
	return events_visible(call, event) && in_streams(scan, event->stream) &&
	       matches(scan->pattern, event->message);
}

static bool at_end(const struct cloudwatch *server, const struct scan *scan, uint32_t position)
{
	return position >= server->event_count || server->events[position].time_ms > scan->end_ms;
}

/* Writes events from scan->position on. Returns whether the scan goes on behind the page. */
static bool put_page(struct call *call, struct scan *scan)
{
	struct cloudwatch *server = call->server;
	int64_t limit = page_limit(call, scan), count = 0;
	size_t bytes = 0;
	uint32_t position = scan->position;
	for (; count < limit && !at_end(server, scan, position); position++) {
		const struct event *event = &server->events[position];
		size_t size = event->message.len + EVENT_OVERHEAD;
		if (!fits(call, scan, event)) {
			continue;
		}
		if (count > 0 && bytes + size > PAGE_BYTES) {
			break;
		}
		buf_put_text(&call->reply, count > 0 ? "," : "");
		logs_put_event(call, event, true);
		bytes += size;
		count++;
	}
	bool more = !at_end(server, scan, position);
	/* the service may give the edge of a page twice */
	bool again = call->settings.duplicate && count > 1 && more;
	scan->position = again ? position - 1 : position;
	scan->after_empty = count == 0;
	scan->page++;
	pthread_mutex_lock(&server->lock);
	server->counts.events += (uint64_t)count;
	pthread_mutex_unlock(&server->lock);
	return more;
}

void logs_filter(struct call *call, const json_t *input)
{
	struct scan scan;
	if (!logs_group_named(call, input) || !read_scan(call, input, &scan)) {
		return;
	}
	buf_put_text(&call->reply, "{\"events\":[");
	bool more = put_page(call, &scan);
	buf_put_text(&call->reply, "],\"searchedLogStreams\":[]");
	if (more) {
		buf_put_text(&call->reply, ",\"nextToken\":\"");
		put_token(call, &scan, &call->reply);
		buf_put_byte(&call->reply, '"');
	}
	buf_put_byte(&call->reply, '}');
}
