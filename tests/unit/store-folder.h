/* store-folder - removes the folder of a store that a test made. */
#ifndef TESTS_UNIT_STORE_FOLDER_H
#define TESTS_UNIT_STORE_FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Removes the files in a folder and in its own folders, and these; a folder that is not there is fine. */
static inline void store_folder_empty(int at, const char *name, int depth)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	for (const struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL;
	     e = readdir(dir)) {
		bool dots = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
		if (!dots && unlinkat(dirfd(dir), e->d_name, 0) != 0 && depth > 0) {
			store_folder_empty(dirfd(dir), e->d_name, depth - 1);
		}
	}
	if (dir != NULL) {
		(void)closedir(dir); /* only read */
	}
	(void)unlinkat(at, name, AT_REMOVEDIR); /* what a test left behind stays for its maker */
}

static inline void store_folder_remove(const char *dir)
{
	store_folder_empty(AT_FDCWD, dir, 2);
}

#endif
