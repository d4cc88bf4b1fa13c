#include "tests/sim/cloudwatch-state.h"

#include <stdlib.h>

/* What CloudWatch Logs writes itself when a delivery is set up; collectors must not take it for an access log line. */
#define NOISE_STREAM "log_stream_created_by_aws_to_validate_log_delivery_subscriptions"
#define NOISE_LINE                                                                            \
	"Permissions are set correctly to allow AWS CloudWatch Logs to write into your logs " \
	"while "                                                                              \
	"creating a subscription."

static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	if (x->time_ms != y->time_ms) {
		return x->time_ms < y->time_ms ? -1 : 1;
	}
	if (x->ingestion_ms != y->ingestion_ms) {
		return x->ingestion_ms < y->ingestion_ms ? -1 : 1;
	}
	return str_compare(x->id, y->id);
}

static int compare_streams(const void *a, const void *b)
{
	const struct stream *x = a, *y = b;
	return str_compare(x->name, y->name);
}

/* events are sorted by stream name in a copy, so that each stream is a run */
static int compare_by_stream(const void *a, const void *b)
{
	const struct event *const *x = a, *const *y = b;
	int by_stream = str_compare((*x)->stream, (*y)->stream);
	return by_stream != 0 ? by_stream : (*x > *y) - (*x < *y);
}

static bool load_streams(struct cloudwatch *server)
{
	uint32_t count = server->event_count;
	const struct event **order = calloc(count + 1, sizeof(order[0]));
	server->streams = calloc(count + 1, sizeof(server->streams[0]));
	if (order == NULL || server->streams == NULL) {
		free(order);
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		order[i] = &server->events[i];
	}
	qsort(order, count, sizeof(order[0]), compare_by_stream);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = (uint32_t)(order[i] - server->events);
		struct stream *stream = &server->streams[server->stream_count];
		if (i == 0 || !str_equal(order[i]->stream, order[i - 1]->stream)) {
			server->stream_count++;
			*stream = (struct stream){.name = order[i]->stream, .first = index};
		} else {
			stream--;
		}
		stream->last = index;
		stream->bytes += (int64_t)order[i]->message.len + 26;
	}
	free(order);
	qsort(server->streams, server->stream_count, sizeof(server->streams[0]), compare_streams);
	return true;
}

bool events_load(struct cloudwatch *server)
{
	uint32_t count = 0;
	const struct world_request *requests = world_requests(server->options.world, &count);
	server->events = calloc((size_t)count + 1, sizeof(server->events[0]));
	if (server->events == NULL) {
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct world_request *request = &requests[i];
		if (request->visible_ns == INT64_MAX) {
			continue;
		}
		server->events[server->event_count++] =
			(struct event){.time_ms = request->time_ns / NS_PER_MS,
				       .ingestion_ms = request->ingestion_ns / NS_PER_MS,
				       .visible_ns = request->visible_ns,
				       .message = request->line,
				       .stream = request->stream,
				       .id = request->event_id};
	}
	if (count > 0) {
		/* like the other events' ids, but of a batch of its own */
		server->events[server->event_count++] = (struct event){
			.time_ms = requests[0].time_ns / NS_PER_MS,
			.ingestion_ms = requests[0].time_ns / NS_PER_MS,
			.message = STR_LIT(NOISE_LINE),
			.stream = STR_LIT(NOISE_STREAM),
			.id = STR_LIT("39000000000000000000000000000000000000000000000000000000")};
	}
	qsort(server->events, server->event_count, sizeof(server->events[0]), compare_events);
	return load_streams(server);
}

uint32_t events_from(const struct cloudwatch *server, int64_t time_ms)
{
	uint32_t low = 0, high = server->event_count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (server->events[middle].time_ms < time_ms) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

bool events_visible(const struct call *call, const struct event *event)
{
	const struct settings *settings = &call->settings;
	int64_t now_ns = call->now_ns - settings->skew_ms * NS_PER_MS;
	if (settings->freeze && settings->frozen_ns < now_ns) {
		now_ns = settings->frozen_ns;
	}
	if (settings->retention_ms > 0 &&
	    event->time_ms < now_ns / NS_PER_MS - settings->retention_ms) {
		return false;
	}
	return event->visible_ns <= now_ns;
}
