#include "query/report/target.h"

#include "base/io.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define ARENA_MAX (4u << 20)

void targets_init(struct targets *targets, const struct zone *zone)
{
	memset(targets, 0, sizeof(*targets));
	arena_init(&targets->arena, ARENA_MAX);
	targets->zone = zone;
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the files of the report");
}

static int new_file(struct targets *targets, struct target_file **out_file, struct error *err)
{
	if (targets->file_count == TARGET_FILES_MAX) {
		return error_set(err, ERR_LIMIT, "a report has at most %d files", TARGET_FILES_MAX);
	}
	struct target_file *file = arena_calloc(&targets->arena, 1, sizeof(*file));
	if (file == NULL) {
		return no_memory(err);
	}
	targets->file[targets->file_count++] = file;
	*out_file = file;
	return 0;
}

/* A device or a pipe at path would be replaced by a file: for root, /dev/null too. */
static int refuse_device(const char *path, struct error *err)
{
	struct stat info;
	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
		return error_set(err, ERR_INPUT,
				 "-o %s is no file; a report without -o goes to stdout", path);
	}
	return 0;
}

/* A file that will appear at path. */
static int open_file(struct targets *targets, struct str path, struct target_file **out_file,
		     struct error *err)
{
	struct buf name;
	struct target_file *file;
	int result = new_file(targets, &file, err);
	if (result != 0) {
		return result;
	}
	output_init(&file->output, -1, targets->zone);
	buf_init(&name, 8192);
	buf_put_str(&name, path);
	buf_put_text(&name, ".XXXXXX");
	struct str temporary = {0};
	if (name.failed || arena_str(&targets->arena, path, &file->path) != 0 ||
	    arena_str(&targets->arena, buf_str(&name), &temporary) != 0) {
		buf_done(&name);
		return no_memory(err);
	}
	result = refuse_device(file->path.ptr, err);
	if (result != 0) {
		buf_done(&name);
		return result;
	}
	char *changing = name.ptr;
	int fd = mkostemp(changing, O_CLOEXEC);
	if (fd >= 0) {
		result = arena_str(&targets->arena, str_of(changing), &file->temporary);
	} else {
		result = error_errno(err, "a file beside %s", file->path.ptr);
		result = -ERR_IO;
	}
	buf_done(&name);
	file->output.fd = fd;
	file->is_file = fd >= 0;
	*out_file = file;
	return result == -ERR_LIMIT ? no_memory(err) : result;
}

static void use_file(struct report_writer *writer, const struct report_writer_type *type,
		     struct target_file *file)
{
	*writer = (struct report_writer){.type = type, .out = &file->output};
}

int targets_add(struct targets *targets, const struct report_writer_type *type,
		const struct target_place *place, struct error *err)
{
	assert(targets->count < TARGETS_MAX);
	struct target *target = &targets->target[targets->count];
	int result;
	if (place->path != NULL) {
		result = open_file(targets, str_of(place->path), &target->file, err);
	} else {
		result = new_file(targets, &target->file, err);
		if (result == 0) {
			output_init(&target->file->output, place->fd, targets->zone);
			target->file->output.is_terminal = place->is_terminal;
		}
	}
	if (result == 0) {
		use_file(&target->writer, type, target->file);
		targets->count++;
	}
	return result;
}

static int folder_path(struct targets *targets, const char *table, const char *extension,
		       struct str *out_path)
{
	struct buf path;
	buf_init(&path, 8000);
	buf_put_str(&path, targets->folder);
	buf_put_byte(&path, '/');
	buf_put_str(&path, targets->name);
	buf_putf(&path, "%s%s%s", table != NULL ? "." : "", table != NULL ? table : "", extension);
	int result =
		path.failed ? -ERR_LIMIT : arena_str(&targets->arena, buf_str(&path), out_path);
	buf_done(&path);
	return result;
}

int targets_add_to_folder(struct targets *targets, const struct report_writer_type *type,
			  struct str folder, struct str name, struct error *err)
{
	struct str path;
	while (folder.len > 1 && folder.ptr[folder.len - 1] == '/') {
		folder.len--;
	}
	if (arena_str(&targets->arena, folder, &targets->folder) != 0 ||
	    arena_str(&targets->arena, name, &targets->name) != 0 ||
	    folder_path(targets, NULL, type->extension, &path) != 0) {
		return no_memory(err);
	}
	struct target_place place = {.path = path.ptr, .fd = -1};
	int result = targets_add(targets, type, &place, err);
	if (result == 0) {
		targets->target[targets->count - 1].split = type == &write_csv;
	}
	return result;
}

int targets_begin(struct targets *targets, const struct report_head *head, struct error *err)
{
	int result = 0;
	targets->head = head;
	for (size_t i = 0; result == 0 && i < targets->count; i++) {
		struct report_writer *writer = &targets->target[i].writer;
		writer->head = head;
		result = writer->type->begin(writer, head, err);
	}
	return result;
}

int targets_section(struct targets *targets, const struct report_section *section,
		    struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < targets->count; i++) {
		struct report_writer *writer = &targets->target[i].writer;
		result = writer->type->section(writer, section, err);
	}
	return result;
}

int targets_facts(struct targets *targets, const struct report_fact *facts, size_t count,
		  struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < targets->count; i++) {
		struct report_writer *writer = &targets->target[i].writer;
		result = writer->type->facts(writer, facts, count, err);
	}
	return result;
}

int targets_chart(struct targets *targets, const struct report_chart *chart, struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < targets->count; i++) {
		struct report_writer *writer = &targets->target[i].writer;
		result = writer->type->chart(writer, chart, err);
	}
	return result;
}

static int begin_part(struct targets *targets, struct target *target,
		      const struct report_table *table, struct error *err)
{
	struct str path;
	if (folder_path(targets, table->name, target->writer.type->extension, &path) != 0) {
		return no_memory(err);
	}
	int result = open_file(targets, path, &target->part_file, err);
	if (result != 0) {
		return result;
	}
	use_file(&target->part, target->writer.type, target->part_file);
	target->part.alone = true;
	target->part.head = targets->head;
	target->part.table = table;
	result = target->part.type->begin(&target->part, targets->head, err);
	return result == 0 ? target->part.type->table_begin(&target->part, table, err) : result;
}

int targets_table_begin(struct targets *targets, const struct report_table *table,
			struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < targets->count; i++) {
		struct target *target = &targets->target[i];
		target->writer.table = table;
		result = target->writer.type->table_begin(&target->writer, table, err);
		if (result == 0 && target->split) {
			result = begin_part(targets, target, table, err);
		}
	}
	return result;
}

/* What a file could not take is known here already, so that no more is made for it. */
static int check_output(const struct output *output, struct error *err)
{
	if (output->failure.code != 0 && err != NULL) {
		*err = output->failure;
	}
	return -output->failure.code;
}

int targets_row(struct targets *targets, const struct report_cell *cells, struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < targets->count; i++) {
		struct target *target = &targets->target[i];
		result = target->writer.type->row(&target->writer, cells, err);
		result = result == 0 ? check_output(target->writer.out, err) : result;
		if (result == 0 && target->split) {
			result = target->part.type->row(&target->part, cells, err);
		}
	}
	return result;
}

static void drop_writer(struct report_writer *writer)
{
	if (writer->type != NULL && writer->type->done != NULL) {
		writer->type->done(writer);
	}
	writer->type = NULL;
}

/* Writes out, syncs and closes; the file keeps its temporary name. */
static int finish_file(struct target_file *file, struct error *err)
{
	int result = output_flush(&file->output, err);
	if (!file->is_file || file->is_done) {
		return result;
	}
	if (result == 0 && fsync(file->output.fd) != 0) {
		(void)error_errno(err, "sync of %s", file->path.ptr);
		result = -ERR_IO;
	}
	if (close(file->output.fd) != 0 && result == 0) {
		(void)error_errno(err, "closing %s", file->path.ptr);
		result = -ERR_IO;
	}
	file->output.fd = -1;
	file->is_done = true;
	buf_done(&file->output.text);
	return result;
}

int targets_table_end(struct targets *targets, const struct report_table_end *table_end,
		      struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < targets->count; i++) {
		struct target *target = &targets->target[i];
		result = target->writer.type->table_end(&target->writer, table_end, err);
		target->writer.table = NULL;
		if (result == 0 && target->split) {
			result = target->part.type->table_end(&target->part, table_end, err);
			result = result == 0 ? target->part.type->end(&target->part, err) : result;
			drop_writer(&target->part);
			result = result == 0 ? finish_file(target->part_file, err) : result;
		}
	}
	return result;
}

int targets_note(struct targets *targets, struct str text, bool warns, struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < targets->count; i++) {
		struct report_writer *writer = &targets->target[i].writer;
		result = writer->type->note(writer, text, warns, err);
	}
	return result;
}

int targets_end(struct targets *targets, struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < targets->count; i++) {
		struct report_writer *writer = &targets->target[i].writer;
		result = writer->type->end(writer, err);
		result = result == 0 ? output_flush(writer->out, err) : result;
	}
	return result;
}

static int sync_folder_of(struct str path, struct error *err)
{
	char folder[8192];
	size_t len = path.len;
	while (len > 0 && path.ptr[len - 1] != '/') {
		len--;
	}
	int wrote = snprintf(folder, sizeof(folder), "%.*s", len > 0 ? (int)len : 1,
			     len > 0 ? path.ptr : ".");
	assert(wrote > 0 && (size_t)wrote < sizeof(folder));
	IO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0) {
		(void)error_errno(err, "sync of %s", folder);
		return -ERR_IO;
	}
	return 0;
}

int targets_commit(struct targets *targets, struct error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < targets->file_count; i++) {
		result = finish_file(targets->file[i], err);
	}
	const struct target_file *last = NULL;
	for (size_t i = 0; result == 0 && i < targets->file_count; i++) {
		struct target_file *file = targets->file[i];
		if (!file->is_file) {
			continue;
		}
		if (rename(file->temporary.ptr, file->path.ptr) != 0) {
			(void)error_errno(err, "%s", file->path.ptr);
			return -ERR_IO;
		}
		file->is_file = false; /* in place: not to be removed */
		last = file;
	}
	return result == 0 && last != NULL ? sync_folder_of(last->path, err) : result;
}

void targets_done(struct targets *targets)
{
	for (size_t i = 0; i < targets->count; i++) {
		drop_writer(&targets->target[i].writer);
		drop_writer(&targets->target[i].part);
	}
	for (size_t i = 0; i < targets->file_count; i++) {
		struct target_file *file = targets->file[i];
		if (file->is_file && file->temporary.len > 0) {
			(void)unlink(file->temporary.ptr); /* a failed report leaves nothing */
		}
		if (file->is_file && !file->is_done) {
			(void)close(file->output.fd); /* it is given up */
		}
		output_done(&file->output);
	}
	arena_done(&targets->arena);
	memset(targets, 0, sizeof(*targets));
}
