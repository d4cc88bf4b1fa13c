/* Every source keeps the promises of collector/source.h: one set of checks, run over all of them against the simulators. */
#include "collector/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/io.h"
#include "model/feed.h"
#include "model/options.h"
#include "tests/sim/scene.h"

#define FETCHES_MAX 20000

static const char *const subjects[] = {"gateway", "database", "log", "rows", "torn"};
#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

struct stage {
	char dir[64];
	struct scene scene;
	struct config *config;
};

static struct stage stage;

static void write_file(const char *name, struct str bytes)
{
	struct buf path;
	struct error err;

	buf_init(&path, 0);
	buf_putf(&path, "%s/%s", stage.dir, name);
	assert_int_equal(io_replace_file(path.ptr, bytes, 0600, &err), 0);
	buf_done(&path);
}

/* Sources that read the scene's files, behind those of the scene; and a file of damaged lines. */
static void add_file_sources(void)
{
	struct buf yaml;
	struct buf path;
	struct buf torn;
	struct error err;

	buf_init(&yaml, 0);
	buf_init(&path, 0);
	buf_init(&torn, 0);
	buf_putf(&path, "%s/querytrail.yaml", stage.dir);
	assert_int_equal(io_read_file(path.ptr, 1u << 20, &yaml, &err), 0);
	buf_putf(&yaml,
		 "  log: {type: file, content: access-log, files: [%s/access.log]}\n"
		 "  rows: {type: file, content: audit-rows, files: [%s/audit.jsonl]}\n"
		 "  torn: {type: file, content: access-log, files: [%s/torn.log, %s/access.log]}\n",
		 stage.dir, stage.dir, stage.dir, stage.dir);
	write_file("all.yaml", buf_str(&yaml));
	buf_put_text(&torn, "no line at all\n{\"requestId\": "
			    "\n\n{\"requestId\":\"a\"}\n{\"requestId\":\"a\"}\n");
	buf_put_byte(&torn, 0);
	buf_put_text(&torn, "\xff\xfe\r\n");
	buf_put_fill(&torn, 'x', (1u << 20) + 5);
	buf_put_text(&torn, "\nthe last line does not end");
	write_file("torn.log", buf_str(&torn));
	buf_clear(&path);
	buf_putf(&path, "%s/all.yaml", stage.dir);
	int rc = config_load(options_schema(), path.ptr, &stage.config, NULL, &err);
	if (rc != 0) {
		fail_msg("%s", err.text);
	}
	buf_done(&yaml);
	buf_done(&path);
	buf_done(&torn);
}

static int set_up(void **state)
{
	struct error err;
	struct scene_options options = {0};

	(void)state;
	memcpy(stage.dir, "/tmp/contract.XXXXXX", sizeof("/tmp/contract.XXXXXX"));
	assert_non_null(mkdtemp(stage.dir));
	options.world = world_defaults(7, 2500, clock_now_ns());
	options.cloudwatch = cloudwatch_defaults(NULL);
	options.sql = tds_server_defaults(NULL);
	options.dir = stage.dir;
	if (scene_open(&options, &stage.scene, &err) != 0) {
		fail_msg("%s", err.text);
	}
	add_file_sources();
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"truth.jsonl",   "access.log",      "audit.jsonl",
					    "identity.yaml", "signing.key",     "password",
					    "ca.pem",        "aws-credentials", "querytrail.yaml",
					    "all.yaml",      "torn.log",        "story.txt"};
	(void)state;
	config_free(stage.config);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf path;
		buf_init(&path, 0);
		buf_putf(&path, "%s/%s", stage.dir, names[i]);
		(void)unlink(path.ptr); /* what is not there need not be removed */
		buf_done(&path);
	}
	(void)rmdir(stage.dir); /* a leftover in /tmp fails no test */
	return 0;
}

/* A source and what a runner has of it. */
struct run {
	const char *name;
	const struct source_type *type;
	struct source *source;
	struct arena arena;
	struct buf cursor, next, section;
	struct source_batch batch;
};

static void run_open(struct run *run, const char *name)
{
	struct error err;

	*run = (struct run){.name = name};
	arena_init(&run->arena, 96u << 20);
	buf_init(&run->cursor, FEED_CURSOR_MAX);
	buf_init(&run->next, FEED_CURSOR_MAX);
	buf_init(&run->section, 0);
	buf_putf(&run->section, "sources.%s", name);
	run->type = source_type_by_name(config_text(stage.config, run->section.ptr, "type"));
	assert_non_null(run->type);
	struct source_open how = {.name = name,
				  .section = run->section.ptr,
				  .config = stage.config,
				  .clock = clock_system(),
				  .finite = true};
	if (run->type->open(&how, &run->source, &err) != 0) {
		fail_msg("%s", err.text);
	}
}

static void run_close(struct run *run)
{
	run->type->close(run->source);
	arena_done(&run->arena);
	buf_done(&run->cursor);
	buf_done(&run->next);
	buf_done(&run->section);
}

/* One fetch from cursor; the batch is checked against what every batch must be. */
static int run_fetch(struct run *run, struct str cursor, struct error *err)
{
	struct source_request request = {.cursor = cursor,
					 .deadline_ns = clock_monotonic_ns() + 30 * NS_PER_SEC};

	arena_clear(&run->arena);
	buf_clear(&run->next);
	run->batch = (struct source_batch){
		.arena = &run->arena, .cursor = &run->next, .watermark_ns = FEED_WATERMARK_NONE};
	error_clear(err);
	int rc = run->type->fetch(run->source, &request, &run->batch, err);
	if (rc != 0) {
		assert_int_equal(err->code, -rc);
		assert_true(err->text[0] != '\0');
		return rc;
	}
	assert_true(run->batch.record_count <= FEED_BATCH_RECORDS);
	assert_false(run->next.failed);
	assert_true(run->next.len <= FEED_CURSOR_MAX);
	return 0;
}

/* Adds the batch's keys with a digest of their records. A key that is there already must have the same record. */
static void note_batch(const struct run *run, struct strmap *keys, size_t *out_fresh)
{
	unsigned kinds = run->type->kinds | 1u << RECORD_GAP | 1u << RECORD_REJECT;
	struct hash_key hash = {1, 2};
	struct buf bytes;
	struct error err;

	*out_fresh = 0;
	buf_init(&bytes, 0);
	for (size_t i = 0; i < run->batch.record_count; i++) {
		const struct record *record = &run->batch.records[i];
		assert_true(str_is(record->source, run->name));
		assert_true((kinds >> record->kind & 1) != 0);
		buf_clear(&bytes);
		if (record_encode(record, &bytes, &err) != 0) {
			fail_msg("%s: %s", run->name, err.text);
		}
		uint64_t digest = hash_bytes(&hash, buf_str(&bytes));
		const uint64_t *before = strmap_get(keys, record->key);
		if (before != NULL) {
			assert_true(*before == digest);
			continue;
		}
		assert_int_equal(strmap_put(keys, record->key, digest), 0);
		(*out_fresh)++;
	}
	buf_done(&bytes);
}

static void commit(struct run *run)
{
	buf_clear(&run->cursor);
	buf_put_str(&run->cursor, buf_str(&run->next));
}

/* Fetches until the source is caught up. restart: closed and opened again, and each batch fetched twice, after every batch. */
static void collect(const char *name, bool restart, struct strmap *keys)
{
	struct run run;
	struct buf committed;
	struct error err;
	size_t fresh;

	run_open(&run, name);
	buf_init(&committed, 0);
	for (int i = 0; i < FETCHES_MAX; i++) {
		if (run_fetch(&run, buf_str(&committed), &err) != 0) {
			fail_msg("%s: %s", name, err.text);
		}
		note_batch(&run, keys, &fresh);
		bool end = run.batch.done || !run.batch.more;
		if (restart && i % 3 != 2) { /* not committed: the next process gets it again */
			run_close(&run);
			run_open(&run, name);
			continue;
		}
		buf_clear(&committed);
		buf_put_str(&committed, buf_str(&run.next));
		if (end) {
			run_close(&run);
			buf_done(&committed);
			return;
		}
	}
	fail_msg("%s does not come to an end", name);
}

/* Whether both have the same keys and records; says how many there are. */
static size_t expect_same(const char *name, const struct strmap *a, const struct strmap *b)
{
	size_t cursor = 0;
	struct str key;
	uint64_t digest;

	while (strmap_next(a, &cursor, &key, &digest)) {
		const uint64_t *other = strmap_get(b, key);
		if (other == NULL || *other != digest) {
			fail_msg("%s: a record is %s the second time", name,
				 other == NULL ? "missing" : "different");
		}
	}
	assert_int_equal(a->entry_count, b->entry_count);
	return a->entry_count;
}

/* Replay: two runs, and one that is killed and fetches twice all the time, give the same records under the same keys. */
static void test_replay(void **state)
{
	(void)state;
	for (size_t i = 0; i < SUBJECTS; i++) {
		struct strmap first;
		struct strmap again;
		struct strmap killed;
		strmap_init(&first, 1u << 20);
		strmap_init(&again, 1u << 20);
		strmap_init(&killed, 1u << 20);
		collect(subjects[i], false, &first);
		collect(subjects[i], false, &again);
		collect(subjects[i], true, &killed);
		assert_true(expect_same(subjects[i], &first, &again) > 100);
		(void)expect_same(subjects[i], &first, &killed); /* the count is checked above */
		strmap_done(&first);
		strmap_done(&again);
		strmap_done(&killed);
	}
}

/* A damaged line becomes a reject with its place, and what stands behind it is still read. */
static void test_damaged(void **state)
{
	(void)state;
	struct run run;
	struct error err;
	size_t rejects = 0;
	size_t requests = 0;
	size_t longest = 0;
	bool more = true;

	run_open(&run, "torn");
	while (more) {
		assert_int_equal(run_fetch(&run, buf_str(&run.cursor), &err), 0);
		for (size_t i = 0; i < run.batch.record_count; i++) {
			const struct record *record = &run.batch.records[i];
			requests += record->kind == RECORD_REQUEST;
			if (record->kind != RECORD_REJECT || record_has(record, FIELD_skipped)) {
				continue;
			}
			rejects++;
			assert_true(str_find(record_text(record, FIELD_reason), STR_LIT("torn.log"),
					     0) >= 0);
			size_t len = record_text(record, FIELD_raw).len;
			longest = len > longest ? len : longest;
		}
		more = run.batch.more;
		commit(&run);
	}
	assert_int_equal(longest, 1u << 20); /* of a line that is longer, in parts */
	assert_true(rejects >= 4);
	assert_true(requests > 2000);
	run_close(&run);
}

/* A cursor that is not ours is refused with a sentence, and the source can be asked again. */
static void test_bad_cursor(void **state)
{
	(void)state;
	static const char *const cursors[] = {"x", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
					      "{\"v\":99}", "\x01\x7f\x7f\x7f\x7f"};

	for (size_t i = 0; i < SUBJECTS; i++) {
		struct run run;
		struct error err;
		run_open(&run, subjects[i]);
		for (size_t k = 0; k < sizeof(cursors) / sizeof(cursors[0]); k++) {
			if (run_fetch(&run, str_of(cursors[k]), &err) == 0) {
				fail_msg("%s took cursor %zu", subjects[i], k);
			}
		}
		assert_int_equal(run_fetch(&run, (struct str){0}, &err), 0);
		run_close(&run);
	}
}

/* Closing is fine in every state: never asked, in the middle, after an error. */
static void test_close(void **state)
{
	(void)state;
	for (size_t i = 0; i < SUBJECTS; i++) {
		struct run run;
		struct error err;
		run_open(&run, subjects[i]);
		run_close(&run);
		run_open(&run, subjects[i]);
		assert_int_equal(run_fetch(&run, (struct str){0}, &err), 0);
		run_close(&run);
		run_open(&run, subjects[i]);
		assert_int_not_equal(run_fetch(&run, STR_LIT("x"), &err), 0);
		run_close(&run);
	}
}

/* When the other side is gone, fetch fails, again and again, without harm; this test comes last. */
static void test_gone(void **state)
{
	(void)state;
	scene_close(&stage.scene);
	write_file("access.log", (struct str){0});
	for (size_t i = 0; i < 2; i++) { /* files do not go away by themselves */
		struct run run;
		struct error err;
		run_open(&run, subjects[i]);
		for (int k = 0; k < 3; k++) {
			int rc = run_fetch(&run, (struct str){0}, &err);
			assert_int_equal(rc, -ERR_AGAIN);
		}
		run_close(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay),     cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_bad_cursor), cmocka_unit_test(test_close),
		cmocka_unit_test(test_gone),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
