#include "base/str.h"

#include <stdint.h>

static unsigned char fold(char c)
{
	unsigned char byte = (unsigned char)c;
	return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

bool str_equal_fold(struct str a, struct str b)
{
	if (a.len != b.len) {
		return false;
	}
	if (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0) { /* as a rule */
		return true;
	}
	for (size_t i = 0; i < a.len; i++) {
		if (fold(a.ptr[i]) != fold(b.ptr[i])) {
			return false;
		}
	}
	return true;
}

int str_compare(struct str a, struct str b)
{
	size_t shared = a.len < b.len ? a.len : b.len;
	int order = shared != 0 ? memcmp(a.ptr, b.ptr, shared) : 0;
	if (order != 0) {
		return order;
	}
	return a.len < b.len ? -1 : a.len > b.len;
}

bool str_has_prefix(struct str s, struct str part)
{
	return s.len >= part.len && (part.len == 0 || memcmp(s.ptr, part.ptr, part.len) == 0);
}

bool str_has_suffix(struct str s, struct str part)
{
	return s.len >= part.len &&
	       (part.len == 0 || memcmp(s.ptr + (s.len - part.len), part.ptr, part.len) == 0);
}

ptrdiff_t str_find(struct str s, struct str part, size_t from)
{
	if (from > s.len) {
		return -1;
	}
	if (part.len == 0) {
		return (ptrdiff_t)from;
	}
	if (s.len == 0) {
		return -1;
	}
	const char *at = memmem(s.ptr + from, s.len - from, part.ptr, part.len);
	return at != NULL ? at - s.ptr : -1;
}

ptrdiff_t str_find_fold(struct str s, struct str part, size_t from)
{
	if (part.len == 0) {
		return from <= s.len ? (ptrdiff_t)from : -1;
	}
	for (size_t i = from; i < s.len && s.len - i >= part.len; i++) {
		if (fold(s.ptr[i]) == fold(part.ptr[0]) &&
		    str_equal_fold(str_make(s.ptr + i, part.len), part)) {
			return (ptrdiff_t)i;
		}
	}
	return -1;
}

ptrdiff_t str_find_byte(struct str s, char byte, size_t from)
{
	if (from >= s.len) {
		return -1;
	}
	const char *at = memchr(s.ptr + from, byte, s.len - from);
	return at != NULL ? at - s.ptr : -1;
}

struct str str_slice(struct str s, size_t start, size_t len)
{
	if (s.len == 0) {
		return s;
	}
	if (start > s.len) {
		start = s.len;
	}
	if (len > s.len - start) {
		len = s.len - start;
	}
	return str_make(s.ptr + start, len);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
	while (s.len != 0 && is_space(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len != 0 && is_space(s.ptr[s.len - 1])) {
		s.len--;
	}
	return s;
}

struct str str_split(struct str *rest, char separator)
{
	struct str head = *rest;
	ptrdiff_t at = str_find_byte(*rest, separator, 0);
	if (at < 0) {
		*rest = (struct str){.ptr = NULL, .len = 0};
		return head;
	}
	head.len = (size_t)at;
	*rest = str_make(rest->ptr + at + 1, rest->len - (size_t)at - 1);
	return head;
}

/* Greedy with one point to come back to: the last star. */
static bool glob(struct str s, struct str pattern, bool folded)
{
	size_t i = 0, p = 0, star = SIZE_MAX, star_i = 0;
	while (i < s.len) {
		char want = p < pattern.len ? pattern.ptr[p] : '\0';
		if (p < pattern.len && want == '*') {
			star = p++;
			star_i = i;
		} else if (p < pattern.len && (want == '?' || want == s.ptr[i] ||
					       (folded && fold(want) == fold(s.ptr[i])))) {
			i++;
			p++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++star_i;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*') {
		p++;
	}
	return p == pattern.len;
}

bool str_glob(struct str s, struct str pattern)
{
	return glob(s, pattern, false);
}

bool str_glob_fold(struct str s, struct str pattern)
{
	return glob(s, pattern, true);
}

#define NEAREST_MAX 63

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Damerau-Levenshtein distance (adjacent transpositions) of folded text; words longer than NEAREST_MAX are far from all. */
static size_t distance(struct str a, struct str b)
{
	if (a.len > NEAREST_MAX || b.len > NEAREST_MAX) {
		return SIZE_MAX;
	}
	size_t row[3][NEAREST_MAX + 1];
	for (size_t j = 0; j <= b.len; j++) {
		row[0][j] = j;
		row[1][j] = j;
	}
	for (size_t i = 1; i <= a.len; i++) {
		size_t *now = row[i % 3];
		const size_t *before = row[(i + 2) % 3];
		const size_t *before2 = row[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			bool same = fold(a.ptr[i - 1]) == fold(b.ptr[j - 1]);
			now[j] = least(before[j - 1] + !same, least(before[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && fold(a.ptr[i - 1]) == fold(b.ptr[j - 2]) &&
			    fold(a.ptr[i - 2]) == fold(b.ptr[j - 1])) {
				now[j] = least(now[j], before2[j - 2] + 1);
			}
		}
	}
	return row[a.len % 3][b.len];
}

const char *str_nearest(struct str word, const char *const *names, size_t count)
{
	size_t limit = word.len / 3 > 1 ? word.len / 3 : 1;
	const char *best = NULL;
	size_t best_distance = limit + 1;
	for (size_t i = 0; i < count; i++) {
		size_t d = distance(word, str_of(names[i]));
		if (d < best_distance) {
			best_distance = d;
			best = names[i];
		}
	}
	return best;
}
