/* Text of lines and the queues that put them in order. */
#include "base/clock.h"
#include "tests/bench/world-state.h"

#include <stdlib.h>

void line_number(struct line *line, uint64_t number, size_t digits)
{
	char text[24];
	size_t at = sizeof(text);
	do {
		text[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (sizeof(text) - at < digits) {
		text[--at] = '0';
	}
	line_put(line, text + at, sizeof(text) - at);
}

const struct second_text *second_text(struct second_text *kept, int64_t second)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	if (kept->second != second || kept->iso[0] == '\0') {
		struct civil civil;
		clock_to_civil(second * NS_PER_SEC, &civil);
		kept->second = second;
		(void)snprintf(kept->iso, sizeof(kept->iso), "%04u-%02u-%02uT%02u:%02u:%02u",
			       (unsigned)civil.year % 10000u, (unsigned)civil.month % 100u,
			       (unsigned)civil.day % 100u, (unsigned)civil.hour % 100u,
			       (unsigned)civil.minute % 100u,
			       (unsigned)civil.second % 100u); /* fits */
		(void)snprintf(kept->common, sizeof(kept->common),
			       "%02u/%.3s/%04u:%02u:%02u:%02u +0000", (unsigned)civil.day % 100u,
			       months + 3 * (civil.month - 1), (unsigned)civil.year % 10000u,
			       (unsigned)civil.hour % 100u, (unsigned)civil.minute % 100u,
			       (unsigned)civil.second % 100u); /* fits */
	}
	return kept;
}

struct pending *queue_take(struct queue *queue)
{
	if (queue->unused_count > 0) {
		return queue->unused[--queue->unused_count];
	}
	if (queue->count == queue->capacity) {
		size_t capacity = queue->capacity > 0 ? queue->capacity * 2 : 256;
		struct pending **heap = realloc(queue->heap, capacity * sizeof(heap[0]));
		if (heap == NULL) {
			return NULL;
		}
		queue->heap = heap;
		struct pending **unused = realloc(queue->unused, capacity * sizeof(unused[0]));
		if (unused == NULL) {
			return NULL;
		}
		queue->unused = unused;
		queue->capacity = capacity;
	}
	return calloc(1, sizeof(struct pending));
}

static bool is_earlier(const struct pending *a, const struct pending *b)
{
	return a->at_ticks < b->at_ticks || (a->at_ticks == b->at_ticks && a->number < b->number);
}

void queue_push(struct queue *queue, struct pending *pending)
{
	size_t at = queue->count++;
	assert(queue->count <= queue->capacity);
	pending->number = queue->next_number++;
	while (at > 0 && is_earlier(pending, queue->heap[(at - 1) / 2])) {
		queue->heap[at] = queue->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	queue->heap[at] = pending;
}

struct pending *queue_pop(struct queue *queue)
{
	assert(queue->count > 0);
	struct pending *first = queue->heap[0], *last = queue->heap[--queue->count];
	size_t at = 0, child = 1;
	for (; child < queue->count; child = 2 * at + 1) {
		if (child + 1 < queue->count &&
		    is_earlier(queue->heap[child + 1], queue->heap[child])) {
			child++;
		}
		if (!is_earlier(queue->heap[child], last)) {
			break;
		}
		queue->heap[at] = queue->heap[child];
		at = child;
	}
	queue->heap[at] = last;
	queue->unused[queue->unused_count++] = first;
	return first;
}

void queue_done(struct queue *queue)
{
	while (queue->count > 0) {
		free(queue->heap[--queue->count]);
	}
	while (queue->unused_count > 0) {
		free(queue->unused[--queue->unused_count]);
	}
	free(queue->heap);
	free(queue->unused);
}
