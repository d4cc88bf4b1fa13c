#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "correlator/signing.h"
#include "store/log/checkpoints.h"
#include "tests/unit/store-filled.h"

#include <string.h>
#include <unistd.h>

#define INTERVAL_NS (5 * NS_PER_SEC)

static int open_signing(struct filled *filled, struct signing **out)
{
	const struct signing_options options = {.store = filled->store,
						.store_dir = filled->fixture.dir,
						.interval_ns = INTERVAL_NS};
	return signing_open(&options, out, &filled->err);
}

static void start(struct filled *filled, struct signing **out)
{
	memset(filled, 0, sizeof *filled);
	fixture_init(&filled->fixture);
	filled_open(filled, STORE_CREATE);
	assert_int_equal(open_signing(filled, out), 0);
}

static void again(struct filled *filled)
{
	store_close(filled->store);
	filled_open(filled, STORE_WRITE);
}

static void what_is_committed_is_signed_in_time(void **state)
{
	/* a checkpoint is due one interval after the first commit that none covers; then nothing is, until the next */
	struct filled filled;
	struct signing *signing = NULL;
	struct checkpoint last;
	struct buf note;
	static struct note parsed;
	struct note_checkpoint checkpoint;
	(void)state;
	start(&filled, &signing);
	buf_init(&note, NOTE_MAX_BYTES);
	assert_true(signing_due_ns(signing) == INT64_MAX);
	filled_add(&filled, 0, 300);
	signing_committed(signing, 1000);
	assert_true(signing_due_ns(signing) == 1000 + INTERVAL_NS);
	filled_add(&filled, 300, 10);
	signing_committed(signing, 2000);
	assert_true(signing_due_ns(signing) == 1000 + INTERVAL_NS);
	assert_int_equal(signing_run(signing, &filled.err), 0);
	assert_true(signing_due_ns(signing) == INT64_MAX);
	assert_int_equal(checkpoints_last(filled.store, &last, &note, &filled.err), 0);
	assert_int_equal(last.size, 310);
	assert_int_equal(note_parse(last.note, &parsed, &filled.err), 0);
	assert_int_equal(note_checkpoint_parse(parsed.text, &checkpoint, &filled.err), 0);
	assert_true(checkpoint.head.size == 310 &&
		    str_is(checkpoint.origin, signing_origin(signing)));
	signing_committed(signing, 3000);
	assert_true(signing_due_ns(signing) == INT64_MAX);
	assert_int_equal(signing_run(signing, &filled.err), 0); /* nothing new: none is made */
	struct checkpoint same;
	assert_int_equal(checkpoints_last(filled.store, &same, &note, &filled.err), 0);
	assert_int_equal(same.id, last.id);
	buf_done(&note);
	signing_close(signing);
	filled_done(&filled);
}

static void starts_go_on(void **state)
{
	/* a new start signs what the last one left, with the same key, as an extension */
	struct filled filled;
	struct signing *signing = NULL;
	struct buf keys, news, vkeys;
	(void)state;
	start(&filled, &signing);
	buf_init(&keys, 0);
	buf_init(&news, 0);
	buf_init(&vkeys, 0);
	assert_true(signing_news(signing, &keys, &news));
	assert_int_equal(
		store_meta_put(filled.store, CHECKPOINTS_KEYS, buf_str(&keys), &filled.err), 0);
	buf_put_str(&vkeys, buf_str(&keys));
	for (uint64_t i = 0; i < 4; i++) {
		filled_add(&filled, i * 100, 100);
		assert_int_equal(signing_run(signing, &filled.err), 0);
		filled_add(&filled, i * 100 + 100, 0);
		signing_close(signing);
		again(&filled);
		assert_int_equal(open_signing(&filled, &signing), 0);
		assert_false(signing_news(signing, &keys, &news));
		assert_true(str_equal(buf_str(&keys), buf_str(&vkeys)));
	}
	buf_done(&keys);
	buf_done(&news);
	buf_done(&vkeys);
	signing_close(signing);
	filled_done(&filled);
}

static void changed_stores_are_refused(void **state)
{
	/* when what was signed is no more what the store holds, or the key is gone or another log's, the store is not opened */
	static const struct {
		const char *sql;
		const char *says;
	} cases[] = {
		{"UPDATE checkpoints SET note = replace(note, char(10) || '100' || char(10), "
		 "char(10) || '101' || char(10))",
		 "were signed"},
		{"UPDATE tiles SET bytes = zeroblob(length(bytes)); UPDATE checkpoints SET note = "
		 "substr(note, 1, instr(note, char(10) || '100' || char(10)) + 4) || "
		 "'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' || char(10) || char(10) || "
		 "substr(note, instr(note, char(10) || char(10)) + 2)",
		 "not those that were signed"},
		{"UPDATE checkpoints SET note = 'other' || substr(note, instr(note, char(10)))",
		 "log continue"},
		{NULL, "log.key is missing"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct filled filled;
		struct signing *signing = NULL;
		start(&filled, &signing);
		filled_add(&filled, 0, 100);
		assert_int_equal(signing_run(signing, &filled.err), 0);
		signing_close(signing);
		if (cases[i].sql != NULL) {
			filled_sql(&filled, cases[i].sql);
		} else {
			assert_int_equal(unlink(fixture_path(&filled.fixture, SIGNING_KEY_FILE)),
					 0);
		}
		again(&filled);
		assert_int_equal(open_signing(&filled, &signing), -ERR_CONFIG);
		if (strstr(filled.err.text, cases[i].says) == NULL) {
			fail_msg("%s", filled.err.text);
		}
		filled_done(&filled);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_committed_is_signed_in_time),
		cmocka_unit_test(starts_go_on),
		cmocka_unit_test(changed_stores_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
