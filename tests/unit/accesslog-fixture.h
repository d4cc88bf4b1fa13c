/* accesslog-fixture - a format, an arena and a record for tests of access log lines.
 *
 * Life:    f->record borrows from the line and the arena until the next parse. Threads: one. Blocking: never.
 */
#ifndef TESTS_UNIT_ACCESSLOG_FIXTURE_H
#define TESTS_UNIT_ACCESSLOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/accesslog/accesslog.h"

#define UUID "6a1f6cb4-8a0e-4bd4-9bb1-0c6f2d6f3b11"

struct fixture {
	struct arena arena;
	struct accesslog_format *format;
	struct record record;
	struct error err;
};

/* cmocka set-up and tear-down: a fixture without a format. */
static inline int make(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	arena_init(&f->arena, 64 << 20);
	*state = f;
	return 0;
}

static inline int unmake(void **state)
{
	struct fixture *f = *state;

	accesslog_format_free(f->format);
	arena_done(&f->arena);
	test_free(f);
	return 0;
}

/* Compiles a template; the empty one reads well-known keys. */
static inline void use_format(struct fixture *f, const char *template)
{
	struct accesslog_options options = {.format = str_of(template)};

	accesslog_format_free(f->format);
	f->format = NULL;
	assert_int_equal(accesslog_format_new(&options, &f->format, &f->err), 0);
}

/* Reads a line into f->record; gives what accesslog_parse gives. */
static inline int parse_str(struct fixture *f, struct str line)
{
	record_init(&f->record, RECORD_REQUEST);
	arena_clear(&f->arena);
	return accesslog_parse(f->format, line, &f->arena, &f->record, &f->err);
}

static inline int parse(struct fixture *f, const char *line)
{
	return parse_str(f, str_of(line));
}

/* The field holds text; NULL: it is absent. */
static inline void check_text(const struct fixture *f, unsigned field, const char *text)
{
	struct str found = record_text(&f->record, field);

	if (text == NULL) {
		if (record_has(&f->record, field)) {
			fail_msg("%s is \"%.*s\", not absent", field_info(field)->name,
				 STR_ARG(found));
		}
		return;
	}
	if (!record_has(&f->record, field) || !str_is(found, text)) {
		fail_msg("%s is \"%.*s\", not \"%s\"", field_info(field)->name, STR_ARG(found),
			 text);
	}
}

#endif
