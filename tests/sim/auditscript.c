#include "tests/sim/auditscript.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static struct script_file *script_file(struct script *script, struct str path)
{
	struct str base = auditrow_basename(path);
	bool transmitted = str_find(path, STR_LIT("transmitted"), 0) >= 0;
	for (size_t i = 0; i < script->file_count; i++) {
		struct script_file *file = &script->files[i];
		if (!file->deleted && str_is(base, file->name) &&
		    file->transmitted == transmitted) {
			return file;
		}
	}
	return NULL;
}

static int script_begin(void *owner, int64_t deadline_ns, struct error *err)
{
	(void)owner;
	(void)deadline_ns;
	(void)err;
	return 0;
}

static int script_gone(struct error *err, int number)
{
	return error_set(err, ERR_GONE, "message %d", number);
}

static int script_read(void *owner, const struct auditdb_range *range, struct error *err)
{
	struct script *script = owner;
	script->read_count++;
	assert(str_find_byte(range->pattern, '*', 0) < 0);
	script->reading = script_file(script, range->pattern);
	if (script->reading == NULL) {
		return script_gone(err, 33224);
	}
	if (script->bad_offset && range->file.len > 0) {
		return script_gone(err, 33225);
	}
	script->at = 0;
	script->behind = range->file.len > 0 ? range->offset : -1;
	script->left = range->row_limit;
	return 0;
}

static void script_column(struct auditrow *row, const char *name, enum auditrow_type type,
			  int64_t number, struct str text)
{
	row->column[row->column_count++] = (struct auditrow_column){
		.name = str_of(name), .type = type, .number = number, .text = text};
}

static void script_fill(const struct script_file *file, const struct script_row *from,
			struct auditrow *row)
{
	row->column_count = 0;
	row->line = (struct str){0};
	script_column(row, "event_time", AUDITROW_TIME, from->time_ns, (struct str){0});
	script_column(row, "sequence_number", AUDITROW_INT, from->sequence, (struct str){0});
	script_column(row, "action_id", AUDITROW_TEXT, 0, STR_LIT("SL  "));
	script_column(row, "succeeded", AUDITROW_BOOL, 1, (struct str){0});
	script_column(row, "session_id", AUDITROW_INT, from->session, (struct str){0});
	script_column(row, "statement", AUDITROW_TEXT, 0, str_of(from->text));
	script_column(row, "file_name", AUDITROW_TEXT, 0, str_of(file->name));
	script_column(row, "audit_file_offset", AUDITROW_INT, from->offset, (struct str){0});
}

static int script_next(void *owner, struct arena *arena, struct auditdb_item *out,
		       struct error *err)
{
	struct script *script = owner;
	(void)arena;
	if (script->close_after == 0) {
		return error_set(err, ERR_AGAIN, "closed");
	}
	while (script->left > 0 && script->at < script->reading->row_count) {
		struct script_row *row = &script->reading->rows[script->at++];
		if (row->offset <= script->behind) {
			continue;
		}
		if (row->skipped) {
			out->kind = AUDITDB_SKIPPED;
			out->reason = str_of(row->text);
			return 0;
		}
		script->left--;
		if (script->close_after > 0) {
			script->close_after--;
		}
		out->kind = row->bad ? AUDITDB_BAD_ROW : AUDITDB_ROW;
		out->reason = STR_LIT("column event_time is outside of 1677 to 2262");
		out->raw = str_of(row->text);
		script_fill(script->reading, row, &out->row);
		return 0;
	}
	out->kind = AUDITDB_END;
	return 0;
}

static void script_stop(void *owner)
{
	(void)owner;
}

static bool script_is_listed(const struct script_file *file, struct str pattern)
{
	bool transmitted = str_find(pattern, STR_LIT("transmitted"), 0) >= 0;
	return !file->deleted && file->transmitted == transmitted && file->row_count > 0;
}

static int script_next_file(void *owner, const struct auditdb_range *range, struct str base_name,
			    struct buf *out, struct error *err)
{
	struct script *script = owner;
	struct script_file *file = script_file(script, range->file);
	script->next_count++;
	if (file == NULL) {
		return script_gone(err, 33225);
	}
	assert(str_is(base_name, file->name));
	for (; file < script->files + script->file_count; file++) {
		if (script_is_listed(file, range->pattern) && !str_is(base_name, file->name)) {
			buf_put_text(out, file->name);
			return 0;
		}
	}
	return 0;
}

static int script_list_files(void *owner, struct str pattern, struct buf *out, struct error *err)
{
	struct script *script = owner;
	bool any = false;
	script->list_count++;
	if (script->list_late) {
		return error_set(err, ERR_AGAIN, "did not answer in time");
	}
	/* In the wrong order: the walk must sort. */
	for (size_t i = script->file_count; i > 0; i--) {
		if (script_is_listed(&script->files[i - 1], pattern)) {
			buf_put(out, script->files[i - 1].name,
				strlen(script->files[i - 1].name) + 1);
			any = true;
		}
	}
	return any ? 0 : script_gone(err, 33224);
}

static int script_first_file(void *owner, struct str pattern, struct buf *out, struct error *err)
{
	struct script *script = owner;
	for (size_t i = 0; i < script->file_count; i++) {
		if (script_is_listed(&script->files[i], pattern)) {
			buf_put_text(out, script->files[i].name);
			return 0;
		}
	}
	return script_gone(err, 33224);
}

static int script_status(void *owner, struct str audit, struct arena *arena,
			 struct auditdb_status *out, struct error *err)
{
	struct script *script = owner;
	char path[256];
	(void)audit;
	if (script->deny_status) {
		return error_set(err, ERR_AUTH, "VIEW SERVER STATE was denied");
	}
	*out = (struct auditdb_status){
		.audit_count = script->audit_count,
		.names = STR_LIT("app"),
		.state = STR_LIT("STARTED"),
	};
	if (script->file_count == 0) {
		return 0;
	}
	snprintf(path, sizeof(path), "D:\\audit\\%s", script->files[script->file_count - 1].name);
	return arena_str(arena, str_of(path), &out->path);
}

static int script_settings(void *owner, struct str audit, struct arena *arena,
			   struct auditdb_settings *out, struct error *err)
{
	struct script *script = owner;
	(void)audit;
	(void)arena;
	if (script->deny_settings) {
		return error_set(err, ERR_AUTH, "VIEW ANY DEFINITION was denied");
	}
	*out = (struct auditdb_settings){
		.audit_count = 1,
		.folder = STR_LIT("D:\\audit"),
		.file_name = STR_LIT("app_0D3C2F4E.sqlaudit"),
		.queue_delay_ns = NS_PER_SEC,
		.on_failure = STR_LIT("CONTINUE"),
	};
	return 0;
}

static int script_server(void *owner, struct arena *arena, struct auditdb_server *out,
			 struct error *err)
{
	(void)owner;
	(void)arena;
	(void)err;
	*out = (struct auditdb_server){
		.now_ns = SCRIPT_TIME + 3 * NS_PER_SEC,
		.asked_ns = SCRIPT_TIME,
		.answered_ns = SCRIPT_TIME,
		.name = STR_LIT("DB01"),
		.version = STR_LIT("16.0.1"),
	};
	return 0;
}

void script_init(struct script *script)
{
	*script = (struct script){.close_after = -1, .audit_count = 1};
	script->db = (struct auditdb){
		.owner = script,
		.begin = script_begin,
		.read = script_read,
		.next = script_next,
		.stop = script_stop,
		.next_file = script_next_file,
		.list_files = script_list_files,
		.first_file = script_first_file,
		.status = script_status,
		.settings = script_settings,
		.server = script_server,
	};
}

void script_done(struct script *script)
{
	for (size_t i = 0; i < script->file_count; i++) {
		free(script->files[i].rows);
	}
}

struct script_file *script_add_file(struct script *script)
{
	assert(script->file_count < SCRIPT_FILES);
	struct script_file *file = &script->files[script->file_count];
	snprintf(file->name, sizeof(file->name), "app_0D3C2F4E_0_%zu.sqlaudit",
		 script->file_count + 8);
	file->rows = calloc(SCRIPT_ROWS, sizeof(*file->rows));
	assert(file->rows != NULL);
	script->file_count++;
	return file;
}

struct script_row *script_add_row(struct script_file *file, int64_t offset, const char *text)
{
	assert(file->row_count < SCRIPT_ROWS);
	struct script_row *row = &file->rows[file->row_count];
	*row = (struct script_row){.offset = offset,
				   .time_ns = SCRIPT_TIME + (int64_t)file->row_count * NS_PER_MS,
				   .sequence = 1,
				   .session = 51};
	snprintf(row->text, sizeof(row->text), "%s", text);
	file->row_count++;
	return row;
}
