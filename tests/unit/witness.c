#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/log.h"
#include "base/parse.h"
#include "witness/witness.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct place { /* a witness in a folder, and a log with all its leaves alike */
	char folder[64];
	char key[96], state[96];
	struct note_signer log;
	char vkey[NOTE_VKEY_MAX + 1];
	struct witness *witness;
	struct witness_answer answer;
};

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
	(void)st;
	(void)flag;
	(void)walk;
	return remove(path);
}

static int open_place(struct place *place, struct error *err)
{
	const char *logs[] = {place->vkey};
	const struct witness_options options = {place->key, place->state, logs, 1};
	return witness_open(&options, &place->witness, err);
}

static int setup(void **state)
{
	struct place *place = calloc(1, sizeof *place);
	struct error err;
	struct buf text;
	log_set_level((enum log_level)0);
	buf_init(&text, 0);
	(void)snprintf(place->folder, sizeof place->folder, "/tmp/witness-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	(void)snprintf(place->key, sizeof place->key, "%s/key", place->folder);
	(void)snprintf(place->state, sizeof place->state, "%s/state", place->folder);
	assert_int_equal(witness_make_key("w.example/1", place->key, &text, &err), 0);
	assert_int_equal(
		note_signer_make(&place->log, STR_LIT("example.com/log"), NOTE_ED25519, &err), 0);
	buf_clear(&text);
	note_key_put(&place->log.key, &text);
	(void)snprintf(place->vkey, sizeof place->vkey, "%s", text.ptr);
	buf_init(&place->answer.body, 0);
	assert_int_equal(open_place(place, &err), 0);
	buf_done(&text);
	*state = place;
	return 0;
}

static int teardown(void **state)
{
	struct place *place = *state;
	witness_close(place->witness);
	note_signer_done(&place->log);
	buf_done(&place->answer.body);
	(void)nftw(place->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(place);
	return 0;
}

/* Posts the checkpoint of `size` leaves; the last of a tree that is forged is another. */
static unsigned post(struct place *place, uint64_t old_size, uint64_t size, bool forged)
{
	struct merkle_range range;
	struct merkle_hash leaf, other;
	struct note_checkpoint checkpoint = {.origin = str_of(place->log.key.name),
					     .head.size = size};
	struct merkle_range old;
	struct buf text, body;
	struct error err;
	merkle_leaf(STR_LIT("same"), &leaf);
	merkle_leaf(STR_LIT("other"), &other);
	merkle_range_init(&range);
	merkle_range_init(&old);
	for (uint64_t i = 0; i < size; i++) {
		merkle_range_add(&range, forged && i == 0 ? &other : &leaf, NULL, NULL);
		old = i + 1 == old_size ? range : old;
	}
	merkle_range_root(&range, &checkpoint.head.root);
	buf_init(&text, 0);
	buf_init(&body, 0);
	note_checkpoint_put(&checkpoint, &text);
	buf_putf(&body, "old %llu\n", (unsigned long long)old_size);
	if (old_size == 1 && size == 2) { /* the only proof needed here: the second leaf */
		parse_put_base64(&body, str_make(leaf.bytes, sizeof leaf.bytes));
		buf_put_byte(&body, '\n');
	}
	buf_put_byte(&body, '\n');
	buf_put_str(&body, buf_str(&text));
	buf_put_byte(&body, '\n');
	assert_int_equal(note_sign(&place->log, buf_str(&text), 0, &body, &err), 0);
	witness_add_checkpoint(place->witness, buf_str(&body), 1700000000, &place->answer);
	buf_done(&text);
	buf_done(&body);
	return place->answer.status;
}

static void test_signs_what_extends(void **state)
{
	/* It signs a tree and what extends it, and nothing that does not. */
	struct place *place = *state;
	assert_int_equal(post(place, 0, 1, false), 200);
	assert_memory_equal(place->answer.body.ptr, "\xe2\x80\x94 w.example/1 ", 16);
	assert_int_equal(post(place, 1, 2, true), 422);
	assert_int_equal(post(place, 1, 1, true), 422);
	assert_int_equal(post(place, 1, 2, false), 200);
	assert_int_equal(post(place, 1, 2, false), 409);
	assert_string_equal(place->answer.body.ptr, "2\n");
	assert_string_equal(place->answer.content_type, "text/x.tlog.size");
}

static void test_remembers(void **state)
{
	/* What was signed is known to the next process; while one works, a second is refused. */
	struct place *place = *state;
	struct witness *first = place->witness;
	struct error err;
	assert_int_equal(post(place, 0, 2, false), 200);
	assert_int_equal(open_place(place, &err), -ERR_CONFIG);
	witness_close(first);
	place->witness = NULL;
	assert_int_equal(open_place(place, &err), 0);
	assert_int_equal(post(place, 0, 3, false), 409);
	assert_string_equal(place->answer.body.ptr, "2\n");
}

static void test_unsaved_is_unsigned(void **state)
{
	/* When the state can't be written, no signature leaves. */
	struct place *place = *state;
	char gone[128];
	assert_int_equal(post(place, 0, 1, false), 200);
	(void)snprintf(gone, sizeof gone, "%s.gone", place->state);
	assert_int_equal(rename(place->state, gone), 0);
	assert_int_equal(post(place, 1, 2, false), 500);
	assert_int_equal(str_find(buf_str(&place->answer.body), STR_LIT("\xe2\x80\x94"), 0), -1);
	assert_int_equal(rename(gone, place->state), 0);
	assert_int_equal(post(place, 1, 2, false), 200);
}

static void test_damaged_state(void **state)
{
	/* A state that was changed is no empty state: the witness does not start. */
	struct place *place = *state;
	char command[512];
	struct error err;
	struct buf bytes;
	uint8_t digest[DIGEST_BYTES];
	assert_int_equal(post(place, 0, 1, false), 200);
	witness_close(place->witness);
	place->witness = NULL;
	buf_init(&bytes, 0);
	digest_sha256(STR_LIT("example.com/log"), digest);
	buf_putf(&bytes, "%s/", place->state);
	buf_put_hex(&bytes, str_make(digest, sizeof digest));
	(void)snprintf(command, sizeof command, "%s.checkpoint", bytes.ptr);
	assert_int_equal(io_replace_file(command, STR_LIT("nothing\n"), 0600, &err), 0);
	assert_int_equal(open_place(place, &err), -ERR_CORRUPT);
	buf_done(&bytes);
}

static void test_configuration(void **state)
{
	/* Keys that are none or the witness's own, a log's key as its own, and files in the way are refused. */
	struct place *place = *state;
	struct error err;
	struct buf text;
	struct secret own;
	struct witness *none = NULL;
	buf_init(&text, 0);
	assert_int_equal(witness_make_key("w.example/1", place->key, &text, &err), -ERR_CONFIG);
	assert_int_equal(witness_make_key("has space", place->key, &text, &err), -ERR_CONFIG);
	note_key_put(witness_key(place->witness), &text);
	witness_close(place->witness);
	place->witness = NULL;
	const char *cosigner[] = {text.ptr};
	const char *garbage[] = {"example.com/log"};
	const char *right[] = {place->vkey};
	struct witness_options options = {place->key, place->state, cosigner, 1};
	assert_int_equal(witness_open(&options, &none, &err), -ERR_CONFIG);
	options.logs = garbage;
	assert_int_equal(witness_open(&options, &none, &err), -ERR_CONFIG);
	secret_init(&own);
	assert_int_equal(note_signer_put(&place->log, &own, &err), 0);
	assert_int_equal(io_replace_file(place->key, secret_peek(&own), 0600, &err), 0);
	options.logs = right;
	assert_int_equal(witness_open(&options, &none, &err), -ERR_CONFIG);
	secret_done(&own);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_signs_what_extends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_remembers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unsaved_is_unsigned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_state, setup, teardown),
		cmocka_unit_test_setup_teardown(test_configuration, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
