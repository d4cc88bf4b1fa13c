#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/log.h"
#include "correlator/rollback.h"
#include "model/options.h"
#include "tests/unit/log-fixture.h"

#include <stdio.h>
#include <sys/stat.h>

static const char origin[] = "example.com/log";

/* The log and a folder beside it. */
struct place {
	struct log_fixture log;
	char folder[200], file[300];
	struct error err;
};

static void open_place(struct place *place)
{
	log_set_level((enum log_level)0);
	log_fixture_init(&place->log, 5);
	(void)snprintf(place->folder, sizeof place->folder, "%s",
		       fixture_path(&place->log.filled.fixture, "folder"));
	assert_int_equal(mkdir(place->folder, 0700), 0);
}

static void put_file(struct place *place, uint64_t size, struct str bytes)
{
	(void)snprintf(place->file, sizeof place->file, "%s/%020llu.checkpoint", place->folder,
		       (unsigned long long)size);
	assert_int_equal(io_replace_file(place->file, bytes, 0600, &place->err), 0);
}

static int check(struct place *place)
{
	return rollback_check_folder(place->log.filled.store, origin, place->folder, &place->err);
}

static void close_place(struct place *place)
{
	store_folder_remove(place->folder);
	log_fixture_done(&place->log);
}

static void store_that_has_all_is_good(void **state)
{
	/* nothing in the folder, no folder, an older checkpoint, the newest: all fine */
	struct place place;
	(void)state;
	open_place(&place);
	assert_int_equal(check(&place), 0);
	assert_int_equal(rollback_check_folder(place.log.filled.store, origin, "/nowhere/at/all",
					       &place.err),
			 0);
	log_fixture_note(&place.log, 3, false);
	put_file(&place, 3, buf_str(&place.log.note));
	assert_int_equal(check(&place), 0);
	log_fixture_note(&place.log, 5, false);
	put_file(&place, 5, buf_str(&place.log.note));
	assert_int_equal(check(&place), 0);
	close_place(&place);
}

static void store_that_is_behind_is_refused(void **state)
{
	/* a checkpoint of more records than there are, and one of another tree: ERR_CONFIG that tells what to do */
	struct place place;
	(void)state;
	open_place(&place);
	log_fixture_note(&place.log, 4, true);
	put_file(&place, 4, buf_str(&place.log.note));
	assert_int_equal(check(&place), -ERR_CONFIG);
	assert_non_null(strstr(place.err.text, "log continue"));
	log_fixture_note(&place.log, 6, false);
	put_file(&place, 6, buf_str(&place.log.note));
	assert_int_equal(check(&place), -ERR_CONFIG);
	assert_non_null(strstr(place.err.text, "older copy"));
	assert_non_null(strstr(place.err.text, "log continue"));
	assert_int_equal(rollback_check_folder(place.log.filled.store, "example.com/another",
					       place.folder, &place.err),
			 0);
	close_place(&place);
}

static void other_files_say_nothing(void **state)
{
	/* names that are none of ours are passed over; a file of ours that is no checkpoint is ERR_INPUT */
	struct place place;
	(void)state;
	open_place(&place);
	(void)snprintf(place.file, sizeof place.file, "%s/latest", place.folder);
	assert_int_equal(io_replace_file(place.file, STR_LIT("x"), 0600, &place.err), 0);
	(void)snprintf(place.file, sizeof place.file, "%s/9.checkpoint", place.folder);
	assert_int_equal(io_replace_file(place.file, STR_LIT("x"), 0600, &place.err), 0);
	assert_int_equal(check(&place), 0);
	put_file(&place, 9, STR_LIT("no checkpoint\n"));
	assert_int_equal(check(&place), -ERR_INPUT);
	close_place(&place);
}

static void configured_folders_are_checked(void **state)
{
	/* each folder among the anchors is looked at; one that cannot be read is no reason to refuse */
	struct place place;
	struct config *config = NULL;
	struct buf text;
	(void)state;
	open_place(&place);
	buf_init(&text, 0);
	buf_putf(&text,
		 "anchors:\n  one:\n    type: file\n    folder: /nowhere\n"
		 "  two:\n    type: file\n    folder: %s\n",
		 place.folder);
	const struct config_input input = {.name = "c", .text = buf_str(&text)};
	assert_int_equal(config_parse(options_schema(), &input, &config, NULL, &place.err), 0);
	put_file(&place, 9, STR_LIT("no checkpoint\n"));
	assert_int_equal(rollback_check(place.log.filled.store, origin, config, &place.err), 0);
	log_fixture_note(&place.log, 6, false);
	put_file(&place, 10, buf_str(&place.log.note));
	assert_int_equal(rollback_check(place.log.filled.store, origin, config, &place.err),
			 -ERR_CONFIG);
	assert_non_null(strstr(place.err.text, "two"));
	config_free(config);
	buf_done(&text);
	close_place(&place);
}

static void refusal_stands(void **state)
{
	/* the first refusal stays as it is; an empty setting is none */
	struct place place;
	struct buf text;
	const struct rollback_finding first = {
		.who = "w1", .size = 7, .sentence = "it has seen more"};
	const struct rollback_finding second = {.who = "w2", .size = 8, .sentence = "too"};
	(void)state;
	open_place(&place);
	buf_init(&text, 0);
	struct store *store = place.log.filled.store;
	assert_int_equal(rollback_refused(store, &text, &place.err), -ERR_GONE);
	assert_int_equal(rollback_refuse(store, &first, 0, &place.err), 0);
	assert_int_equal(rollback_refuse(store, &second, 0, &place.err), 0);
	assert_int_equal(rollback_refused(store, &text, &place.err), 0);
	assert_string_equal(text.ptr, "w1 7 - 1970-01-01T00:00:00.000Z it has seen more");
	assert_int_equal(store_meta_put(store, ROLLBACK_KEY, (struct str){0}, &place.err), 0);
	assert_int_equal(rollback_refused(store, &text, &place.err), -ERR_GONE);
	buf_done(&text);
	close_place(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(store_that_has_all_is_good),
		cmocka_unit_test(store_that_is_behind_is_refused),
		cmocka_unit_test(other_files_say_nothing),
		cmocka_unit_test(configured_folders_are_checked),
		cmocka_unit_test(refusal_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
