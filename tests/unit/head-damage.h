/* head-damage - finds parts of a committed batch in its segment and damages them behind the store's back. */
#ifndef TESTS_UNIT_HEAD_DAMAGE_H
#define TESTS_UNIT_HEAD_DAMAGE_H

#include "store/extent.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum head_part { HEAD_CHUNK, HEAD_INDEX, HEAD_COLUMNS, HEAD_IDS };

/* Where a part of the batch that holds a leaf stands; of the chunks the one that holds it. */
static inline struct segment_span head_part_span(const char *dir, uint64_t leaf,
						 enum head_part part)
{
	struct catalog *catalog = NULL;
	struct segments segments;
	struct extent_reader reader;
	const struct head_batch *batch = NULL;
	struct str encoded;
	struct error err;
	struct segment_span span = {0};
	int rc = catalog_open(dir, CATALOG_READ, &catalog, &err);
	assert(rc == 0);
	segments_init(&segments, dir);
	extent_reader_init(&reader, catalog, &segments);
	rc = extent_reader_get(&reader, leaf, &encoded, &batch, &err);
	assert(rc == 0);
	(void)rc; /* asserted */
	switch (part) {
	case HEAD_CHUNK:
		span = reader.place.span;
		break;
	case HEAD_INDEX:
		span = extent_columns(batch);
		span.len = (size_t)batch->extent.chunk_count * EXTENT_INDEX_ENTRY;
		span.offset -= span.len;
		break;
	case HEAD_COLUMNS:
		span = extent_columns(batch);
		break;
	case HEAD_IDS:
		span = extent_ids(batch);
		break;
	}
	extent_reader_done(&reader);
	segments_done(&segments);
	catalog_close(catalog);
	return span;
}

static inline void head_segment_path(const char *dir, uint32_t number, char out[128])
{
	char name[SEGMENT_NAME_BYTES];
	segment_name(number, name);
	int len = snprintf(out, 128, "%s/%s", dir, name);
	assert(len > 0 && len < 128);
	(void)len; /* asserted */
}

/* Turns every bit of a span. */
static inline void head_flip(const char *dir, struct segment_span span)
{
	char path[128];
	head_segment_path(dir, span.number, path);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert(fd >= 0);
	for (size_t i = 0; i < span.len; i++) {
		uint8_t byte = 0;
		ssize_t rc = pread(fd, &byte, 1, (off_t)(span.offset + i));
		assert(rc == 1);
		byte = (uint8_t)~byte;
		rc = pwrite(fd, &byte, 1, (off_t)(span.offset + i));
		assert(rc == 1);
		(void)rc; /* asserted */
	}
	(void)close(fd); /* a test's file */
}

static inline void head_damage(const char *dir, uint64_t leaf, enum head_part part)
{
	head_flip(dir, head_part_span(dir, leaf, part));
}

#endif
