#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "query/report/target.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static const struct report_column columns[] = {{"name", "Name", REPORT_TEXT, 1}};
static const struct report_table tables[] = {{"a", STR_LIT("A"), columns, 1},
					     {"b", STR_LIT("B"), columns, 1}};

struct writing {
	char dir[64];
	struct zone zone;
	struct targets *targets;
	struct error err;
};

static void place_init(struct writing *place)
{
	memset(place, 0, sizeof(*place));
	memcpy(place->dir, "/tmp/qt-target-XXXXXX", 22);
	assert_non_null(mkdtemp(place->dir));
	place->zone = zone_utc();
	place->targets = calloc(1, sizeof(*place->targets));
	assert_non_null(place->targets);
	targets_init(place->targets, &place->zone);
}

static size_t files_in(const char *path, bool removes)
{
	size_t count = 0;
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		count++;
		if (removes) {
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
			(void)unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
		}
	}
	(void)closedir(dir);
	return count;
}

static void place_done(struct writing *place)
{
	targets_done(place->targets);
	free(place->targets);
	(void)files_in(place->dir, true);
	assert_int_equal(rmdir(place->dir), 0);
}

static const char *path_in(const struct writing *place, const char *name, char out[128])
{
	(void)snprintf(out, 128, "%s/%s", place->dir, name);
	return out;
}

/* A whole report of two tables with a row each; the row's text is what differs. */
static int write_all(struct writing *place, const char *text)
{
	struct report_head head = {.name = STR_LIT("r"), .title = STR_LIT("R")};
	const struct report_cell cell = {.text = str_of(text)};
	const struct report_table_end end = {1, 1};
	int result = targets_begin(place->targets, &head, &place->err);
	for (size_t i = 0; result == 0 && i < 2; i++) {
		result = targets_table_begin(place->targets, &tables[i], &place->err);
		result = result == 0 ? targets_row(place->targets, &cell, &place->err) : result;
		result =
			result == 0 ? targets_table_end(place->targets, &end, &place->err) : result;
	}
	return result == 0 ? targets_end(place->targets, &place->err) : result;
}

static bool holds(const char *path, const char *text)
{
	struct buf bytes;
	buf_init(&bytes, 0);
	bool found = io_read_file(path, 1u << 20, &bytes, NULL) == 0 &&
		     str_find(buf_str(&bytes), str_of(text), 0) >= 0;
	buf_done(&bytes);
	return found;
}

static void test_whole(void **state)
{
	/* Proves: a file appears with its commit, not before; the old one is replaced then; nothing else is left. */
	(void)state;
	struct writing place;
	char path[128];
	place_init(&place);
	path_in(&place, "r.md", path);
	assert_int_equal(io_replace_file(path, STR_LIT("old"), 0600, NULL), 0);
	struct target_place where = {.path = path, .fd = -1};
	assert_int_equal(targets_add(place.targets, &write_md, &where, &place.err), 0);
	assert_int_equal(write_all(&place, "fresh"), 0);
	assert_true(holds(path, "old"));
	assert_int_equal(targets_commit(place.targets, &place.err), 0);
	assert_true(holds(path, "fresh"));
	assert_int_equal(files_in(place.dir, false), 1);
	place_done(&place);
}

static void test_given_up(void **state)
{
	/* Proves: what is not committed leaves the old file and no other, even in the middle of a table. */
	(void)state;
	struct writing place;
	char path[128];
	place_init(&place);
	path_in(&place, "r.csv", path);
	assert_int_equal(io_replace_file(path, STR_LIT("old"), 0600, NULL), 0);
	assert_int_equal(targets_add_to_folder(place.targets, &write_csv, str_of(place.dir),
					       STR_LIT("r"), &place.err),
			 0);
	struct report_head head = {.name = STR_LIT("r"), .title = STR_LIT("R")};
	assert_int_equal(targets_begin(place.targets, &head, &place.err), 0);
	assert_int_equal(targets_table_begin(place.targets, &tables[0], &place.err), 0);
	assert_int_equal(files_in(place.dir, false), 3); /* the old one and two on their way */
	targets_done(place.targets);
	assert_int_equal(files_in(place.dir, false), 1);
	assert_true(holds(path, "old"));
	place_done(&place);
}

static void test_folder(void **state)
{
	/* Proves: in a folder CSV has a file for each table besides, which holds its columns and rows alone. */
	(void)state;
	struct writing place;
	char path[128];
	char folder[160];
	place_init(&place);
	(void)snprintf(folder, sizeof(folder), "%s//", place.dir);
	assert_int_equal(targets_add_to_folder(place.targets, &write_csv, str_of(folder),
					       STR_LIT("r"), &place.err),
			 0);
	assert_int_equal(targets_add_to_folder(place.targets, &write_jsonl, str_of(folder),
					       STR_LIT("r"), &place.err),
			 0);
	assert_int_equal(write_all(&place, "=x"), 0);
	assert_int_equal(targets_commit(place.targets, &place.err), 0);
	assert_int_equal(files_in(place.dir, false), 4);
	assert_true(holds(path_in(&place, "r.a.csv", path), "name,defanged\r\n\"'=x\",name\r\n"));
	assert_true(holds(path_in(&place, "r.b.csv", path), "name,defanged\r\n"));
	assert_true(holds(path_in(&place, "r.csv", path), "row,b,\"'=x\",name\r\n"));
	assert_true(holds(path_in(&place, "r.jsonl", path), "\"name\":\"=x\""));
	struct stat info;
	assert_int_equal(stat(path_in(&place, "r.a.csv", path), &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	place_done(&place);
}

static void test_failures(void **state)
{
	/* Proves: a place that cannot be written, a full device and a reader that is gone are errors that name it. */
	(void)state;
	struct writing place;
	char path[128];
	place_init(&place);
	struct target_place nowhere = {.path = "/nonexistent/r.md", .fd = -1};
	assert_int_equal(targets_add(place.targets, &write_md, &nowhere, &place.err), -ERR_IO);
	assert_non_null(strstr(place.err.text, "/nonexistent/r.md"));
	targets_done(place.targets);
	targets_init(place.targets, &place.zone);
	IO_CLOSE int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct target_place device = {.fd = full};
	assert_int_equal(targets_add(place.targets, &write_md, &device, &place.err), 0);
	assert_int_equal(write_all(&place, "x"), -ERR_IO);
	assert_non_null(strstr(place.err.text, "No space left"));
	targets_done(place.targets);
	targets_init(place.targets, &place.zone);
	assert_int_equal(mkdir(path_in(&place, "r.md", path), 0700),
			 0); /* a folder is in the way */
	struct target_place taken = {.path = path, .fd = -1};
	assert_int_equal(targets_add(place.targets, &write_md, &taken, &place.err), 0);
	assert_int_equal(write_all(&place, "x"), 0);
	assert_int_equal(targets_commit(place.targets, &place.err), -ERR_IO);
	assert_non_null(strstr(place.err.text, "r.md"));
	targets_done(place.targets);
	assert_int_equal(files_in(place.dir, false), 1);
	targets_init(place.targets, &place.zone);
	place_done(&place);
}

static void test_devices(void **state)
{
	/* Proves: what is no file (a device, a pipe), named itself or by a link, is refused and stays what it was. */
	(void)state;
	struct writing place;
	char path[128];
	char link[128];
	struct stat info;
	place_init(&place);
	assert_int_equal(mkfifo(path_in(&place, "r.csv", path), 0600), 0);
	struct target_place pipe = {.path = path, .fd = -1};
	assert_int_equal(targets_add(place.targets, &write_csv, &pipe, &place.err), -ERR_INPUT);
	assert_non_null(strstr(place.err.text, "r.csv"));
	targets_done(place.targets);
	targets_init(place.targets, &place.zone);
	assert_int_equal(symlink("/dev/full", path_in(&place, "l.csv", link)), 0);
	struct target_place linked = {.path = link, .fd = -1};
	assert_int_equal(targets_add(place.targets, &write_csv, &linked, &place.err), -ERR_INPUT);
	targets_done(place.targets);
	targets_init(place.targets, &place.zone);
	assert_int_equal(files_in(place.dir, false), 2);
	assert_int_equal(lstat(path, &info), 0);
	assert_true(S_ISFIFO(info.st_mode));
	assert_int_equal(lstat(link, &info), 0);
	assert_true(S_ISLNK(info.st_mode));
	place_done(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),   cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_folder),  cmocka_unit_test(test_failures),
		cmocka_unit_test(test_devices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
