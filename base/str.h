/* str - borrowed text: a pointer and a length, no NUL promise, no ownership.
 *
 * Shape:   ptr may be NULL only when len is 0. Bytes are arbitrary unless the one who hands it out says UTF-8.
 * Life:    as long as what it points into; the header that returns one says what that is.
 * Threads: a value. Blocking: never. Errors: none.
 * Tests:   tests/unit/str.c
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
	const char *ptr;
	size_t len;
};

/* For printf's %.*s: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) \
	(int)((s).len > 0x7fffffff ? 0x7fffffff : (s).len), ((s).ptr != NULL ? (s).ptr : "")

/* A literal as a str, without its NUL. */
#define STR_LIT(literal) ((struct str){.ptr = "" literal, .len = sizeof(literal) - 1})

/* A NUL-terminated text as a str; NULL gives the empty str. Borrows text. */
static inline struct str str_of(const char *text)
{
	return (struct str){.ptr = text, .len = text != NULL ? strlen(text) : 0};
}

/* ptr and len as a str. */
static inline struct str str_make(const void *ptr, size_t len)
{
	return (struct str){.ptr = ptr, .len = len};
}

/* Whether both hold the same bytes. */
static inline bool str_equal(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Whether s holds the bytes of the NUL-terminated text. */
static inline bool str_is(struct str s, const char *text)
{
	return str_equal(s, str_of(text));
}

/* Whether both are equal when ASCII letters are folded to lower case. */
bool str_equal_fold(struct str a, struct str b);

/* Bytewise order: negative, 0 or positive; a prefix comes first. */
int str_compare(struct str a, struct str b);

/* Whether s begins (ends) with part. */
bool str_has_prefix(struct str s, struct str part);
bool str_has_suffix(struct str s, struct str part);

/* Where part first stands in s at or after from: its offset, or -1. An empty part stands at from. */
ptrdiff_t str_find(struct str s, struct str part, size_t from);

/* The same with ASCII letters folded. */
ptrdiff_t str_find_fold(struct str s, struct str part, size_t from);

/* Where byte first stands in s at or after from: its offset, or -1. */
ptrdiff_t str_find_byte(struct str s, char byte, size_t from);

/* The part from offset start, at most len bytes; out of range is cut. */
struct str str_slice(struct str s, size_t start, size_t len);

/* Without leading and trailing ASCII white space (space, TAB, CR, LF, VT, FF). */
struct str str_trim(struct str s);

/* Cuts *rest at the first separator: returns what stands before it and moves *rest behind it. Without a separator it
 * returns all and leaves *rest empty with ptr NULL, which ends a loop: while (rest.ptr != NULL). */
struct str str_split(struct str *rest, char separator);

/* Glob match over all of s: '*' any run, '?' one byte, everything else itself. Linear in s.len * pattern.len. */
bool str_glob(struct str s, struct str pattern);
bool str_glob_fold(struct str s, struct str pattern);

/* The candidate nearest to word by Damerau-Levenshtein distance, at most a third of the word's length and at least 1
 * away (for "did you mean"); NULL when none is near. names holds count NUL-terminated names. */
const char *str_nearest(struct str word, const char *const *names, size_t count);

#endif
