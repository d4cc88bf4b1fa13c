/* folder - the rule files of a folder and its subfolders, in order of their names.
 *
 * Shape:   *.yml and *.yaml that are files (links are followed); hidden names are passed over; a folder's files and subfolders stand in
 *          one order, by bytes. A link to a folder on the way down is passed over: what it shows is read already.
 * Limits:  16 folders deep; FOLDER_FILES_MAX files.
 * Threads: any. Blocking: reads folders. Tests: tests/unit/pack.c
 */
#ifndef CORRELATOR_RULES_FOLDER_H
#define CORRELATOR_RULES_FOLDER_H

#include "base/error.h"

#define FOLDER_FILES_MAX 65536

struct folder_walk {
	/* Each file; with fault (a sentence) what could not be read. Another result than 0 ends the walk and is returned. */
	int (*found)(void *owner, const char *path, const char *fault);
	void *owner;
	unsigned file_count;
};

/* Walks path: a folder, or one file whatever its name. Returns 0, what found returned, or ERR_CONFIG when path itself can't be read. */
int folder_walk(struct folder_walk *walk, const char *path, struct error *err);

#endif
