#include "query/question.h"

#include "base/utf8.h"
#include "query/argument.h"

#include <stdio.h>

#define ARENA_MAX (4u << 20)

void question_init(struct question *question)
{
	*question = (struct question){.limit = UINT64_MAX};
	buf_init(&question->text, 1u << 20);
	arena_init(&question->arena, ARENA_MAX);
}

void question_done(struct question *question)
{
	buf_done(&question->text);
	arena_done(&question->arena);
}

/* Appends the line of the filter that the error names, and a mark below the place. */
static void show_place(const struct buf *filter, struct error *err)
{
	char sentence[ERROR_TEXT_MAX];
	size_t line = 0;
	size_t column = 0;
	if (sscanf(err->text, "query:%zu:%zu:", &line, &column) != 2) {
		return;
	}
	struct str rest = buf_str(filter);
	struct str text = rest;
	for (size_t i = 0; i < line; i++) {
		text = str_split(&rest, '\n');
	}
	if (text.len == 0 || utf8_width(text) > 200) {
		return;
	}
	struct buf safe;
	buf_init(&safe, ERROR_TEXT_MAX);
	utf8_put_printable(&safe, text);
	memcpy(sentence, err->text, sizeof(sentence));
	(void)snprintf(err->text, sizeof(err->text), "%.600s\n  %.*s\n  %*s", sentence,
		       STR_ARG(buf_str(&safe)), (int)column,
		       "^"); /* a cut one still has the place */
	buf_done(&safe);
}

int question_read(struct session *session, char *const *words, size_t word_count,
		  struct question *question, struct error *err)
{
	struct plan_options *options = &question->options;
	int result = session_number(session, OPTION_LIMIT, question->limit, &question->limit, err);
	if (result == 0) {
		result = session_range(session, &options->from_ns, &options->to_ns, err);
	}
	const char *grades = session_option(session, OPTION_GRADE);
	if (result == 0 && grades != NULL && !grade_parse_set(str_of(grades), &options->grades)) {
		return error_set(err, ERR_USAGE,
				 "--grade wants grades out of A B C D U1 U2 U X pending, as in AB, "
				 "not \"%s\"",
				 grades);
	}
	if (result != 0) {
		return result;
	}
	options->context = (struct match_context){&session->zone, session->surroundings->now_ns};
	argument_join(words, word_count, &question->text);
	result = query_parse(buf_str(&question->text), &question->arena, &question->query, err);
	if (result == 0) {
		result = plan_make(&question->query, options, &question->plan, err);
	}
	if (result == -ERR_USAGE) {
		show_place(&question->text, err);
	}
	return result;
}
