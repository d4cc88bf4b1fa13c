#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "correlator/ledger-line.h"
#include "correlator/ledger.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FIRST  "00112233445566aa"
#define SECOND "00112233445566bb"

struct fixture {
	char folder[64], path[96];
	struct ledger *ledger;
};

static void open_it(struct fixture *f)
{
	struct error err;
	ledger_close(f->ledger);
	f->ledger = NULL;
	assert_int_equal(ledger_open(f->path, &f->ledger, &err), 0);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	(void)snprintf(f->folder, sizeof f->folder, "/tmp/querytrail-ledger-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof f->path, "%s/ledger", f->folder);
	open_it(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	ledger_close(f->ledger);
	(void)unlink(f->path);
	(void)rmdir(f->folder);
	free(f);
	return 0;
}

/* Adds an erasure of the records "api", key + 0 .. count - 1. */
static int append(struct fixture *f, const char *id, enum ledger_kind kind, int key, int count)
{
	struct buf digests;
	struct error err;
	uint8_t digest[LEDGER_DIGEST_BYTES];
	buf_init(&digests, 0);
	for (int i = 0; i < count; i++) {
		char name[16];
		int len = snprintf(name, sizeof name, "k%d", key + i);
		ledger_digest_of(STR_LIT("api"), str_make(name, (size_t)len), digest);
		buf_put(&digests, digest, sizeof digest);
	}
	const struct ledger_append entry = {.id = str_of(id),
					    .store = STR_LIT("ffffffffffffffff"),
					    .by = STR_LIT("ann"),
					    .reason = STR_LIT("asked \"us\"\nto"),
					    .kind = kind,
					    .time_ns = INT64_C(1700000000000000000),
					    .leaves = STR_LIT("\1\2"),
					    .digests = buf_str(&digests)};
	int rc = ledger_append(f->ledger, &entry, &err);
	buf_done(&digests);
	return rc;
}

static enum ledger_kind look(const struct fixture *f, const char *key)
{
	return ledger_look(f->ledger, STR_LIT("api"), str_of(key));
}

static void an_entry_is_there_again(void **state)
{
	/* what was appended is known at once and after the file is read again, and other records are not */
	struct fixture *f = *state;
	assert_int_equal(look(f, "k1"), LEDGER_NONE);
	assert_int_equal(append(f, FIRST, LEDGER_ERASED, 1, 2), 0);
	assert_int_equal(append(f, SECOND, LEDGER_MASKED, 2, 2), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(look(f, "k1"), LEDGER_ERASED);
		assert_int_equal(look(f, "k2"), LEDGER_ERASED);
		assert_int_equal(look(f, "k3"), LEDGER_MASKED);
		assert_int_equal(look(f, "k4"), LEDGER_NONE);
		assert_int_equal(ledger_look(f->ledger, STR_LIT("db"), STR_LIT("k1")), LEDGER_NONE);
		assert_int_equal(ledger_entry_count(f->ledger), 2);
		const struct ledger_entry *entry = ledger_find(f->ledger, STR_LIT(SECOND));
		assert_non_null(entry);
		assert_ptr_equal(entry, ledger_entry(f->ledger, 1));
		assert_int_equal(entry->record_count, 2);
		assert_int_equal(entry->time_ns, INT64_C(1700000000000000000));
		assert_string_equal(entry->store, "ffffffffffffffff");
		assert_null(ledger_find(f->ledger, STR_LIT("0011")));
		assert_int_equal(ledger_damage_count(f->ledger), 0);
		assert_string_equal(ledger_path(f->ledger), f->path);
		open_it(f);
	}
	struct stat st;
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_large_erasure_takes_several_lines(void **state)
{
	/* one that does not fit a line comes back as one entry with all its records */
	struct fixture *f = *state;
	const int count = LEDGER_LINE_RECORDS * 2 + 5;
	assert_int_equal(append(f, FIRST, LEDGER_ERASED, 0, count), 0);
	open_it(f);
	size_t digests = 0;
	assert_non_null(ledger_digests(f->ledger, &digests));
	assert_int_equal(digests, count);
	assert_int_equal(ledger_entry_count(f->ledger), 1);
	assert_int_equal(ledger_entry(f->ledger, 0)->record_count, count);
	assert_int_equal(look(f, "k16388"), LEDGER_ERASED);
	assert_int_equal(ledger_damage_count(f->ledger), 0);
}

static void stronger_erasure_holds(void **state)
{
	/* a record that was masked and later erased counts as erased */
	struct fixture *f = *state;
	assert_int_equal(append(f, FIRST, LEDGER_MASKED, 1, 1), 0);
	assert_int_equal(append(f, SECOND, LEDGER_ERASED, 1, 1), 0);
	assert_int_equal(look(f, "k1"), LEDGER_ERASED);
	open_it(f);
	assert_int_equal(look(f, "k1"), LEDGER_ERASED);
}

static void damage(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char byte;
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	(void)close(fd);
}

static void a_damaged_line_hides_no_other(void **state)
{
	/* a flipped bit costs its line, which is named with file and number; the others hold, and new ones can be added */
	struct fixture *f = *state;
	assert_int_equal(append(f, FIRST, LEDGER_ERASED, 1, 1), 0);
	assert_int_equal(append(f, SECOND, LEDGER_ERASED, 2, 1), 0);
	damage(f->path, 60);
	open_it(f);
	assert_int_equal(ledger_damage_count(f->ledger), 1);
	assert_non_null(strstr(ledger_damage(f->ledger, 0), f->path));
	assert_non_null(strstr(ledger_damage(f->ledger, 0), "line 1: it is damaged"));
	assert_null(ledger_damage(f->ledger, 1));
	assert_int_equal(look(f, "k1"), LEDGER_NONE);
	assert_int_equal(look(f, "k2"), LEDGER_ERASED);
	assert_int_equal(append(f, "00112233445566cc", LEDGER_ERASED, 3, 1), 0);
	open_it(f);
	assert_int_equal(ledger_damage_count(f->ledger), 1);
	assert_int_equal(look(f, "k3"), LEDGER_ERASED);
}

static void a_line_that_was_taken_out_is_told(void **state)
{
	/* a missing line shows in the one behind it, which holds all the same */
	struct fixture *f = *state;
	struct buf text;
	struct error err;
	assert_int_equal(append(f, FIRST, LEDGER_ERASED, 1, 1), 0);
	assert_int_equal(append(f, SECOND, LEDGER_ERASED, 2, 1), 0);
	buf_init(&text, 1u << 20);
	assert_int_equal(io_read_file(f->path, 1u << 20, &text, &err), 0);
	size_t first = (size_t)str_find_byte(buf_str(&text), '\n', 0) + 1;
	struct str rest = str_slice(buf_str(&text), first, text.len);
	assert_int_equal(io_replace_file(f->path, rest, 0600, &err), 0);
	buf_done(&text);
	open_it(f);
	assert_int_equal(ledger_damage_count(f->ledger), 1);
	assert_non_null(strstr(ledger_damage(f->ledger, 0), "line 1: the line before it"));
	assert_int_equal(look(f, "k2"), LEDGER_ERASED);
}

static void the_rest_of_a_crash_is_cut_off(void **state)
{
	/* a line without an end is not taken and not told; the next entry replaces it */
	struct fixture *f = *state;
	struct stat st;
	assert_int_equal(append(f, FIRST, LEDGER_ERASED, 1, 1), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(append(f, SECOND, LEDGER_ERASED, 2, 1), 0);
	assert_int_equal(truncate(f->path, st.st_size + 40), 0);
	open_it(f);
	assert_int_equal(ledger_damage_count(f->ledger), 0);
	assert_int_equal(ledger_entry_count(f->ledger), 1);
	assert_int_equal(append(f, SECOND, LEDGER_ERASED, 2, 1), 0);
	open_it(f);
	assert_int_equal(ledger_damage_count(f->ledger), 0);
	assert_int_equal(look(f, "k2"), LEDGER_ERASED);
}

static void what_is_no_ledger_is_told(void **state)
{
	/* any line at all is counted, and reading goes on; a folder cannot be read, and nothing is written to where nothing can be */
	struct fixture *f = *state;
	struct error err;
	struct ledger *ledger = NULL;
	const char *junk = "hello\n{} 44136fa355b3678a\n\n{\"ledger\":2} 0\n";
	assert_int_equal(io_replace_file(f->path, str_of(junk), 0600, &err), 0);
	open_it(f);
	assert_int_equal(ledger_damage_count(f->ledger), 4);
	assert_int_equal(ledger_open(f->folder, &ledger, &err), -ERR_CONFIG);
	assert_int_equal(ledger_open("/nowhere/at/all/ledger", &ledger, &err), 0);
	struct fixture nowhere = {.ledger = ledger};
	assert_int_equal(append(&nowhere, FIRST, LEDGER_ERASED, 1, 1), -ERR_IO);
	assert_int_equal(look(&nowhere, "k1"), LEDGER_NONE);
	ledger_close(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_entry_is_there_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_large_erasure_takes_several_lines, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(stronger_erasure_holds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_damaged_line_hides_no_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_line_that_was_taken_out_is_told, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_rest_of_a_crash_is_cut_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_ledger_is_told, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
