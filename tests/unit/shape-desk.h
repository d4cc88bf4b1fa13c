/* shape-desk - records laid against shapes, and made again from what the shapes say is to be kept. For tests only.
 *
 * Threads: one desk per thread. Blocking: never.
 */
#ifndef TESTS_UNIT_SHAPE_DESK_H
#define TESTS_UNIT_SHAPE_DESK_H

#include "base/clock.h"
#include "base/digest.h"
#include "model/accesslog/accesslog.h"
#include "model/auditrow/auditrow.h"
#include "store/block/shape.h"

#include <stdlib.h>

#define DESK_NO_LINKS                                     \
	((struct shape_links){.subject_leaf = UINT64_MAX, \
			      .request_leaf = UINT64_MAX, \
			      .parent_time_ns = INT64_MIN})

struct desk {
	struct shapes *shapes;
	struct arena arena;
	struct accesslog_format *format;
	struct shape_fit fit;
	struct error err;
	size_t kept_bytes; /* of fields, slots and key that a block would keep of the last record */
};

static inline void desk_begin(struct desk *desk)
{
	const struct accesslog_options options = {0};
	memset(desk, 0, sizeof *desk);
	desk->shapes = shapes_new();
	arena_init(&desk->arena, (size_t)256 << 20);
	if (desk->shapes == NULL ||
	    accesslog_format_new(&options, &desk->format, &desk->err) != 0) {
		abort();
	}
}

static inline void desk_end(struct desk *desk)
{
	shapes_free(desk->shapes);
	accesslog_format_free(desk->format);
	arena_done(&desk->arena);
}

/* The record that is kept: kind, source, kept fields; what follows is added by shapes_render. */
static inline void desk_keep(const struct desk *desk, const struct record *record,
			     struct record *out)
{
	record_init(out, record->kind);
	out->source = record->source;
	if (desk->fit.keeps_key) {
		out->key = record->key;
	}
	if (desk->fit.keeps_time) {
		out->time_ns = record->time_ns;
	}
	out->present[0] = desk->fit.kept[0];
	out->present[1] = desk->fit.kept[1];
	for (unsigned f = 0; f < FIELD_LIMIT; f++) {
		if (record_has(out, f)) {
			out->value[f] = record->value[f];
		}
	}
}

static inline size_t desk_size(const struct desk *desk, const struct record *record)
{
	struct record kept;
	desk_keep(desk, record, &kept);
	size_t size = kept.key.len;
	for (unsigned f = 0; f < FIELD_LIMIT; f++) {
		if (record_has(&kept, f)) {
			bool text = field_info(f)->type == FIELD_TYPE_TEXT ||
				    field_info(f)->type == FIELD_TYPE_BYTES;
			size += text ? kept.value[f].text.len : 2;
		}
	}
	for (size_t i = 0; i < desk->fit.slot_count; i++) {
		size += desk->fit.slot[i].is_number ? 2 : desk->fit.slot[i].text.len;
	}
	return size;
}

/* Whether a record comes back from what is kept of it, by these shapes. */
static inline bool desk_comes_back(struct desk *desk, const struct shapes *shapes,
				   const struct record *record, const struct shape_links *links)
{
	struct record again;
	struct buf there, back;
	desk_keep(desk, record, &again);
	for (unsigned f = 0; f < FIELD_LIMIT; f++) {
		if (shape_computes(shapes, desk->fit.shape, f) && record_has(&again, f)) {
			return false;
		}
	}
	if (shapes_render(shapes, &desk->fit, links, &desk->arena, &again) != 0) {
		return false;
	}
	buf_init(&there, 0);
	buf_init(&back, 0);
	bool same = record_encode(record, &there, &desk->err) == 0 &&
		    record_encode(&again, &back, &desk->err) == 0 &&
		    str_equal(buf_str(&there), buf_str(&back));
	buf_done(&there);
	buf_done(&back);
	return same;
}

/* Fits a record and proves that it comes back, also by the shapes saved and restored. */
static inline bool desk_check(struct desk *desk, const struct record *record,
			      const struct shape_links *links)
{
	uint32_t names[SHAPE_SLOTS_MAX];
	bool is_number[SHAPE_SLOTS_MAX];
	struct shapes *restored = shapes_new();
	struct buf saved, again;
	buf_init(&saved, 0);
	buf_init(&again, 0);
	bool good = restored != NULL &&
		    shapes_fit(desk->shapes, record, links, &desk->arena, &desk->fit) == 0;
	if (good) {
		shapes_save(desk->shapes, &saved);
		good = shapes_restore(restored, buf_str(&saved), &desk->err) == 0;
	}
	if (good) {
		shapes_save(restored, &again);
		good = str_equal(buf_str(&saved), buf_str(&again)) &&
		       desk_comes_back(desk, desk->shapes, record, links) &&
		       desk_comes_back(desk, restored, record, links);
	}
	if (good) {
		size_t count = shape_slots(restored, desk->fit.shape, names, is_number);
		good = count == desk->fit.slot_count;
		for (size_t i = 0; good && i < count; i++) {
			good = desk->fit.slot[i].name == names[i] &&
			       desk->fit.slot[i].is_number == is_number[i];
		}
		good = good &&
		       desk->fit.keeps_key == !shape_computes_key(restored, desk->fit.shape) &&
		       desk->fit.keeps_time == !shape_computes_time(restored, desk->fit.shape);
		desk->kept_bytes = desk_size(desk, record);
	}
	buf_done(&saved);
	buf_done(&again);
	shapes_free(restored);
	return good;
}

/* The key of an imported line: SHA-256[:16], ordinal. */
static inline struct str desk_line_key(struct desk *desk, struct str line, uint32_t ordinal)
{
	uint8_t digest[DIGEST_BYTES];
	char *key = arena_alloc(&desk->arena, 20);
	digest_sha256(line, digest);
	memcpy(key, digest, 16);
	for (unsigned i = 0; i < 4; i++) {
		key[16 + i] = (char)(ordinal >> (8 * i));
	}
	return str_make(key, 20);
}

/* The record of an access log line as an import makes it. False: it is none. */
static inline bool desk_request(struct desk *desk, struct str line, uint32_t ordinal,
				struct record *out)
{
	record_init(out, RECORD_REQUEST);
	out->source = STR_LIT("api");
	out->key = desk_line_key(desk, line, ordinal);
	out->time_ns = 0;
	return accesslog_parse(desk->format, line, &desk->arena, out, &desk->err) == 0;
}

/* The record of audit rows, one a line. False: there is none. */
static inline bool desk_statement(struct desk *desk, struct str lines, uint64_t ordinal,
				  struct record *out)
{
	struct auditrow_joiner *joiner = auditrow_joiner_new(STR_LIT("db"), 1 << 24);
	struct auditrow *row = malloc(sizeof *row);
	bool good = joiner != NULL && row != NULL;
	for (struct str rest = lines; rest.ptr != NULL && good;) {
		struct str line = str_split(&rest, '\n');
		good = auditrow_parse_line(line, &desk->arena, row, &desk->err) == 0;
		if (good) {
			const struct auditrow_column *file = auditrow_column(row, "file_name");
			const struct auditrow_column *at =
				auditrow_column(row, "audit_file_offset");
			if (file != NULL && at != NULL) {
				auditrow_key(row, auditrow_basename(file->text), at->number,
					     ordinal);
			} else {
				memcpy(row->key, desk_line_key(desk, line, 0).ptr, 16);
				row->key[12] ^= (uint8_t)ordinal;
			}
			good = auditrow_joiner_add(joiner, row, &desk->err) == 0;
		}
	}
	if (good) {
		auditrow_joiner_flush(joiner, true);
		good = auditrow_joiner_take(joiner, &desk->arena, out, &desk->err) == 0;
	}
	auditrow_joiner_free(joiner);
	free(row);
	return good;
}

#endif
