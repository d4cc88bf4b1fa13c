#include "correlator/rules/matcher-part.h"

#include "base/utf8.h"

#define LINE_MAX_BYTES 480
#define TEXT_MAX       80
#define BEFORE         24
#define SHOWN_MAX      16

struct part { /* of the line, in bytes; without what separates it */
	size_t start, end;
};

struct line {
	struct matcher *matcher;
	uint32_t shown[SHOWN_MAX];
	size_t shown_count;
	struct part parts[SHOWN_MAX]; /* what was said of them, each once */
	size_t part_count;
	bool negations; /* now those that were passed over */
};

/* Whether there is room for one more test, and this one is not there yet. */
static bool take(struct line *line, uint32_t item)
{
	struct buf *out = &line->matcher->line;

	for (size_t i = 0; i < line->shown_count; i++) {
		if (line->shown[i] == item) {
			return false;
		}
	}
	if (line->shown_count == SHOWN_MAX || out->len > LINE_MAX_BYTES) {
		return false;
	}
	line->shown[line->shown_count++] = item;
	if (out->len != 0) {
		buf_put_text(out, "; ");
	}
	return true;
}

static bool is_continuation(struct str text, size_t at)
{
	return at < text.len && ((uint8_t)text.ptr[at] & 0xC0) == 0x80;
}

/* The value, or so much of it as stands around what matched. */
static void put_excerpt(struct buf *out, const struct witness *witness)
{
	struct str text = witness->value->text;
	size_t start = 0;
	size_t end = text.len;

	if (text.len > TEXT_MAX) {
		bool same = !witness->value->is_folded || witness->value->folded.len == text.len;

		start = same && witness->start > BEFORE ? witness->start - BEFORE : 0;
		if (start + TEXT_MAX > text.len) {
			start = text.len - TEXT_MAX;
		}
		end = start + TEXT_MAX;
		while (is_continuation(text, start)) {
			start++;
		}
		while (is_continuation(text, end)) {
			end--;
		}
	}
	buf_put_text(out, start != 0 ? ".." : "");
	utf8_put_printable(out, str_slice(text, start, end - start));
	buf_put_text(out, end != text.len ? ".." : "");
}

static void put_field(struct line *line, const struct item *item)
{
	struct buf *out = &line->matcher->line;

	if (item->field.len == 0) {
		buf_put_text(out, "text");
	} else {
		utf8_put_printable(out, item->field);
	}
}

/* Ends what was said of a test, begun at start. Two tests may have found the same, which is said once. */
static void end_part(struct line *line, size_t start)
{
	struct buf *out = &line->matcher->line;
	struct part part = {start == 0 ? 0 : start + 2, out->len}; /* behind "; " */

	if (out->failed) {
		return;
	}
	for (size_t i = 0; i < line->part_count; i++) {
		struct part known = line->parts[i];

		if (str_equal(str_slice(buf_str(out), known.start, known.end - known.start),
			      str_slice(buf_str(out), part.start, part.end - part.start))) {
			buf_truncate(out, start);
			return;
		}
	}
	line->parts[line->part_count++] = part;
}

static void put_item(struct line *line, uint32_t place)
{
	struct matcher *matcher = line->matcher;
	const struct item *item = &matcher->ruleset->items[place];
	size_t start = matcher->line.len;
	struct witness witness;

	if (line->negations ? !item->negated : !evaluate_witness(matcher, place, &witness)) {
		return;
	}
	if (!take(line, place)) {
		return;
	}
	put_field(line, item);
	if (line->negations) {
		buf_put_text(&matcher->line, ": none of the excluded values");
	} else if (witness.value == NULL) {
		buf_put_text(&matcher->line, ": absent");
	} else {
		buf_put_text(&matcher->line, ": ");
		put_excerpt(&matcher->line, &witness);
	}
	end_part(line, start);
}

static void put_excluded(struct line *line, const struct tree *tree)
{
	size_t start = line->matcher->line.len;

	if (tree->type == RULE_ITEM) {
		if (take(line, tree->item)) {
			put_field(line, &line->matcher->ruleset->items[tree->item]);
			buf_put_text(&line->matcher->line, ": none of the excluded values");
			end_part(line, start);
		}
		return;
	}
	for (size_t i = 0; i < tree->child_count && line->shown_count < SHOWN_MAX; i++) {
		put_excluded(line, tree->children[i]);
	}
}

static void put_tree(struct line *line, const struct tree *tree)
{
	if (tree->type == RULE_ITEM) {
		put_item(line, tree->item);
		return;
	}
	if (tree->type == RULE_NOT) {
		if (line->negations) {
			put_excluded(line, tree->children[0]);
		}
		return;
	}
	for (size_t i = 0; i < tree->child_count && line->shown_count < SHOWN_MAX; i++) {
		if (tree->type == RULE_AND || evaluate_tree(line->matcher, tree->children[i])) {
			put_tree(line, tree->children[i]);
		}
	}
}

struct str matched_line(struct matcher *matcher, const struct tree *tree)
{
	struct line line = {.matcher = matcher};

	buf_clear(&matcher->line);
	put_tree(&line, tree);
	if (matcher->line.len == 0) { /* nothing but negations */
		line.negations = true;
		put_tree(&line, tree);
	}
	return buf_str(&matcher->line);
}
