/* folder - where definitions of reports are: NAME/report.yaml in the folder of --reports, in /etc/querytrail/reports, and among those
 * that came with querytrail.
 *
 * Rules:   the first folder that has the name wins. A folder whose name a report cannot have is passed over.
 * Built-in: QUERYTRAIL_REPORTS, else share/querytrail/reports below the prefix of the running program or of the build, else conf/reports
 *          above it (a build tree).
 * Threads: any. Blocking: reads folders. Tests: tests/unit/folder.c
 */
#ifndef QUERY_REPORT_FOLDER_H
#define QUERY_REPORT_FOLDER_H

#include "query/report/definition.h"

#define FOLDER_PATHS_MAX 3
#define FOLDER_NAMES_MAX 1024

struct folders {
	char path[FOLDER_PATHS_MAX][4096];
	size_t count;
};

/* The folders to look in; extra (may be NULL) is the one of --reports. Returns 0, or ERR_USAGE when extra is no folder. */
int folders_find(const char *extra, struct folders *out_folders, struct error *err);

/* Reads the definition of a name.
 * Returns 0 and *out_definition (to be done), ERR_USAGE with "did you mean" when no folder has it, ERR_CONFIG, ERR_IO, ERR_NOMEM. */
int folders_load(const struct folders *folders, struct str name, struct definition *out_definition,
		 struct error *err);

/* The names in one folder (index < count) or in all (index SIZE_MAX), sorted, each once; texts live in the arena. Returns 0, ERR_NOMEM, or
 * ERR_LIMIT for more than FOLDER_NAMES_MAX. */
struct folder_names {
	const char *name[FOLDER_NAMES_MAX];
	size_t count;
};
int folders_list(const struct folders *folders, size_t index, struct arena *arena,
		 struct folder_names *out_names, struct error *err);

#endif
