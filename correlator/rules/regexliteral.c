#include "correlator/rules/regexliteral.h"

#include <stdint.h>

struct scan {
	struct str pattern;
	size_t pos;
	char *run;      /* of bytes that stand one behind the other */
	size_t run_len; /* it is kept behind the best one */
	char *best;
	size_t best_len;
	bool doubt; /* a { that begins no quantifier */
};

static char peek(const struct scan *scan)
{
	return scan->pos < scan->pattern.len ? scan->pattern.ptr[scan->pos] : '\0';
}

static void end_run(struct scan *scan)
{
	if (scan->run_len > scan->best_len) {
		memmove(scan->best, scan->run, scan->run_len);
		scan->best_len = scan->run_len;
		scan->run = scan->best + scan->best_len;
	}
	scan->run_len = 0;
}

/* Passes over a class; false when it does not end. The first ] in it is one of its own. */
static bool pass_class(struct scan *scan)
{
	scan->pos++;
	if (peek(scan) == '^') {
		scan->pos++;
	}
	if (peek(scan) == ']') {
		scan->pos++;
	}
	while (scan->pos < scan->pattern.len && peek(scan) != ']') {
		char c = peek(scan);

		if (c == '[') { /* [:alpha:] and its like: rare enough to say nothing */
			return false;
		}
		if (c == '\\' && scan->pos + 1 < scan->pattern.len) {
			char escaped = scan->pattern.ptr[scan->pos + 1];

			if (escaped == 'Q' || escaped == 'E') {
				return false;
			}
			scan->pos++;
		}
		scan->pos++;
	}
	return scan->pos++ < scan->pattern.len;
}

/* Passes over a group with all in it; false when it is not a plain one or does not end. */
static bool pass_group(struct scan *scan)
{
	size_t depth = 0;

	do {
		char c = peek(scan);

		if (scan->pos >= scan->pattern.len) {
			return false;
		}
		if (c == '[') {
			if (!pass_class(scan)) {
				return false;
			}
			continue;
		}
		if (c == '\\') {
			scan->pos++;
			if (peek(scan) == 'Q' || peek(scan) == 'E') {
				return false;
			}
		} else if (c == '(') {
			depth++;
			if (str_has_prefix(str_slice(scan->pattern, scan->pos, 2), STR_LIT("(?")) &&
			    !str_has_prefix(str_slice(scan->pattern, scan->pos, 3),
					    STR_LIT("(?:"))) {
				return false; /* options, lookarounds, comments */
			}
			if (str_has_prefix(str_slice(scan->pattern, scan->pos, 2), STR_LIT("(*"))) {
				return false;
			}
		} else if (c == ')') {
			depth--;
		}
		scan->pos++;
	} while (depth > 0);
	return true;
}

/* Takes a quantifier, if there is one. Returns whether what stands before it may be absent; *out_any says whether there is one. */
static bool take_quantifier(struct scan *scan, bool *out_any)
{
	char c = peek(scan);
	bool optional = c == '?' || c == '*';

	*out_any = optional || c == '+' || c == '{';
	if (c == '{') {
		optional = true; /* whatever it says: {0,3} and {,3} allow none */
		do {
			scan->pos++;
			c = peek(scan);
		} while ((c >= '0' && c <= '9') || c == ',');
		scan->doubt = scan->doubt || c != '}';
	}
	if (*out_any) {
		scan->pos++;
		if (peek(scan) == '?' || peek(scan) == '+') { /* lazy, possessive */
			scan->pos++;
		}
	}
	return optional;
}

/* Takes one byte that stands for itself, with its quantifier. */
static void take_byte(struct scan *scan, char c)
{
	bool any;
	bool optional;

	scan->pos++;
	optional = take_quantifier(scan, &any);
	if (!optional) {
		scan->run[scan->run_len++] = c;
	}
	if (any) {
		end_run(scan);
	}
}

static bool is_mark(char c)
{
	return c > ' ' && c < 0x7f && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
	       !(c >= '0' && c <= '9');
}

/* Takes what is more than a byte; false in doubt. */
static bool take_other(struct scan *scan, char c)
{
	bool any;
	char next;

	if (c == '(') {
		end_run(scan);
		if (!pass_group(scan)) {
			return false;
		}
	} else if (c == '[') {
		end_run(scan);
		if (!pass_class(scan)) {
			return false;
		}
	} else if (c == '\\') {
		scan->pos++;
		next = peek(scan);
		if (is_mark(next)) {
			take_byte(scan, next);
			return true;
		}
		if (next == '\0' || strchr("dDwWsSbBtnr", next) == NULL) {
			return false;
		}
		end_run(scan);
		scan->pos++;
	} else { /* . ^ $ */
		end_run(scan);
		scan->pos++;
	}
	(void)take_quantifier(scan, &any); /* of something that is no text */
	return true;
}

size_t regexliteral_find(struct str pattern, char *out)
{
	struct scan scan = {.pattern = pattern, .run = out, .best = out};

	if (str_has_prefix(pattern,
			   STR_LIT("(?i)"))) { /* who looks for the text folds letters anyway */
		scan.pos = 4;
	}
	while (scan.pos < pattern.len && !scan.doubt) {
		char c = peek(&scan);

		if (strchr("|)*+?{", c) != NULL) { /* the byte 0 too */
			return 0; /* an alternative, or nothing that is understood */
		}
		if (strchr("([\\.^$", c) != NULL) {
			if (!take_other(&scan, c)) {
				return 0;
			}
		} else if ((c & 0x80) != 0) {
			end_run(&scan); /* folding of letters beyond ASCII is left to PCRE2 */
			scan.pos++;
			while ((peek(&scan) & 0xC0) == 0x80) {
				scan.pos++;
			}
			(void)take_quantifier(&scan, &(bool){false});
		} else {
			take_byte(&scan, c);
		}
	}
	end_run(&scan);
	return scan.doubt ? 0 : scan.best_len;
}
