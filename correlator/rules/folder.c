#include "correlator/rules/folder.h"

#include "base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DEPTH_MAX 16

static bool is_rule_file(struct str name)
{
	return str_has_suffix(name, STR_LIT(".yml")) || str_has_suffix(name, STR_LIT(".yaml"));
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int tell(struct folder_walk *walk, const char *path, const char *fault)
{
	if (fault == NULL && ++walk->file_count > FOLDER_FILES_MAX) {
		fault = "too many rule files";
	}
	return walk->found(walk->owner, path, fault);
}

/* A folder on the way down, in the one that holds it. */
struct level {
	const struct level *outer;
	dev_t device;
	ino_t inode;
	unsigned depth;
};

static int walk_folder(struct folder_walk *walk, const char *path, const struct level *level);

/* A folder in a folder. A link to one that holds it shows nothing that is not read already. */
static int walk_inner(struct folder_walk *walk, const char *path, const struct level *outer,
		      const struct stat *status)
{
	struct level level = {outer, status->st_dev, status->st_ino, outer->depth + 1};

	for (; outer != NULL; outer = outer->outer) {
		if (outer->device == level.device && outer->inode == level.inode) {
			return 0;
		}
	}
	return walk_folder(walk, path, &level);
}

static int walk_entry(struct folder_walk *walk, const char *path, const struct level *level)
{
	struct stat status;
	char fault[128];
	if (stat(path, &status) != 0) {
		(void)snprintf(fault, sizeof(fault), "can't be read: %s",
			       strerrordesc_np(errno)); /* cut, if longer */
		return is_rule_file(str_of(path)) ? tell(walk, path, fault) : 0;
	}
	if (S_ISDIR(status.st_mode)) {
		return walk_inner(walk, path, level, &status);
	}
	if (!is_rule_file(str_of(path))) {
		return 0;
	}
	return tell(walk, path, S_ISREG(status.st_mode) ? NULL : "is no file");
}

static int walk_folder(struct folder_walk *walk, const char *path, const struct level *level)
{
	struct dirent **entries = NULL;
	if (level->depth > DEPTH_MAX) {
		return tell(walk, path, "nested deeper than 16 folders");
	}
	int count = scandir(path, &entries, is_visible, by_bytes);
	if (count < 0) {
		char fault[128];
		(void)snprintf(fault, sizeof(fault), "can't be read: %s",
			       strerrordesc_np(errno)); /* cut, if longer */
		return tell(walk, path, fault);
	}
	struct buf child;
	int result = 0;
	buf_init(&child, 8192);
	for (int i = 0; i < count; i++) {
		buf_clear(&child);
		buf_put_text(&child, path);
		buf_put_text(&child, child.len != 0 && child.ptr[child.len - 1] == '/' ? "" : "/");
		buf_put_text(&child, entries[i]->d_name);
		if (result == 0) {
			result = child.failed ? tell(walk, path, "has names that are too long")
					      : walk_entry(walk, child.ptr, level);
		}
		free(entries[i]);
	}
	buf_done(&child);
	free(entries);
	return result;
}

int folder_walk(struct folder_walk *walk, const char *path, struct error *err)
{
	struct stat status;
	if (stat(path, &status) != 0) {
		return error_set(err, ERR_CONFIG, "can't read the rules %s: %s", path,
				 strerrordesc_np(errno));
	}
	if (!S_ISDIR(status.st_mode)) {
		return tell(walk, path, S_ISREG(status.st_mode) ? NULL : "is no file");
	}
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, NULL, NULL);
	if (count < 0) {
		return error_set(err, ERR_CONFIG, "can't read the rules %s: %s", path,
				 strerrordesc_np(errno));
	}
	for (int i = 0; i < count; i++) {
		free(entries[i]);
	}
	free(entries);
	struct level level = {NULL, status.st_dev, status.st_ino, 1};
	return walk_folder(walk, path, &level);
}
