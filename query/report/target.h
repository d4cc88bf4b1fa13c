/* target - where a report goes: one format to a descriptor, a file, or the files of a folder; and several of them at once.
 *
 * Files:   written beside their place under a temporary name, mode 0600; targets_commit syncs them and puts them in place. Without
 *          it the old ones stay and the temporary ones are removed.
 * Folder:  NAME.EXTENSION for each format; csv has besides NAME.TABLE.csv for each table.
 * Errors:  ERR_IO, ERR_GONE (the reader of a descriptor is gone), ERR_NOMEM, ERR_LIMIT.
 * Threads: one per thread. Blocking: writes. Tests: tests/unit/target.c
 */
#ifndef QUERY_REPORT_TARGET_H
#define QUERY_REPORT_TARGET_H

#include "base/arena.h"
#include "query/report/writer.h"

#define TARGETS_MAX      8
#define TARGET_FILES_MAX 512

struct target_file {
	struct str path, temporary;
	struct output output;
	bool is_file; /* else a descriptor that is not ours */
	bool is_done; /* flushed, synced and closed */
};

struct target {
	struct report_writer writer;
	struct target_file *file;
	bool split;                /* csv in a folder: each table also in a file of its own */
	struct report_writer part; /* its writer while a table is open */
	struct target_file *part_file;
};

struct targets {
	struct arena arena;
	struct target target[TARGETS_MAX];
	size_t count;
	struct target_file *file[TARGET_FILES_MAX];
	size_t file_count;
	const struct zone *zone;
	struct str folder, name; /* empty: no folder */
	const struct report_head *head;
};

/* Prepares; zone is borrowed. */
void targets_init(struct targets *targets, const struct zone *zone);

/* Adds a format to a descriptor, or to the file at path (fd -1). */
struct target_place {
	const char *path; /* NULL: fd */
	int fd;
	bool is_terminal;
};
int targets_add(struct targets *targets, const struct report_writer_type *type,
		const struct target_place *place, struct error *err);

/* Adds a format to a folder, as NAME.EXTENSION. */
int targets_add_to_folder(struct targets *targets, const struct report_writer_type *type,
			  struct str folder, struct str name, struct error *err);

/* The calls of a writer, to each target. */
int targets_begin(struct targets *targets, const struct report_head *head, struct error *err);
int targets_section(struct targets *targets, const struct report_section *section,
		    struct error *err);
int targets_facts(struct targets *targets, const struct report_fact *facts, size_t count,
		  struct error *err);
int targets_chart(struct targets *targets, const struct report_chart *chart, struct error *err);
int targets_table_begin(struct targets *targets, const struct report_table *table,
			struct error *err);
int targets_row(struct targets *targets, const struct report_cell *cells, struct error *err);
int targets_table_end(struct targets *targets, const struct report_table_end *table_end,
		      struct error *err);
int targets_note(struct targets *targets, struct str text, bool warns, struct error *err);
int targets_end(struct targets *targets, struct error *err);

/* Puts all files in place, after targets_end. Returns 0 or ERR_IO; then some may be in place and no file is half. */
int targets_commit(struct targets *targets, struct error *err);

/* Frees; removes what was not put in place. */
void targets_done(struct targets *targets);

#endif
