/* regex - a regular expression of a rule: PCRE2 with JIT, and limits that hold whatever the text is.
 *
 * Shape:   found anywhere in the text, case counts unless the rule says otherwise. Bytes that are no UTF-8 match nothing, the text around
 *          them is still searched.
 * Limits:  a pattern <= REGEX_PATTERN_MAX bytes. The work for a text is bounded: the longer it is, the fewer steps from each place where a
 *          match may start (never by time, so that the same text always gives the same answer). A text longer than REGEX_WINDOW bytes is
 *          searched in windows that overlap by half: a match longer than half a window may be missed there. At most REGEX_WINDOWS_MAX of
 *          them. Where a limit ended the search before a match was found: REGEX_LIMIT.
 * Threads: a regex is read-only once made; one scratch per thread. Blocking: never.
 * Source:  pcre2api(3). Tests: tests/unit/regex.c
 */
#ifndef CORRELATOR_RULES_REGEX_H
#define CORRELATOR_RULES_REGEX_H

#include "base/error.h"
#include "base/str.h"

#include <stdint.h>

#define REGEX_PATTERN_MAX 16384
#define REGEX_WINDOW      65536
#define REGEX_WINDOWS_MAX 256

struct regex;
struct regex_scratch;

enum regex_result { REGEX_NO, REGEX_YES, REGEX_LIMIT };

/* Compiles; flags are RULE_REGEX_*. Returns 0, ERR_CONFIG with what is wrong and at which byte, or ERR_NOMEM. */
int regex_new(struct str pattern, unsigned flags, struct regex **out_regex, struct error *err);
void regex_free(struct regex *regex);

/* The same; *out_offset is the byte that is wrong, counted from 0, and err says what alone. ERR_CONFIG only. */
int regex_new_at(struct str pattern, unsigned flags, struct regex **out_regex, size_t *out_offset,
		 struct error *err);

/* Memory to match with. Returns 0 or ERR_NOMEM. */
int regex_scratch_new(struct regex_scratch **out_scratch, struct error *err);
void regex_scratch_free(struct regex_scratch *scratch);

/* Bounds the work for a text to so many steps in all, instead of what rules are allowed. */
void regex_scratch_bound(struct regex_scratch *scratch, uint32_t work);

/* Searches text. On REGEX_YES *out_found (may be NULL) is the first place that matched, within text. */
enum regex_result regex_search(const struct regex *regex, struct regex_scratch *scratch,
			       struct str text, struct str *out_found);

#endif
