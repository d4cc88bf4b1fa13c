/* Lines that parse are written and read back the same, and pass through the joiner and its saved state; the input is lines. */
#include "model/auditrow/auditrow.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_written(const struct auditrow *row, struct arena *arena)
{
	struct auditrow back;
	struct buf line;
	struct buf again;

	buf_init(&line, 0);
	buf_init(&again, 0);
	auditrow_put_line(row, &line);
	if (line.len <= AUDITROW_LINE_MAX &&
	    auditrow_parse_line(buf_str(&line), arena, &back, NULL) == 0) {
		auditrow_put_line(&back, &again);
		assert(str_equal(buf_str(&line), buf_str(&again)));
	}
	buf_done(&again);
	buf_done(&line);
}

static void take_all(struct auditrow_joiner *joiner, struct arena *arena)
{
	struct record record;
	struct error err;
	struct buf out;
	int code;

	buf_init(&out, 0);
	while ((code = auditrow_joiner_take(joiner, arena, &record, &err)) == 0) {
		buf_clear(&out);
		assert(record_encode(&record, &out, &err) == 0);
	}
	assert(code == -ERR_GONE || code == -ERR_LIMIT);
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct auditrow_joiner *joiner = auditrow_joiner_new(STR_LIT("db"), 1 << 20);
	struct str rest = str_make(data, size);
	struct auditrow row;
	struct arena arena;
	struct error err;
	struct buf saved;

	assert(joiner != NULL);
	arena_init(&arena, 1 << 24);
	buf_init(&saved, 0);
	(void)auditrow_joiner_restore(joiner, rest, &err); /* any answer will do, but an end */
	while (rest.ptr != NULL) {
		if (auditrow_parse_line(str_split(&rest, '\n'), &arena, &row, &err) != 0) {
			continue;
		}
		check_written(&row, &arena);
		assert(auditrow_joiner_add(joiner, &row, &err) == 0);
		auditrow_joiner_save(joiner, &saved);
		assert(auditrow_joiner_restore(joiner, buf_str(&saved), &err) == 0);
		buf_clear(&saved);
	}
	auditrow_joiner_flush(joiner, true);
	take_all(joiner, &arena);
	auditrow_joiner_free(joiner);
	buf_done(&saved);
	arena_done(&arena);
	return 0;
}
