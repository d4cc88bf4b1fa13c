#include "query/report/folder.h"

#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SITE_FOLDER "/etc/querytrail/reports"

#ifndef QUERYTRAIL_DATADIR
#define QUERYTRAIL_DATADIR "/usr/share/querytrail"
#endif

static bool is_folder(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool add(struct folders *folders, const char *path)
{
	if (!is_folder(path) || folders->count == FOLDER_PATHS_MAX ||
	    strlen(path) >= sizeof(folders->path[0])) {
		return false;
	}
	memcpy(folders->path[folders->count++], path, strlen(path) + 1);
	return true;
}

/* The built-in folder as seen from the program's own place. */
static bool add_beside_program(struct folders *folders)
{
	static const char *const places[] = {"../share/querytrail/reports",
					     "../../share/querytrail/reports",
					     "../conf/reports",
					     "../../conf/reports",
					     "../../../conf/reports",
					     "../../../../conf/reports"};
	char exe[4096];
	char path[4200];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (len <= 0) {
		return false;
	}
	exe[len] = '\0';
	char *slash = strrchr(exe, '/');
	if (slash == NULL) {
		return false;
	}
	*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int wrote = snprintf(path, sizeof(path), "%s/%s", exe, places[i]);
		if (wrote > 0 && (size_t)wrote < sizeof(path) && add(folders, path)) {
			return true;
		}
	}
	return false;
}

int folders_find(const char *extra, struct folders *out_folders, struct error *err)
{
	struct folders folders = {.count = 0};
	const char *named = getenv("QUERYTRAIL_REPORTS");
	if (extra != NULL && !add(&folders, extra)) {
		return error_set(err, ERR_USAGE, "%s is no folder with reports", extra);
	}
	(void)add(&folders, SITE_FOLDER); /* it need not be there */
	bool found = named != NULL && named[0] != '\0' && add(&folders, named);
	if (!found && !add_beside_program(&folders)) {
		(void)add(&folders, QUERYTRAIL_DATADIR "/reports"); /* no built-in ones, then */
	}
	*out_folders = folders;
	return 0;
}

static int compare_names(const void *left, const void *right)
{
	const char *const *a = left;
	const char *const *b = right;
	return strcmp(*a, *b);
}

static int put_name(struct folder_names *names, struct arena *arena, const char *name,
		    struct error *err)
{
	struct str copy;
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->name[i], name) == 0) {
			return 0;
		}
	}
	if (names->count == FOLDER_NAMES_MAX) {
		return error_set(err, ERR_LIMIT, "there are more than %d reports",
				 FOLDER_NAMES_MAX);
	}
	if (arena_str(arena, str_of(name), &copy) != 0) {
		return error_set(err, ERR_NOMEM, "no memory for the names of reports");
	}
	names->name[names->count++] = copy.ptr;
	return 0;
}

static int list_one(const char *folder, struct arena *arena, struct folder_names *names,
		    struct error *err)
{
	DIR *dir = opendir(folder);
	int result = 0;
	if (dir == NULL) {
		return 0; /* gone since it was found */
	}
	for (const struct dirent *entry = readdir(dir); result == 0 && entry != NULL;
	     entry = readdir(dir)) {
		char path[4096 + 300];
		int len = snprintf(path, sizeof(path), "%s/%s/" DEFINITION_FILE, folder,
				   entry->d_name);
		if (definition_name_is_allowed(str_of(entry->d_name)) && len > 0 &&
		    (size_t)len < sizeof(path) && access(path, F_OK) == 0) {
			result = put_name(names, arena, entry->d_name, err);
		}
	}
	(void)closedir(dir);
	return result;
}

int folders_list(const struct folders *folders, size_t index, struct arena *arena,
		 struct folder_names *out_names, struct error *err)
{
	int result = 0;
	out_names->count = 0;
	for (size_t i = 0; result == 0 && i < folders->count; i++) {
		if (index == SIZE_MAX || index == i) {
			result = list_one(folders->path[i], arena, out_names, err);
		}
	}
	if (out_names->count > 1) {
		qsort(out_names->name, out_names->count, sizeof(out_names->name[0]), compare_names);
	}
	return result;
}

static int unknown(const struct folders *folders, struct str name, struct error *err)
{
	struct arena arena;
	struct folder_names *names = calloc(1, sizeof(*names));
	if (names == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the names of reports");
	}
	arena_init(&arena, 1u << 20);
	int result = folders_list(folders, SIZE_MAX, &arena, names, err);
	if (result == 0) {
		const char *near = str_nearest(name, names->name, names->count);
		result = near != NULL
				 ? error_set(err, ERR_USAGE,
					     "there is no report \"%.*s\"; did you mean \"%s\"?",
					     STR_ARG(name), near)
				 : error_set(err, ERR_USAGE,
					     "there is no report \"%.*s\"; \"querytrail report "
					     "list\" names them",
					     STR_ARG(name));
	}
	arena_done(&arena);
	free(names);
	return result;
}

int folders_load(const struct folders *folders, struct str name, struct definition *out_definition,
		 struct error *err)
{
	for (size_t i = 0; definition_name_is_allowed(name) && i < folders->count; i++) {
		char path[4096 + 300];
		int len = snprintf(path, sizeof(path), "%s/%.*s/" DEFINITION_FILE, folders->path[i],
				   STR_ARG(name));
		if (len <= 0 || (size_t)len >= sizeof(path) || access(path, F_OK) != 0) {
			continue;
		}
		struct buf text;
		buf_init(&text, YAML_MAX_BYTES + 1);
		struct definition_input input = {.file = path, .name = name};
		int result = io_read_file(path, YAML_MAX_BYTES, &text, err);
		input.text = buf_str(&text);
		result = result == 0 ? definition_parse(&input, out_definition, err) : result;
		buf_done(&text);
		return result;
	}
	return unknown(folders, name, err);
}
