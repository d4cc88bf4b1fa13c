#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/wire.h"
#include "store/block/streams.h"
#include "store/checksum.h"
#include "tests/unit/streams-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HEADER 32
#define NAME   "blocks/test.qtb"

static const uint8_t key[STREAMS_KEY_BYTES] = "thirty-two bytes, to be kept se";
static const uint8_t other_key[STREAMS_KEY_BYTES] = "Thirty-two bytes, to be kept se";

/* Streams of all kinds: small, long and alike, long and random, of one byte. */
#define KINDS 6
static const size_t lengths[KINDS] = {1, 40, 300, 70000, 70000, 200000};

static char *make_bytes(size_t kind)
{
	struct streams_fixture random = {.seed = kind};
	char *bytes = malloc(lengths[kind]);
	assert_non_null(bytes);
	for (size_t i = 0; i < lengths[kind]; i++) {
		bytes[i] = (char)(kind == 4 ? fixture_random(&random) : i / 100 + kind);
	}
	return bytes;
}

/* A block with those streams, twice: as columns 1..6 part 0, and as column 500 parts 3..8. */
static void write_kinds(struct streams_fixture *fixture, const uint8_t *with_key)
{
	for (size_t kind = 0; kind < KINDS; kind++) {
		char *bytes = make_bytes(kind);
		int level = kind == 4 ? -1 : kind == 5 ? 9 : 0;
		streams_put(fixture->writer, 500, (uint8_t)(KINDS - kind + 2),
			    str_make(bytes, lengths[kind]), level);
		streams_put(fixture->writer, (uint16_t)(kind + 1), 0,
			    str_make(bytes, lengths[kind]), level);
		free(bytes);
	}
	streams_put(fixture->writer, 7, 0, (struct str){.ptr = NULL, .len = 0}, 0);
	assert_int_equal(streams_finish(fixture->writer, FIXTURE_NUMBER, with_key, &fixture->block,
					&fixture->err),
			 0);
}

static struct streams_place place_of(const struct streams_fixture *fixture, const uint8_t *with_key)
{
	return (struct streams_place){.fd = -1,
				      .bytes = buf_str(&fixture->block),
				      .name = NAME,
				      .number = FIXTURE_NUMBER,
				      .key = with_key};
}

static void expect(struct streams *streams, uint16_t column, uint8_t part, size_t kind)
{
	struct str got;
	char *bytes = make_bytes(kind);
	assert_int_equal(streams_length(streams, column, part), lengths[kind]);
	assert_int_equal(streams_get(streams, column, part, &got, NULL), 0);
	assert_int_equal(got.len, lengths[kind]);
	assert_memory_equal(got.ptr, bytes, got.len);
	free(bytes);
}

static void expect_kinds(struct streams *streams)
{
	for (size_t kind = 0; kind < KINDS; kind++) {
		expect(streams, 500, (uint8_t)(KINDS - kind + 2), kind);
		expect(streams, (uint16_t)(kind + 1), 0, kind);
	}
	struct str got;
	assert_int_equal(streams_get(streams, 7, 0, &got, NULL), 0);
	assert_int_equal(got.len, 0);
	assert_int_equal(streams_get(streams, 500, 2, &got, NULL), 0);
	assert_int_equal(got.len, 0);
	assert_int_equal(streams_length(streams, 500, 9), 0);
}

static void test_memory(void **state)
{
	/* Proves: streams come back from memory in any order, after drop and forget too, encrypted or not; one not written is empty. */
	(void)state;
	for (int sealed = 0; sealed < 2; sealed++) {
		struct streams_fixture fixture;
		fixture_begin(&fixture);
		write_kinds(&fixture, sealed != 0 ? key : NULL);
		struct streams_place place = place_of(&fixture, sealed != 0 ? key : NULL);
		assert_int_equal(streams_open(&place, &fixture.streams, &fixture.err), 0);
		expect_kinds(fixture.streams);
		streams_drop(fixture.streams, 500);
		streams_forget(fixture.streams, 1, 0);
		streams_forget(fixture.streams, 9, 0);
		expect_kinds(fixture.streams);
		fixture_end(&fixture);
	}
}

static void test_file(void **state)
{
	/* Proves: the same from a file, after a rest too; a file that is cut after it was opened is damage, one that can't be read ERR_IO. */
	(void)state;
	char path[] = "/tmp/streams-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	for (int sealed = 0; sealed < 2; sealed++) {
		struct streams_fixture fixture;
		fixture_begin(&fixture);
		write_kinds(&fixture, sealed != 0 ? key : NULL);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, fixture.block.ptr, fixture.block.len, 0),
				 fixture.block.len);
		struct streams_place place = place_of(&fixture, sealed != 0 ? key : NULL);
		place.fd = fd;
		place.bytes = (struct str){.ptr = NULL, .len = 0};
		assert_int_equal(streams_open(&place, &fixture.streams, &fixture.err), 0);
		expect_kinds(fixture.streams);
		streams_rest(fixture.streams);
		streams_rest(fixture.streams);
		for (uint16_t column = 1; column <= KINDS; column++) {
			streams_drop(fixture.streams, column);
		}
		expect_kinds(fixture.streams);
		streams_drop(fixture.streams, 5);
		assert_int_equal(ftruncate(fd, 3000), 0);
		struct str got;
		assert_int_equal(streams_get(fixture.streams, 5, 0, &got, &fixture.err),
				 -ERR_CORRUPT);
		fixture_end(&fixture);
	}
	int write_only = open(path, O_WRONLY);
	struct streams_place place = {.fd = write_only, .name = path, .number = FIXTURE_NUMBER};
	struct streams *streams = NULL;
	struct error err;
	assert_int_equal(streams_open(&place, &streams, &err), -ERR_IO);
	assert_non_null(strstr(err.text, path));
	(void)close(write_only);
	(void)close(fd);
	(void)unlink(path);
}

/* Opens and reads all; the first error, or 0 and all was as written. */
static int read_kinds(const struct streams_place *place, struct error *err)
{
	struct streams *streams = NULL;
	int result = streams_open(place, &streams, err);
	for (size_t kind = 0; result == 0 && kind < KINDS; kind++) {
		struct str got;
		result = streams_get(streams, (uint16_t)(kind + 1), 0, &got, err);
		if (result == 0) {
			result = streams_get(streams, 500, (uint8_t)(KINDS - kind + 2), &got, err);
		}
	}
	streams_close(result == 0 || streams != NULL ? streams : NULL);
	return result;
}

static void test_damage(void **state)
{
	/* Proves: each changed byte and each cut is found and told with the file's name, encrypted or not; so is the wrong number. */
	(void)state;
	for (int sealed = 0; sealed < 2; sealed++) {
		struct streams_fixture fixture;
		fixture_begin(&fixture);
		write_kinds(&fixture, sealed != 0 ? key : NULL);
		struct streams_place place = place_of(&fixture, sealed != 0 ? key : NULL);
		size_t len = fixture.block.len;
		for (size_t at = 0; at < len; at += at < 1200 ? 1 : 4999) {
			fixture.block.ptr[at] ^= 0x10;
			int result = read_kinds(&place, &fixture.err);
			bool is_key_id = sealed != 0 && at >= HEADER && at < HEADER + 8;
			assert_int_equal(result, is_key_id ? -ERR_CONFIG : -ERR_CORRUPT);
			assert_non_null(strstr(fixture.err.text, NAME));
			fixture.block.ptr[at] ^= 0x10;
		}
		for (size_t cut = 0; cut < len; cut += cut < 600 ? 1 : 4999) {
			place.bytes.len = cut;
			assert_int_equal(read_kinds(&place, &fixture.err), -ERR_CORRUPT);
		}
		place.bytes.len = len;
		assert_int_equal(read_kinds(&place, &fixture.err), 0);
		place.number++;
		assert_int_equal(read_kinds(&place, &fixture.err), -ERR_CORRUPT);
		assert_non_null(strstr(fixture.err.text, "it holds block 77, not 78"));
		fixture_end(&fixture);
	}
}

static void test_keys(void **state)
{
	/* Proves: without the key or with another one an encrypted block is ERR_CONFIG; nothing of the content shows; two writings differ. */
	(void)state;
	struct streams_fixture fixture;
	fixture_begin(&fixture);
	static const char content[] = "the content that must not show";
	struct buf first;
	buf_init(&first, 0);
	for (int round = 0; round < 2; round++) {
		streams_put(fixture.writer, 1, 0, str_of(content), 0);
		assert_int_equal(streams_finish(fixture.writer, FIXTURE_NUMBER, key, &fixture.block,
						&fixture.err),
				 0);
		assert_null(memmem(fixture.block.ptr, fixture.block.len, content, 8));
		if (round == 0) {
			buf_put_str(&first, buf_str(&fixture.block));
		}
	}
	assert_false(str_equal(buf_str(&first), buf_str(&fixture.block)));
	struct streams_place place = place_of(&fixture, NULL);
	assert_int_equal(read_kinds(&place, &fixture.err), -ERR_CONFIG);
	assert_string_equal(fixture.err.text, NAME " is encrypted and no key is given");
	place.key = other_key;
	assert_int_equal(read_kinds(&place, &fixture.err), -ERR_CONFIG);
	assert_string_equal(fixture.err.text, NAME " is encrypted with another key");
	place.key = key;
	assert_int_equal(read_kinds(&place, &fixture.err), 0);
	buf_done(&first);
	fixture_end(&fixture);
}

static void test_small(void **state)
{
	/* Proves: a small stream takes its bytes and two or three more; a stream of equal bytes next to nothing; sizes are told. */
	(void)state;
	struct streams_fixture fixture;
	static char zeros[100000];
	fixture_begin(&fixture);
	for (uint8_t part = 0; part < 200; part++) {
		streams_put(fixture.writer, 300, part, STR_LIT("abcd"), 0);
	}
	streams_put(fixture.writer, 301, 0, str_make(zeros, sizeof(zeros)), 0);
	assert_true(streams_cost(fixture.writer, str_make(zeros, sizeof(zeros)), 0) < 40);
	assert_true(streams_cost(fixture.writer, (struct str){.ptr = NULL, .len = 0}, 0) == 0);
	assert_true(fixture_open(&fixture) < HEADER + 4 + 200 * 6 + 40);
	uint64_t stored = 0, unpacked = 0;
	streams_size(fixture.streams, 300, &stored, &unpacked);
	assert_int_equal(unpacked, 800);
	assert_in_range(stored, 1200, 1204);
	streams_size(fixture.streams, 301, &stored, &unpacked);
	assert_int_equal(unpacked, sizeof(zeros));
	streams_size(fixture.streams, 302, &stored, &unpacked);
	assert_int_equal(stored + unpacked, 0);
	fixture_end(&fixture);
}

static void test_limits(void **state)
{
	/* Proves: too many streams are ERR_LIMIT, told by finish, and the writer works again afterwards. */
	(void)state;
	struct streams_fixture fixture;
	fixture_begin(&fixture);
	for (uint32_t i = 0; i <= STREAMS_MAX; i++) {
		streams_put(fixture.writer, (uint16_t)(i >> 8), (uint8_t)i, STR_LIT("x"), 0);
		if (i == STREAMS_MAX) { /* its name is taken, but it is refused before */
			continue;
		}
	}
	assert_int_equal(
		streams_finish(fixture.writer, FIXTURE_NUMBER, NULL, &fixture.block, &fixture.err),
		-ERR_LIMIT);
	assert_int_equal(fixture.block.len, 0);
	write_kinds(&fixture, NULL);
	struct streams_place place = place_of(&fixture, NULL);
	assert_int_equal(read_kinds(&place, &fixture.err), 0);
	fixture_end(&fixture);
}

/* A block of one directory, with right checksums. */
static void forge(struct streams_fixture *fixture, struct str directory, struct str streams)
{
	struct buf *out = &fixture->block;
	buf_clear(out);
	buf_put_text(out, "QTB1");
	wire_put_u8(out, 1);
	buf_put_fill(out, 0, 3);
	wire_put_u64(out, FIXTURE_NUMBER);
	wire_put_u32(out, (uint32_t)directory.len);
	wire_put_u32(out, checksum_crc32c(directory));
	wire_put_u32(out, 0);
	wire_put_u32(out, checksum_crc32c(buf_str(out)));
	buf_put_str(out, directory);
	buf_put_str(out, streams);
}

static void test_forged(void **state)
{
	/* Proves: directories with right checksums that say what can't be are damage: lengths, counts, names, unpacked sizes. */
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
		int result;
	} cases[] = {
		{"", 0, -ERR_CORRUPT},
		{"\0", 1, 0},
		{"\0\0", 2, -ERR_CORRUPT},                 /* more than it says */
		{"\1", 1, -ERR_CORRUPT},                   /* less */
		{"\xff\xff\xff\xff\x0f", 5, -ERR_CORRUPT}, /* a count that can't be */
		{"\1\2\1a", 4, 0},                         /* one in the directory */
		{"\1\2\0", 3, -ERR_CORRUPT},               /* an empty one */
		{"\1\2\xff\xff\xff\x7f", 6, -ERR_CORRUPT}, /* longer than the directory */
		{"\1\0\4\0\0\0\0", 7, -ERR_CORRUPT},       /* longer than the file */
		{"\1\0\xff\xff\xff\xff\xff\1\0\0\0\0", 12, -ERR_CORRUPT},
		{"\2\xfe\xff\xff\x1f\1a\2\1a", 9, -ERR_CORRUPT},  /* a name past the last */
		{"\1\xfe\xff\xff\x1f\1a", 7, 0},                  /* the last */
		{"\1\3\4\xff\xff\xff\x7f zst", 11, -ERR_CORRUPT}, /* 256 MiB and more */
		{"\1\3\4\xff\xff\xff\x7f zst", 10, -ERR_CORRUPT},
	};
	struct streams_fixture fixture;
	fixture_begin(&fixture);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		forge(&fixture, str_make(cases[i].bytes, cases[i].len), STR_LIT(""));
		struct streams_place place = place_of(&fixture, NULL);
		struct streams *streams = NULL;
		assert_int_equal(streams_open(&place, &streams, &fixture.err), cases[i].result);
		streams_close(streams);
	}
	/* as zstd, but no frame; then a frame that gives less than it should */
	forge(&fixture, STR_LIT("\1\3\4\100 zst"), STR_LIT(""));
	struct streams_place place = place_of(&fixture, NULL);
	struct str got;
	assert_int_equal(streams_open(&place, &fixture.streams, &fixture.err), 0);
	assert_int_equal(streams_get(fixture.streams, 0, 0, &got, &fixture.err), -ERR_CORRUPT);
	assert_string_equal(fixture.err.text, NAME ": column 0 is damaged: it can't be unpacked");
	fixture_end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory), cmocka_unit_test(test_file),
		cmocka_unit_test(test_damage), cmocka_unit_test(test_keys),
		cmocka_unit_test(test_small),  cmocka_unit_test(test_limits),
		cmocka_unit_test(test_forged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
