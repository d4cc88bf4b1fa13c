#include "store/blocks.h"

#include "base/clock.h"
#include "base/io.h"
#include "store/segments.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATH_BYTES      4096
#define OVERWRITE_BYTES 65536

/* "2026-11" of a time; "0000-00" for one that no calendar has. */
static void put_month(int64_t time_ns, char out[8])
{
	struct buf text;
	buf_init(&text, 64);
	clock_put_rfc3339(&text, time_ns, 0);
	bool fits = !text.failed && text.len > 8 && text.ptr[4] == '-' && text.ptr[7] == '-';
	(void)snprintf(out, 8, "%.7s", fits ? text.ptr : "0000-00"); /* seven bytes */
	buf_done(&text);
}

void blocks_name(const struct block_about *about, char out[BLOCKS_NAME_BYTES])
{
	char month[8];
	put_month(about->row_count > 0 ? about->min_time_ns : 0, month);
	int len = snprintf(out, BLOCKS_NAME_BYTES, BLOCKS_FOLDER "/%s/%08llu.qtb", month,
			   (unsigned long long)about->number);
	assert(len > 0 && len < BLOCKS_NAME_BYTES);
}

static int put_path(const char *dir, const char *name, char out[PATH_BYTES], struct error *err)
{
	int len = snprintf(out, PATH_BYTES, "%s/%s", dir, name);
	if (len < 0 || len >= PATH_BYTES) {
		return error_set(err, ERR_CONFIG, "the path of the store %s is too long", dir);
	}
	return 0;
}

/* Makes the folders and sees that the disk has them. */
static int make_folders(const char *dir, const char *path, bool group, struct error *err)
{
	char folder[PATH_BYTES];
	mode_t mode = group ? 0750 : 0700;
	int rc = put_path(dir, BLOCKS_FOLDER, folder, err);
	if (rc < 0) {
		return rc;
	}
	struct stat st;
	bool is_new = stat(folder, &st) != 0;
	(void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path),
		       path); /* shorter than path */
	is_new = stat(folder, &st) != 0 || is_new;
	if (!is_new) {
		return 0;
	}
	rc = io_make_dir(folder, mode, err);
	for (int up = 0; rc == 0 && up < 3; up++) { /* the month, blocks, the store */
		IO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || (up < 2 && fchmod(fd, mode) != 0) || fsync(fd) != 0) {
			return error_errno(err, "%s", folder);
		}
		*strrchr(folder, '/') = '\0';
	}
	return rc;
}

int blocks_write(const char *dir, const struct blocks_new *block, struct error *err)
{
	char name[BLOCKS_NAME_BYTES];
	char path[PATH_BYTES];
	struct stat st;
	if (stat(dir, &st) != 0) {
		return error_errno(err, "%s can't be looked at", dir);
	}
	bool group = (st.st_mode & S_IRGRP) != 0;
	blocks_name(block->about, name);
	int rc = put_path(dir, name, path, err);
	rc = rc < 0 ? rc : make_folders(dir, path, group, err);
	return rc < 0 ? rc : io_replace_file(path, block->bytes, group ? 0640 : 0600, err);
}

/* Removes a file of the store; one that is not there is fine. */
static int remove_file(const char *dir, const char *name, struct error *err)
{
	char path[PATH_BYTES];
	int rc = put_path(dir, name, path, err);
	if (rc == 0 && unlink(path) != 0 && errno != ENOENT) {
		rc = error_errno(err, "%s can't be removed", path);
	}
	char *slash = rc == 0 ? strrchr(path, '/') : NULL;
	if (slash != NULL && strncmp(name, BLOCKS_FOLDER "/", sizeof BLOCKS_FOLDER) == 0) {
		*slash = '\0';
		(void)rmdir(path); /* only an empty month goes */
	}
	return rc;
}

/* The names of graves that are due, one after the other, each with its NUL. */
static int list_graves(struct catalog *catalog, int64_t before_ns, struct buf *out,
		       struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_GRAVE_LIST, &statement, err);
	if (rc < 0) {
		return rc;
	}
	(void)sqlite3_bind_int64(statement, 1, before_ns); /* can't fail: the index is right */
	int step = sqlite3_step(statement);
	for (; step == SQLITE_ROW; step = sqlite3_step(statement)) {
		buf_put_str(out, catalog_column_bytes(statement, 0));
		buf_put_byte(out, 0);
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	if (step != SQLITE_DONE) {
		return catalog_error(catalog, step, "reading what is to be removed", err);
	}
	return out->failed ? error_set(err, ERR_NOMEM, "no memory to remove files") : 0;
}

static int forget_grave(struct catalog *catalog, const char *name, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	int rc = catalog_statement(catalog, CATALOG_GRAVE_REMOVE, &statement, err);
	if (rc < 0) {
		return rc;
	}
	if (catalog_bind_text(statement, 1, str_of(name)) != SQLITE_OK) {
		return error_set(err, ERR_NOMEM, "no memory to forget %s", name);
	}
	return catalog_done(catalog, statement, "forgetting a removed file", err);
}

static bool name_is_ours(const char *name)
{
	bool block = strncmp(name, BLOCKS_FOLDER "/", sizeof BLOCKS_FOLDER) == 0;
	bool segment = strncmp(name, "head/", 5) == 0;
	return (block || segment) && strstr(name, "..") == NULL;
}

/* Writes over a file that has no other name. What fails leaves it to the file system: removing the file is all that can be done then. */
static void overwrite(const char *dir, const char *name)
{
	static const char nothing[OVERWRITE_BYTES];
	char path[PATH_BYTES];
	struct stat st;
	struct error ignored;
	if (put_path(dir, name, path, &ignored) < 0) {
		return;
	}
	IO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
		return;
	}
	for (off_t at = 0; at < st.st_size;) {
		off_t rest = st.st_size - at;
		ssize_t done = pwrite(fd, nothing,
				      rest < OVERWRITE_BYTES ? (size_t)rest : OVERWRITE_BYTES, at);
		if (done <= 0) {
			break;
		}
		at += done;
	}
	(void)fdatasync(fd); /* as said above */
}

/* The number that a file name says, or 0. */
static uint64_t number_of(const char *file_name)
{
	uint64_t number = 0;
	size_t digits = 0;
	for (; file_name[digits] >= '0' && file_name[digits] <= '9' && digits < 19; digits++) {
		number = number * 10 + (uint64_t)(file_name[digits] - '0');
	}
	return digits >= 8 && strcmp(file_name + digits, ".qtb") == 0 ? number : 0;
}

/* Whether a row knows a block's file. Returns 0 or an error. */
static int is_known(struct catalog *catalog, uint64_t number, const char *name, bool *out_known,
		    struct error *err)
{
	struct blocks_row row;
	int found = blocks_read_row(catalog, number, &row, err);
	*out_known = found == -ERR_CORRUPT || (found == 0 && strcmp(row.name, name) == 0);
	return found == -ERR_GONE || found == -ERR_CORRUPT ? 0 : found;
}

/* Whether the file of a grave is in use all the same: then the grave is damaged. */
static int is_in_use(struct catalog *catalog, const char *name, bool *out_used, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	const char *slash = strrchr(name, '/');
	uint64_t number = slash != NULL ? number_of(slash + 1) : 0;
	char segment[SEGMENT_NAME_BYTES];
	*out_used = false;
	if (number != 0) {
		return is_known(catalog, number, name, out_used, err);
	}
	int rc = catalog_statement(catalog, CATALOG_HEAD_SEGMENTS, &statement, err);
	if (rc < 0) {
		return rc;
	}
	int step = sqlite3_step(statement);
	for (; step == SQLITE_ROW; step = sqlite3_step(statement)) {
		segment_name((uint32_t)sqlite3_column_int64(statement, 0), segment);
		*out_used = *out_used || strcmp(segment, name) == 0;
	}
	(void)sqlite3_reset(statement); /* repeats the error of the step */
	return step == SQLITE_DONE ? 0
				   : catalog_error(catalog, step, "looking at the segments", err);
}

/* Removes the files of graves that are not younger than before_ns. */
static int empty_graves(const char *dir, struct catalog *catalog, int64_t before_ns,
			struct error *err)
{
	struct buf names;
	buf_init(&names, 0);
	int rc = list_graves(catalog, before_ns, &names, err);
	size_t at = 0;
	while (rc == 0 && at < names.len) {
		const char *name = names.ptr + at;
		at += strlen(name) + 1;
		bool used = !name_is_ours(name);
		rc = used ? 0 : is_in_use(catalog, name, &used, err);
		if (rc == 0 && !used && before_ns == BLOCKS_SHRED_NS) {
			overwrite(dir, name);
		}
		rc = rc < 0 || used ? rc : remove_file(dir, name, err);
		rc = rc < 0 ? rc : forget_grave(catalog, name, err);
	}
	buf_done(&names);
	return rc;
}

/* What io_replace_file left behind: "00000123.qtb.4711.tmp". */
static bool is_temporary(const char *file_name)
{
	struct str name = str_of(file_name);
	return str_has_suffix(name, STR_LIT(".tmp")) && str_find(name, STR_LIT(".qtb."), 0) >= 8;
}

/* Whether a name is among those that list_graves gave. */
static bool is_buried(const struct buf *graves, const char *name)
{
	for (size_t at = 0; at < graves->len; at += strlen(graves->ptr + at) + 1) {
		if (strcmp(graves->ptr + at, name) == 0) {
			return true;
		}
	}
	return false;
}

/* What is looked for in the folders of blocks when a store is opened. */
struct sweep {
	const char *dir;
	struct catalog *catalog;
	uint64_t next;     /* the number that the next block gets; 0: the catalog has lost it */
	struct buf graves; /* as list_graves gives them */
	size_t strangers;  /* files that stay though nothing knows them */
	char stranger[BLOCKS_NAME_BYTES]; /* the first of them */
};

/* Whether a file may go: the rest of a crash. */
static int is_rest(struct sweep *sweep, const char *file_name, const char *name, bool *out_rest,
		   struct error *err)
{
	uint64_t number = number_of(file_name);
	bool known = false;
	*out_rest = number == 0 && is_temporary(file_name);
	if (number == 0) {
		return 0; /* or nothing of ours */
	}
	int rc = is_known(sweep->catalog, number, name, &known, err);
	if (rc < 0 || known || is_buried(&sweep->graves, name)) {
		return rc;
	}
	*out_rest = sweep->next != 0 && number >= sweep->next;
	if (!*out_rest && sweep->strangers++ == 0) {
		(void)snprintf(sweep->stranger, sizeof sweep->stranger, "%.*s",
			       BLOCKS_NAME_BYTES - 1, name);
	}
	return 0;
}

static int sweep_month(struct sweep *sweep, const char *month, struct error *err)
{
	char path[PATH_BYTES];
	char name[1024];
	int rc = put_path(sweep->dir, month, path, err);
	if (rc < 0) {
		return rc;
	}
	DIR *folder = opendir(path);
	if (folder == NULL) {
		return errno == ENOTDIR || errno == ENOENT
			       ? 0
			       : error_errno(err, "%s can't be read", path);
	}
	for (const struct dirent *entry = readdir(folder); rc == 0 && entry != NULL;
	     entry = readdir(folder)) {
		bool rest = false;
		(void)snprintf(name, sizeof name, "%s/%s", month, entry->d_name);
		rc = is_rest(sweep, entry->d_name, name, &rest, err);
		rc = rc < 0 || !rest ? rc : remove_file(sweep->dir, name, err);
	}
	(void)closedir(folder); /* only read */
	return rc;
}

static int sweep_months(struct sweep *sweep, DIR *folder, struct error *err)
{
	char month[512];
	int rc = list_graves(sweep->catalog, INT64_MAX, &sweep->graves, err);
	for (const struct dirent *entry = readdir(folder); rc == 0 && entry != NULL;
	     entry = readdir(folder)) {
		if (entry->d_name[0] != '.') {
			(void)snprintf(month, sizeof month, BLOCKS_FOLDER "/%s", entry->d_name);
			rc = sweep_month(sweep, month, err);
		}
	}
	return rc;
}

int blocks_sweep_rests(const char *dir, struct catalog *catalog, struct error *strangers,
		       struct error *err)
{
	char path[PATH_BYTES];
	struct sweep sweep = {.dir = dir, .catalog = catalog};
	error_clear(strangers);
	int rc = put_path(dir, BLOCKS_FOLDER, path, err);
	DIR *folder = rc == 0 ? opendir(path) : NULL;
	if (folder == NULL) {
		return rc < 0 || errno == ENOENT ? rc : error_errno(err, "%s can't be read", path);
	}
	(void)blocks_next_number(catalog, &sweep.next, NULL); /* else what nothing knows stays */
	buf_init(&sweep.graves, 0);
	rc = sweep_months(&sweep, folder, err);
	buf_done(&sweep.graves);
	(void)closedir(folder); /* only read */
	if (rc == 0 && sweep.strangers > 0) {
		(void)error_set(
			strangers, ERR_CORRUPT,
			"%s: no row knows the block %s (%zu files in all), which should have "
			"one; it is kept",
			catalog->path, sweep.stranger, sweep.strangers);
	}
	return rc;
}

int blocks_sweep(const char *dir, struct catalog *catalog, int64_t now_ns, struct error *err)
{
	int64_t before_ns = INT64_MIN;
	if (now_ns == INT64_MAX || __builtin_sub_overflow(now_ns, BLOCKS_GRACE_NS, &before_ns)) {
		before_ns = now_ns;
	}
	int rc = empty_graves(dir, catalog, BLOCKS_SHRED_NS, err);
	return rc < 0 ? rc : empty_graves(dir, catalog, before_ns, err);
}

/* Adds the sizes of the files of one month. */
static int add_month(const char *dir, const char *month, uint64_t *bytes, struct error *err)
{
	char path[PATH_BYTES];
	int rc = put_path(dir, month, path, err);
	DIR *folder = rc == 0 ? opendir(path) : NULL;
	if (folder == NULL) {
		bool gone = errno == ENOENT || errno == ENOTDIR;
		return rc < 0 || gone ? rc : error_errno(err, "%s can't be read", path);
	}
	for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
		struct stat st;
		if (fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode)) {
			*bytes += (uint64_t)st.st_size;
		}
	}
	(void)closedir(folder); /* only read */
	return 0;
}

int blocks_size(const char *dir, uint64_t *bytes, struct error *err)
{
	char path[PATH_BYTES];
	char month[512];
	int rc = put_path(dir, BLOCKS_FOLDER, path, err);
	DIR *folder = rc == 0 ? opendir(path) : NULL;
	if (folder == NULL) {
		return rc < 0 || errno == ENOENT ? rc : error_errno(err, "%s can't be read", path);
	}
	for (const struct dirent *entry = readdir(folder); rc == 0 && entry != NULL;
	     entry = readdir(folder)) {
		if (entry->d_name[0] != '.') {
			(void)snprintf(month, sizeof month, BLOCKS_FOLDER "/%s", entry->d_name);
			rc = add_month(dir, month, bytes, err);
		}
	}
	(void)closedir(folder); /* only read */
	return rc;
}
