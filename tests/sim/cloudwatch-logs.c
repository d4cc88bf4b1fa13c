#include "tests/sim/cloudwatch-state.h"

#include "base/parse.h"
#include "tests/sim/json-text.h"

#define GROUPS_LIMIT  50
#define STREAMS_LIMIT 50
#define GET_LIMIT     10000

struct str input_text(const json_t *input, const char *name)
{
	const json_t *value = json_object_get(input, name);
	return json_is_string(value) ? str_make(json_string_value(value), json_string_length(value))
				     : (struct str){0};
}

int64_t input_int(const json_t *input, const char *name, int64_t fallback)
{
	const json_t *value = json_object_get(input, name);
	return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

static void put_arn(const struct cloudwatch *server, struct buf *out)
{
	buf_putf(out, "arn:aws:logs:%s:%s:log-group:%s", server->options.region,
		 server->options.account, server->options.log_group);
}

bool logs_group_named(struct call *call, const json_t *input)
{
	struct str name = input_text(input, "logGroupName");
	struct str identifier = input_text(input, "logGroupIdentifier");
	if ((name.ptr == NULL) == (identifier.ptr == NULL)) {
		call_refuse(call, 400, "InvalidParameterException",
			    "Exactly one of logGroupName and logGroupIdentifier must be given.");
		return false;
	}
	struct buf arn;
	buf_init(&arn, 0);
	put_arn(call->server, &arn);
	struct str group = str_of(call->server->options.log_group);
	bool known = str_equal(name, group) || str_equal(identifier, group) ||
		     str_equal(identifier, buf_str(&arn));
	buf_done(&arn);
	if (!known || call->settings.hide_group) {
		call_refuse(call, 400, "ResourceNotFoundException",
			    "The specified log group does not exist.");
		return false;
	}
	return true;
}

void logs_put_event(struct call *call, const struct event *event, bool full)
{
	struct buf *out = &call->reply;
	buf_put_byte(out, '{');
	if (full) {
		buf_put_text(out, "\"logStreamName\":");
		json_text_put(out, event->stream);
		buf_put_byte(out, ',');
	}
	buf_putf(out, "\"timestamp\":%lld,\"message\":", (long long)event->time_ms);
	json_text_put(out, event->message);
	buf_putf(out, ",\"ingestionTime\":%lld", (long long)event->ingestion_ms);
	if (full) {
		buf_putf(out, ",\"eventId\":\"%s%.*s\"", call->settings.opaque_ids ? "event-" : "",
			 STR_ARG(event->id));
	}
	buf_put_byte(out, '}');
}

/* The event that a token "f/<event id>/s" names; false when there is none. */
static bool take_edge(const struct cloudwatch *server, struct str token, uint32_t *out_index)
{
	if (token.len < 5 || !str_has_suffix(token, STR_LIT("/s"))) {
		return false;
	}
	struct str id = str_slice(token, 2, token.len - 4);
	for (uint32_t i = 0; i < server->event_count; i++) {
		if (str_equal(server->events[i].id, id)) {
			*out_index = i;
			return true;
		}
	}
	return false;
}

struct window { /* of GetLogEvents: [from, to) of the events, read forwards or backwards */
	struct str stream;
	uint32_t from, to;
	bool forwards;
	int64_t limit;
};

static bool read_window(struct call *call, const json_t *input, struct window *out)
{
	const struct cloudwatch *server = call->server;
	struct str token = input_text(input, "nextToken");
	int64_t end_ms = input_int(input, "endTime", INT64_MAX);
	*out = (struct window){.stream = input_text(input, "logStreamName"),
			       .from = events_from(server, input_int(input, "startTime", 0)),
			       .to = events_from(server, end_ms),
			       .forwards = json_is_true(json_object_get(input, "startFromHead")),
			       .limit = input_int(input, "limit", GET_LIMIT)};
	if (out->limit < 1 || out->limit > GET_LIMIT) {
		call_refuse(call, 400, "InvalidParameterException", "limit must be 1 to 10000");
		return false;
	}
	if (token.ptr == NULL) {
		return true;
	}
	uint32_t edge = 0;
	if (!take_edge(server, token, &edge)) {
		call_refuse(call, 400, "InvalidParameterException",
			    "The specified nextToken is invalid.");
		return false;
	}
	out->forwards = token.ptr[0] == 'f';
	if (out->forwards) {
		out->from = edge + 1;
	} else {
		out->to = edge;
	}
	return true;
}

static bool stream_known(const struct cloudwatch *server, struct str name)
{
	for (uint32_t i = 0; i < server->stream_count; i++) {
		if (str_equal(server->streams[i].name, name)) {
			return true;
		}
	}
	return false;
}

/* Narrows a window that is read backwards to its last `limit` events. */
static void cut_head(const struct call *call, struct window *window)
{
	int64_t left = window->limit;
	uint32_t from = window->to;
	while (from > window->from && left > 0) {
		const struct event *event = &call->server->events[--from];
		left -= str_equal(event->stream, window->stream) && events_visible(call, event);
	}
	window->from = from;
}

void logs_get(struct call *call, const json_t *input)
{
	struct cloudwatch *server = call->server;
	struct window window;
	if (!logs_group_named(call, input) || !read_window(call, input, &window)) {
		return;
	}
	if (!stream_known(server, window.stream)) {
		call_refuse(call, 400, "ResourceNotFoundException",
			    "The specified log stream does not exist.");
		return;
	}
	if (!window.forwards) {
		cut_head(call, &window);
	}
	const struct event *first = NULL, *last = NULL;
	int64_t count = 0;
	buf_put_text(&call->reply, "{\"events\":[");
	for (uint32_t i = window.from; i < window.to && count < window.limit; i++) {
		const struct event *event = &server->events[i];
		if (!str_equal(event->stream, window.stream) || !events_visible(call, event)) {
			continue;
		}
		buf_put_text(&call->reply, count > 0 ? "," : "");
		logs_put_event(call, event, false);
		first = first == NULL ? event : first;
		last = event;
		count++;
	}
	/* at the end the same token comes again, which is how a reader knows */
	struct str again = input_text(input, "nextToken");
	struct str id = again.ptr != NULL ? str_slice(again, 2, again.len - 4)
					  : server->events[window.from < server->event_count
								   ? window.from
								   : server->event_count - 1]
						    .id;
	buf_putf(&call->reply,
		 "],\"nextForwardToken\":\"f/%.*s/s\",\"nextBackwardToken\":\"b/%.*s/s\"}",
		 STR_ARG(last != NULL ? last->id : id), STR_ARG(first != NULL ? first->id : id));
}

void logs_groups(struct call *call, const json_t *input)
{
	const struct cloudwatch *server = call->server;
	struct str group = str_of(server->options.log_group);
	struct str pattern = input_text(input, "logGroupNamePattern");
	int64_t limit = input_int(input, "limit", GROUPS_LIMIT);
	if (limit < 1 || limit > GROUPS_LIMIT) {
		call_refuse(call, 400, "InvalidParameterException", "limit must be 1 to 50");
		return;
	}
	bool shown = !call->settings.hide_group &&
		     str_has_prefix(group, input_text(input, "logGroupNamePrefix")) &&
		     str_find_fold(group, pattern, 0) >= 0;
	buf_put_text(&call->reply, "{\"logGroups\":[");
	if (shown) {
		buf_put_text(&call->reply, "{\"logGroupName\":");
		json_text_put(&call->reply, group);
		buf_put_text(&call->reply, ",\"arn\":\"");
		put_arn(server, &call->reply);
		buf_putf(&call->reply, ":*\",\"creationTime\":%lld,\"metricFilterCount\":0,",
			 server->event_count > 0 ? (long long)server->events[0].time_ms : 0);
		if (call->settings.retention_ms > 0) {
			buf_putf(&call->reply, "\"retentionInDays\":%lld,",
				 (long long)(call->settings.retention_ms / 86400000 + 1));
		}
		buf_put_text(&call->reply, "\"storedBytes\":0,\"logGroupClass\":\"STANDARD\"}");
	}
	buf_put_text(&call->reply, "]}");
}

static void put_stream(const struct call *call, const struct stream *stream, struct buf *out)
{
	const struct cloudwatch *server = call->server;
	const struct event *first = &server->events[stream->first];
	const struct event *last = &server->events[stream->last];
	buf_put_text(out, "{\"logStreamName\":");
	json_text_put(out, stream->name);
	buf_putf(out,
		 ",\"creationTime\":%lld,\"firstEventTimestamp\":%lld,\"lastEventTimestamp\":%lld,"
		 "\"lastIngestionTime\":%lld,\"storedBytes\":0,\"arn\":\"",
		 (long long)first->time_ms, (long long)first->time_ms, (long long)last->time_ms,
		 (long long)last->ingestion_ms);
	put_arn(server, out);
	buf_putf(out, ":log-stream:%.*s\"}", STR_ARG(stream->name));
}

/* Streams by name only; orderBy=LastEventTime is answered in the same order, since its times lag in the service too. */
void logs_streams(struct call *call, const json_t *input)
{
	const struct cloudwatch *server = call->server;
	if (!logs_group_named(call, input)) {
		return;
	}
	struct str prefix = input_text(input, "logStreamNamePrefix");
	struct str token = input_text(input, "nextToken");
	int64_t limit = input_int(input, "limit", STREAMS_LIMIT);
	uint64_t position = 0;
	bool good = limit >= 1 && limit <= STREAMS_LIMIT &&
		    (token.ptr == NULL ||
		     (parse_u64(token, &position) && position < server->stream_count));
	if (!good) {
		call_refuse(call, 400, "InvalidParameterException",
			    "The limit or the nextToken is invalid.");
		return;
	}
	bool descending = json_is_true(json_object_get(input, "descending"));
	int64_t count = 0;
	buf_put_text(&call->reply, "{\"logStreams\":[");
	for (; position < server->stream_count && count < limit; position++) {
		uint64_t index = descending ? server->stream_count - 1 - position : position;
		const struct stream *stream = &server->streams[index];
		if (str_has_prefix(stream->name, prefix) &&
		    events_visible(call, &server->events[stream->first])) {
			buf_put_text(&call->reply, count > 0 ? "," : "");
			put_stream(call, stream, &call->reply);
			count++;
		}
	}
	buf_put_byte(&call->reply, ']');
	if (position < server->stream_count) {
		buf_putf(&call->reply, ",\"nextToken\":\"%llu\"", (unsigned long long)position);
	}
	buf_put_byte(&call->reply, '}');
}
