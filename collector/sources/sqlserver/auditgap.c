#include "collector/sources/sqlserver/auditgap.h"

#include "base/digest.h"

#include <inttypes.h>

#define KEY_BYTES  16
#define REASON_MAX 2048

/* SHA-256 of the parts, each ended by a zero, cut to 16 bytes. */
static int set_key(struct record *record, struct str kind, struct str file, struct str detail,
		   struct arena *arena)
{
	const struct str zero = {.ptr = "", .len = 1};
	const struct str parts[] = {kind, zero, file, zero, detail};
	uint8_t digest[DIGEST_BYTES];
	digest_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), digest);
	return arena_str(arena, str_make(digest, KEY_BYTES), &record->key);
}

static int set_copy(struct record *record, unsigned field, struct str text, struct arena *arena)
{
	struct str copy;
	int status = arena_str(arena, text, &copy);
	if (status == 0) {
		record_set_text(record, field, copy);
	}
	return status;
}

static int set_reason(struct record *record, struct buf *reason, struct arena *arena)
{
	int status = reason->failed ? -ERR_LIMIT
				    : set_copy(record, FIELD_reason, buf_str(reason), arena);
	buf_done(reason);
	return status;
}

/* What both kinds of gap hold. */
static int gap_init(struct record *record, const struct auditgap_place *place, const char *kind,
		    struct arena *arena)
{
	record_init(record, RECORD_GAP);
	record->source = place->source;
	record->time_ns = place->time_ns;
	record_set_text(record, FIELD_gap_kind, str_of(kind));
	if (place->offset >= 0) {
		record_set_number(record, FIELD_file_offset, place->offset);
	}
	if (place->time_ns != 0) {
		record_set_number(record, FIELD_gap_from, place->time_ns);
	}
	return set_copy(record, FIELD_file, place->file, arena);
}

int auditgap_deleted_file(const struct auditgap_place *place, struct str next_file,
			  struct str server_text, struct arena *arena, struct record *out)
{
	struct buf reason;
	buf_init(&reason, REASON_MAX);
	if (place->offset >= 0) {
		buf_putf(&reason,
			 "The audit file %.*s went away, or its buffer at %" PRId64
			 " is valid no longer, before all behind that was read",
			 STR_ARG(place->file), place->offset);
	} else {
		buf_putf(&reason, "The audit file %.*s went away before anything in it was read",
			 STR_ARG(place->file));
	}
	buf_putf(&reason, "; reading goes on in %.*s. The server said: %.*s", STR_ARG(next_file),
		 STR_ARG(str_slice(server_text, 0, ERROR_TEXT_MAX)));
	int status = gap_init(out, place, "deleted_file", arena);
	if (status == 0) {
		status = set_key(out, STR_LIT("deleted_file"), place->file, next_file, arena);
	}
	int reason_status = set_reason(out, &reason, arena);
	return status != 0 ? status : reason_status;
}

int auditgap_skipped_records(const struct auditgap_place *place, struct str server_text,
			     struct arena *arena, struct record *out)
{
	struct buf reason;
	buf_init(&reason, REASON_MAX);
	buf_putf(&reason, "SQL Server left audit records out. It said: %.*s",
		 STR_ARG(str_slice(server_text, 0, ERROR_TEXT_MAX)));
	int status = gap_init(out, place, "skipped_records", arena);
	if (status == 0) {
		status = set_key(out, STR_LIT("skipped_records"), place->file, server_text, arena);
	}
	int reason_status = set_reason(out, &reason, arena);
	return status != 0 ? status : reason_status;
}

void auditgap_close(struct record *record, int64_t time_ns)
{
	record_set_number(record, FIELD_gap_to, time_ns);
	record->time_ns = time_ns;
}

int auditgap_reject(const struct auditgap_place *place, struct str reason, struct str raw,
		    struct arena *arena, struct record *out)
{
	record_init(out, RECORD_REJECT);
	out->source = place->source;
	out->time_ns = place->time_ns;
	if (place->offset >= 0) {
		record_set_number(out, FIELD_offset, place->offset);
	}
	int status = set_key(out, STR_LIT("reject"), place->file, raw, arena);
	if (status == 0) {
		status = set_copy(out, FIELD_raw, raw, arena);
	}
	return status != 0 ? status : set_copy(out, FIELD_reason, reason, arena);
}
