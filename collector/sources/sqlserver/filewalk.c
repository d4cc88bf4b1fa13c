#include "collector/sources/sqlserver/filewalk.h"

#define PATH_MAX_BYTES  8192
#define NAMES_MAX_BYTES (4u << 20)

void filewalk_init(struct filewalk *walk, const struct auditdb *db, bool has_transmitted,
		   struct str file_pattern)
{
	*walk = (struct filewalk){.db = db, .has_transmitted = has_transmitted};
	buf_init(&walk->folder, PATH_MAX_BYTES);
	buf_init(&walk->pattern, PATH_MAX_BYTES);
	buf_init(&walk->current, AUDITFILE_NAME_MAX);
	buf_init(&walk->scratch, NAMES_MAX_BYTES);
	buf_init(&walk->path, PATH_MAX_BYTES);
	if (file_pattern.len > 0) {
		walk->configured = true;
		buf_put_str(&walk->pattern, file_pattern);
		buf_put_str(&walk->folder, auditfile_folder(file_pattern));
	} else if (has_transmitted) {
		buf_put_text(&walk->folder, "D:\\rdsdbdata\\SQLAudit\\");
		buf_put_str(&walk->pattern, buf_str(&walk->folder));
		buf_put_text(&walk->pattern, "*.sqlaudit");
	}
}

void filewalk_done(struct filewalk *walk)
{
	buf_done(&walk->folder);
	buf_done(&walk->pattern);
	buf_done(&walk->current);
	buf_done(&walk->scratch);
	buf_done(&walk->path);
}

static void set_text(struct buf *buf, struct str text)
{
	buf_clear(buf);
	buf_put_str(buf, text);
}

void filewalk_learn_status(struct filewalk *walk, const struct auditdb_status *status)
{
	if (status->path.len == 0) {
		return;
	}
	set_text(&walk->current, auditrow_basename(status->path));
	if (!walk->configured && auditfile_folder(status->path).len > 0) {
		set_text(&walk->folder, auditfile_folder(status->path));
		buf_clear(&walk->pattern);
		auditfile_put_pattern(&walk->pattern, status->path);
	}
}

void filewalk_learn_settings(struct filewalk *walk, const struct auditdb_settings *settings)
{
	/* The file that is written, when it is known, says the same more exactly. */
	if (walk->configured || walk->current.len > 0 || settings->folder.len == 0) {
		return;
	}
	set_text(&walk->folder, settings->folder);
	char last = settings->folder.ptr[settings->folder.len - 1];
	if (last != '\\' && last != '/') {
		buf_put_byte(&walk->folder, '\\');
	}
	struct str name = settings->file_name;
	if (str_has_suffix(name, STR_LIT(".sqlaudit"))) {
		name.len -= sizeof(".sqlaudit") - 1;
	}
	set_text(&walk->pattern, buf_str(&walk->folder));
	buf_put_str(&walk->pattern, name);
	buf_put_text(&walk->pattern, name.len > 0 ? "_*.sqlaudit" : "*.sqlaudit");
}

int filewalk_ready(const struct filewalk *walk, struct error *err)
{
	if (walk->pattern.len == 0 || walk->pattern.failed || walk->folder.failed) {
		return error_set(err, ERR_CONFIG,
				 "nothing tells where the audit files are: the login sees no audit "
				 "that writes files in sys.dm_server_audit_status or "
				 "sys.server_file_audits; start the audit, grant the login the "
				 "right to see it, or set file_pattern");
	}
	return 0;
}

static void put_folder(struct filewalk *walk, bool transmitted, struct buf *out)
{
	if (transmitted) {
		auditfile_put_transmitted(out, buf_str(&walk->folder));
	} else {
		buf_put_str(out, buf_str(&walk->folder));
	}
}

/* The pattern of all files in one of the two folders, in scratch. */
static struct str pattern_in(struct filewalk *walk, bool transmitted)
{
	if (!transmitted) {
		return buf_str(&walk->pattern);
	}
	buf_clear(&walk->path);
	put_folder(walk, true, &walk->path);
	buf_put_str(&walk->path, auditrow_basename(buf_str(&walk->pattern)));
	return buf_str(&walk->path);
}

struct auditdb_range filewalk_range(struct filewalk *walk, const struct auditcursor *cursor,
				    uint64_t row_limit)
{
	buf_clear(&walk->path);
	put_folder(walk, walk->transmitted, &walk->path);
	buf_put_str(&walk->path, auditcursor_file(cursor));
	struct auditdb_range range = {.pattern = buf_str(&walk->path),
				      .offset = AUDITCURSOR_START,
				      .row_limit = row_limit};
	if (cursor->before_offset != AUDITCURSOR_START) {
		range.file = range.pattern;
		range.offset = cursor->before_offset;
	}
	return range;
}

/* Puts the smaller of what out holds and the name into out, unless the name is older than from, or equal to it when
 * behind is set. */
static bool keep_oldest(struct str name, struct str from, bool behind, struct buf *out)
{
	struct str base = auditrow_basename(name);
	int order = from.len > 0 ? auditfile_compare(base, from) : 1;
	if (base.len == 0 || order < 0 || (behind && order == 0)) {
		return false;
	}
	if (out->len > 0 && auditfile_compare(buf_str(out), base) <= 0) {
		return false;
	}
	set_text(out, base);
	return true;
}

/* The files of one folder: all of them, or the first when the server needs too long for all. */
static int names_in(struct filewalk *walk, bool transmitted, struct error *err)
{
	buf_clear(&walk->scratch);
	int status = walk->db->list_files(walk->db->owner, pattern_in(walk, transmitted),
					  &walk->scratch, err);
	if (status == -ERR_AGAIN) {
		buf_clear(&walk->scratch);
		status = walk->db->first_file(walk->db->owner, pattern_in(walk, transmitted),
					      &walk->scratch, err);
		buf_put_byte(&walk->scratch, '\0');
	}
	if (status == -ERR_GONE) {
		buf_clear(&walk->scratch);
		return 0;
	}
	return status != 0 ? status : buf_check(&walk->scratch, "the list of audit files", err);
}

int filewalk_oldest(struct filewalk *walk, struct str from, struct buf *out, struct error *err)
{
	for (int transmitted = walk->has_transmitted ? 1 : 0; transmitted >= 0; transmitted--) {
		int status = names_in(walk, transmitted != 0, err);
		if (status != 0) {
			return status;
		}
		struct str rest = buf_str(&walk->scratch);
		while (rest.ptr != NULL && rest.len > 0) {
			if (keep_oldest(str_split(&rest, '\0'), from, false, out)) {
				walk->transmitted = transmitted != 0;
			}
		}
	}
	return 0;
}

/* The first file of the main folder, when the cursor's has moved away from there. */
static int first_in_main(struct filewalk *walk, const struct auditcursor *cursor, struct buf *out,
			 bool *out_found, struct error *err)
{
	buf_clear(&walk->scratch);
	int status =
		walk->db->first_file(walk->db->owner, buf_str(&walk->pattern), &walk->scratch, err);
	if (status != 0 && status != -ERR_GONE) {
		return status;
	}
	*out_found = status == 0 &&
		     keep_oldest(buf_str(&walk->scratch), auditcursor_file(cursor), true, out);
	return 0;
}

int filewalk_next(struct filewalk *walk, const struct auditcursor *cursor, struct buf *out,
		  struct error *err)
{
	struct buf *name = &walk->scratch;
	struct auditdb_range range = {.row_limit = 1, .offset = AUDITCURSOR_START};
	char file[PATH_MAX_BYTES];
	range = filewalk_range(walk, cursor, 1);
	if (cursor->last_offset != AUDITCURSOR_START && range.pattern.len <= sizeof(file)) {
		memcpy(file, range.pattern.ptr, range.pattern.len);
		range.file = str_make(file, range.pattern.len);
		range.offset = cursor->last_offset;
		range.pattern = pattern_in(walk, walk->transmitted);
		buf_clear(name);
		int status = walk->db->next_file(walk->db->owner, &range, auditcursor_file(cursor),
						 name, err);
		if (status != 0) {
			return status;
		}
		(void)keep_oldest(buf_str(name), auditcursor_file(cursor), true, out); /* or none */
	} else {
		/* Nothing was ever read of it: no offset to go on from. */
		bool was = walk->transmitted;
		struct buf found;
		buf_init(&found, AUDITFILE_NAME_MAX);
		int status = filewalk_oldest(walk, auditcursor_file(cursor), &found, err);
		bool same = str_equal(buf_str(&found), auditcursor_file(cursor));
		if (status == 0 && !same) {
			buf_put_str(out, buf_str(&found));
		}
		walk->transmitted = same || found.len == 0 ? was : walk->transmitted;
		buf_done(&found);
		return status;
	}
	if (!walk->transmitted) {
		return 0;
	}
	bool in_main = false;
	int status = first_in_main(walk, cursor, out, &in_main, err);
	if (in_main) {
		walk->transmitted = false;
	}
	return status;
}

bool filewalk_try_transmitted(struct filewalk *walk)
{
	if (!walk->has_transmitted || walk->transmitted) {
		return false;
	}
	walk->transmitted = true;
	return true;
}
