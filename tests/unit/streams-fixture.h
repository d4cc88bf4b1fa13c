/* streams-fixture - a block of streams in memory: written by a test, opened, thrown away.
 *
 * Shape:   begin, put what you like into fixture.writer, open, get from fixture.streams, end.
 * Threads: one. Blocking: never. Tests: those that include it.
 */
#ifndef TESTS_UNIT_STREAMS_FIXTURE_H
#define TESTS_UNIT_STREAMS_FIXTURE_H

#include "store/block/streams.h"

#define FIXTURE_NUMBER 77

struct streams_fixture {
	struct streams_writer *writer;
	struct buf block;
	struct streams *streams;
	struct error err;
	uint64_t seed;
};

static inline void fixture_begin(struct streams_fixture *fixture)
{
	*fixture = (struct streams_fixture){.writer = streams_writer_new(), .seed = 1};
	assert_non_null(fixture->writer);
	buf_init(&fixture->block, 0);
}

/* Opens what was written; the size of the block. */
static inline size_t fixture_open(struct streams_fixture *fixture)
{
	assert_int_equal(streams_finish(fixture->writer, FIXTURE_NUMBER, NULL, &fixture->block,
					&fixture->err),
			 0);
	struct streams_place place = {.fd = -1,
				      .bytes = buf_str(&fixture->block),
				      .name = "blocks/test.qtb",
				      .number = FIXTURE_NUMBER};
	assert_int_equal(streams_open(&place, &fixture->streams, &fixture->err), 0);
	return fixture->block.len;
}

static inline void fixture_end(struct streams_fixture *fixture)
{
	streams_close(fixture->streams);
	streams_writer_free(fixture->writer);
	buf_done(&fixture->block);
}

/* A number that looks random, the same in each run. */
static inline uint64_t fixture_random(struct streams_fixture *fixture)
{
	uint64_t value = fixture->seed += 0x9e3779b97f4a7c15u;
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
	value = (value ^ value >> 27) * 0x94d049bb133111ebu;
	return value ^ value >> 31;
}

#endif
