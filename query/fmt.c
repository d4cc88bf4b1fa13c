#include "query/fmt.h"

#include "base/utf8.h"

#include <assert.h>
#include <stdio.h>

static const struct fmt_type *const types[] = {&fmt_table, &fmt_text, &fmt_json, &fmt_jsonl,
					       &fmt_csv};

const struct fmt_type *fmt_find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i]->name, name) == 0) {
			return types[i];
		}
	}
	return NULL;
}

const struct fmt_type *const *fmt_types(size_t *out_count)
{
	*out_count = sizeof(types) / sizeof(types[0]);
	return types;
}

void fmt_init(struct fmt *fmt, struct output *out, bool with_raw)
{
	*fmt = (struct fmt){.out = out, .with_raw = with_raw};
	fmt->column_count = trail_columns(fmt->column);
	for (size_t i = 0; i < fmt->column_count; i++) { /* names need no escapes */
		int len = snprintf(fmt->key[i], FMT_KEY_MAX, "\"%s\":", fmt->column[i].name);
		assert(len > 0 && len < FMT_KEY_MAX);
		fmt->key_len[i] = (size_t)len;
	}
}

static void note_asked(struct fmt *fmt, const struct node *node)
{
	if (node == NULL) {
		return;
	}
	if (node->type != NODE_TERM) {
		note_asked(fmt, node->left);
		note_asked(fmt, node->right);
		return;
	}
	const struct term *term = node->term;
	bool fixed = (term->op == COMPARE_HAS || term->op == COMPARE_EQUAL) &&
		     str_find_byte(term->value, '*', 0) < 0 &&
		     str_find_byte(term->value, '?', 0) < 0;
	for (size_t i = 0; !fixed && i < term->word.place_count; i++) {
		unsigned field = term->word.place[i].field;
		if (field < FIELD_LIMIT) {
			fmt->asked[field / 64] |= UINT64_C(1) << (field % 64);
		}
	}
}

void fmt_note_asked(struct fmt *fmt, const struct query *query)
{
	note_asked(fmt, query->root);
}

enum style fmt_grade_style(enum grade grade)
{
	switch (grade) {
	case GRADE_A:
	case GRADE_B:
		return STYLE_GOOD;
	case GRADE_C:
	case GRADE_D:
		return STYLE_DOUBT;
	case GRADE_X:
	case GRADE_U1:
		return STYLE_BAD;
	case GRADE_U2:
	case GRADE_PENDING:
	case GRADE_COUNT:
		break;
	}
	return STYLE_DIM;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

void fmt_put_one_line(struct buf *out, struct str text)
{
	size_t begin = 0;
	bool any = false;
	while (begin < text.len) {
		size_t end = begin;
		while (end < text.len && !is_blank(text.ptr[end])) {
			end++;
		}
		if (end > begin) {
			if (any) {
				buf_put_byte(out, ' ');
			}
			utf8_put_printable(out, str_slice(text, begin, end - begin));
			any = true;
		}
		begin = end + 1;
	}
}
