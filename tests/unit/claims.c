#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "query/claims.h"
#include "tests/unit/store-filled.h"

#include <string.h>
#include <sys/stat.h>

static struct note_signer ours, theirs;
static struct buf ours_vkey;

struct told {
	unsigned count;
	char text[ERROR_TEXT_MAX];
};

static void tell(void *owner, uint64_t size, const char *text)
{
	struct told *told = owner;
	(void)size;
	told->count++;
	(void)snprintf(told->text, sizeof told->text, "%s", text); /* cut is fine */
}

static int set_up(void **state)
{
	struct error err;
	(void)state;
	buf_init(&ours_vkey, 0);
	assert_int_equal(note_signer_make(&ours, STR_LIT("log.example"), NOTE_ED25519, &err), 0);
	assert_int_equal(note_signer_make(&theirs, STR_LIT("log.example"), NOTE_ED25519, &err), 0);
	note_key_put(&ours.key, &ours_vkey);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	note_signer_done(&ours);
	note_signer_done(&theirs);
	buf_done(&ours_vkey);
	return 0;
}

static void put_note(struct buf *out, const struct note_signer *signer, uint64_t size)
{
	struct error err;
	struct buf line;
	const struct note_checkpoint checkpoint = {.origin = STR_LIT("log.example"),
						   .head = {.size = size}};
	buf_init(&line, 0);
	buf_clear(out);
	note_checkpoint_put(&checkpoint, out);
	assert_int_equal(note_sign(signer, buf_str(out), 0, &line, &err), 0);
	buf_put_byte(out, '\n');
	buf_put_str(out, buf_str(&line));
	buf_done(&line);
}

static void trusted_ones_become_claims(void **state)
{
	/* the store's checkpoints that a key of the store signed are claims, by size; those of another key, of another size than their row, and what is no note are told */
	struct filled filled;
	struct claims claims;
	struct told told = {0};
	struct buf note;
	(void)state;
	filled_init(&filled, 3, 3);
	store_close(filled.store);
	filled_open(&filled, STORE_WRITE);
	buf_init(&note, 0);
	assert_int_equal(
		store_meta_put(filled.store, CHECKPOINTS_KEYS, buf_str(&ours_vkey), &filled.err),
		0);
	put_note(&note, &ours, 2);
	assert_int_equal(checkpoints_put(filled.store, buf_str(&note), 2, 20, &filled.err), 0);
	put_note(&note, &ours, 1);
	assert_int_equal(checkpoints_put(filled.store, buf_str(&note), 1, 10, &filled.err), 0);
	put_note(&note, &theirs, 3);
	assert_int_equal(checkpoints_put(filled.store, buf_str(&note), 3, 30, &filled.err), 0);
	assert_int_equal(checkpoints_put(filled.store, STR_LIT("nonsense"), 3, 30, &filled.err), 0);
	claims_init(&claims, tell, &told);
	assert_int_equal(claims_read_store_keys(&claims, filled.store, &filled.err), 0);
	assert_int_equal(claims_add_store(&claims, filled.store, &filled.err), 0);
	claims_sort(&claims);
	assert_int_equal(told.count, 2);
	assert_int_equal(claims.count, 2);
	assert_true(claims.list[0].head.size == 1 && claims.list[1].head.size == 2);
	assert_true(claims.checkpoints == 4 && claims.covered == 2 && claims.covered_ns == 20);
	assert_string_equal(claims.origin, "log.example");
	claims_done(&claims);
	filled_sql(&filled, "DELETE FROM checkpoints");
	put_note(&note, &ours, 3);
	assert_int_equal(checkpoints_put(filled.store, buf_str(&note), 2, 40, &filled.err), 0);
	claims_init(&claims, tell, &told);
	assert_int_equal(claims_read_store_keys(&claims, filled.store, &filled.err), 0);
	assert_int_equal(claims_add_store(&claims, filled.store, &filled.err), 0);
	assert_true(told.count == 3 && strstr(told.text, "another size") != NULL);
	claims_done(&claims);
	buf_done(&note);
	filled_done(&filled);
}

static void outside_ones_are_read(void **state)
{
	/* a file, and a folder of files by their names; what can't be read, a folder without any, and a policy that is none are errors */
	struct filled filled;
	struct claims claims;
	struct told told = {0};
	struct buf note;
	struct error *err = &filled.err;
	(void)state;
	filled_init(&filled, 3, 3);
	struct fixture *fixture = &filled.fixture;
	buf_init(&note, 0);
	assert_int_equal(io_make_dir(fixture_path(fixture, "anchors"), 0700, err), 0);
	claims_init(&claims, tell, &told);
	buf_putf(&note, "log %.*s\nquorum none\n", STR_ARG(buf_str(&ours_vkey)));
	assert_int_equal(
		io_replace_file(fixture_path(fixture, "policy"), buf_str(&note), 0600, err), 0);
	assert_int_equal(claims_read_policy(&claims, fixture_path(fixture, "policy"), err), 0);
	assert_true(claims.from_policy && claims.key_count == 1);
	assert_int_equal(claims_add_outside(&claims, fixture_path(fixture, "anchors"), err),
			 -ERR_CONFIG);
	assert_true(claims_add_outside(&claims, fixture_path(fixture, "missing"), err) < 0);
	put_note(&note, &ours, 2);
	assert_int_equal(io_replace_file(fixture_path(fixture, "anchors/2.checkpoint"),
					 buf_str(&note), 0600, err),
			 0);
	put_note(&note, &theirs, 3);
	assert_int_equal(
		io_replace_file(fixture_path(fixture, "anchors/latest"), buf_str(&note), 0600, err),
		0);
	assert_int_equal(
		io_replace_file(fixture_path(fixture, "anchors/other"), STR_LIT("x"), 0600, err),
		0);
	assert_int_equal(claims_add_outside(&claims, fixture_path(fixture, "anchors"), err), 0);
	assert_true(claims.anchors == 2 && claims.count == 1 && told.count == 1);
	assert_non_null(strstr(told.text, "anchors/latest"));
	assert_int_equal(
		claims_add_outside(&claims, fixture_path(fixture, "anchors/2.checkpoint"), err), 0);
	assert_int_equal(claims.count, 2);
	claims_done(&claims);
	claims_init(&claims, tell, &told);
	assert_int_equal(claims_read_policy(&claims, fixture_path(fixture, "anchors/other"), err),
			 -ERR_INPUT);
	claims_done(&claims);
	buf_done(&note);
	filled_done(&filled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trusted_ones_become_claims),
		cmocka_unit_test(outside_ones_are_read),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
