#include "query/expression-must.h"

#include "correlator/rules/regexliteral.h"

#define ENOUGH    3 /* bytes of a text that is worth looking for */
#define DEPTH_MAX 8

struct set {
	struct str text[EXPRESSION_MUST_MAX];
	size_t count;
	size_t shortest;
};

struct finder {
	struct arena *arena;
	unsigned depth; /* of groups */
};

/* The end of a class that begins at pos; 0: in doubt. */
static size_t class_end(struct str pattern, size_t pos)
{
	pos++;
	pos += pos < pattern.len && pattern.ptr[pos] == '^' ? 1 : 0;
	pos += pos < pattern.len && pattern.ptr[pos] == ']' ? 1 : 0;
	while (pos < pattern.len && pattern.ptr[pos] != ']') {
		if (pattern.ptr[pos] == '[') {
			return 0;
		}
		if (pattern.ptr[pos] == '\\') {
			pos++;
			if (pos < pattern.len &&
			    (pattern.ptr[pos] == 'Q' || pattern.ptr[pos] == 'E')) {
				return 0;
			}
		}
		pos++;
	}
	return pos < pattern.len ? pos + 1 : 0;
}

/* The end of what begins at pos, but for groups: an escape, a class, a byte; 0: in doubt. */
static size_t piece_end(struct str pattern, size_t pos)
{
	char c = pattern.ptr[pos];
	if (c == '[') {
		return class_end(pattern, pos);
	}
	if (c != '\\') {
		return pos + 1;
	}
	if (pos + 1 >= pattern.len || memchr("QEcoxpPXgkN", pattern.ptr[pos + 1], 11) != NULL) {
		return 0; /* what these take may hold anything */
	}
	return pos + 2;
}

/* Whether the group that opens at pos is a plain one; *out_inside is where it begins. */
static bool is_plain(struct str pattern, size_t pos, size_t *out_inside)
{
	struct str begin = str_slice(pattern, pos, 3);
	*out_inside = pos + (str_has_prefix(begin, STR_LIT("(?:")) ? 3 : 1);
	return str_has_prefix(begin, STR_LIT("(?:")) ||
	       (!str_has_prefix(begin, STR_LIT("(?")) && !str_has_prefix(begin, STR_LIT("(*")));
}

/* Steps over a piece, or over a group with all in it; 0: in doubt. */
static size_t step_over(struct str pattern, size_t pos)
{
	size_t depth = 0;
	do {
		char c = pattern.ptr[pos];
		size_t inside;
		if (c == '(' && !is_plain(pattern, pos, &inside)) {
			return 0;
		}
		depth += c == '(' ? 1 : 0;
		if (c == ')' && depth == 0) {
			return 0;
		}
		depth -= c == ')' ? 1 : 0;
		pos = c == '(' || c == ')' ? pos + 1 : piece_end(pattern, pos);
		if (pos == 0) {
			return 0;
		}
	} while (depth > 0 && pos < pattern.len);
	return depth == 0 ? pos : 0;
}

static bool add(struct set *set, struct str text)
{
	if (set->count == EXPRESSION_MUST_MAX || text.len == 0) {
		return false;
	}
	set->shortest = set->count == 0 || text.len < set->shortest ? text.len : set->shortest;
	set->text[set->count++] = text;
	return true;
}

static bool find_any(struct str pattern, struct finder *finder, struct set *out);

/* The alternatives of a group that must match, from pos to end, if they are better than the best. */
static bool take_group(struct str pattern, size_t pos, size_t end, struct finder *finder,
		       struct set *best)
{
	struct set group = {.count = 0};
	size_t inside;
	char next = end < pattern.len ? pattern.ptr[end] : '\0';
	if (pattern.ptr[pos] != '(' || !is_plain(pattern, pos, &inside) || next == '?' ||
	    next == '*' || next == '{') {
		return false;
	}
	finder->depth++;
	bool found = find_any(str_slice(pattern, inside, end - 1 - inside), finder, &group);
	finder->depth--;
	if (!found || group.shortest <= best->shortest) {
		return false;
	}
	*best = group;
	return true;
}

/* A concatenation: its longest fixed text, or the alternatives of one of its groups. */
static bool find_all(struct str pattern, struct finder *finder, struct set *out)
{
	struct set best = {.count = 0};
	char *bytes = arena_alloc(finder->arena, pattern.len + 1);
	size_t len = bytes != NULL ? regexliteral_find(pattern, bytes) : 0;
	bool any = len > 0 && add(&best, str_make(bytes, len));
	for (size_t pos = 0;
	     finder->depth < DEPTH_MAX && best.shortest < ENOUGH && pos < pattern.len;) {
		size_t end = step_over(pattern, pos);
		if (end == 0) {
			return false;
		}
		any = take_group(pattern, pos, end, finder, &best) || any;
		pos = end;
	}
	if (any) {
		*out = best;
	}
	return any;
}

/* Alternatives: one text for each. */
static bool find_any(struct str pattern, struct finder *finder, struct set *out)
{
	size_t begin = 0;
	size_t pos = 0;
	out->count = 0;
	while (pos <= pattern.len) {
		if (pos < pattern.len && pattern.ptr[pos] != '|') {
			pos = step_over(pattern, pos);
			if (pos == 0) {
				return false;
			}
			continue;
		}
		struct set one;
		if (!find_all(str_slice(pattern, begin, pos - begin), finder, &one)) {
			return false;
		}
		for (size_t i = 0; i < one.count; i++) {
			if (!add(out, one.text[i])) {
				return false;
			}
		}
		begin = ++pos;
	}
	return out->count > 0;
}

/* Options at the beginning that do not change what fixed bytes stand for. */
static struct str behind_options(struct str pattern)
{
	if (!str_has_prefix(pattern, STR_LIT("(?"))) {
		return pattern;
	}
	size_t pos = 2;
	while (pos < pattern.len && memchr("ims-", pattern.ptr[pos], 4) != NULL) {
		pos++;
	}
	bool all = pos > 2 && pos < pattern.len && pattern.ptr[pos] == ')';
	return all ? str_slice(pattern, pos + 1, pattern.len) : pattern;
}

static bool holds_letter(const struct set *set, char letter)
{
	for (size_t i = 0; i < set->count; i++) {
		struct str text = set->text[i];
		if (str_find_fold(text, str_make(&letter, 1), 0) >= 0) {
			return true;
		}
	}
	return false;
}

void expression_find_must(struct expression *expression, struct arena *arena)
{
	struct set set;
	struct finder finder = {.arena = arena};
	expression->must_count = 0;
	if (!find_any(behind_options(expression->text), &finder, &set)) {
		return;
	}
	if ((holds_letter(&set, 'k') && !add(&set, STR_LIT("\xe2\x84\xaa"))) ||
	    (holds_letter(&set, 's') && !add(&set, STR_LIT("\xc5\xbf")))) {
		return;
	}
	memcpy(expression->must, set.text, set.count * sizeof(set.text[0]));
	expression->must_count = set.count;
}
