/* error - why a call failed: a code that says what the caller must do, and one sentence for a person.
 *
 * Shape:   a fixed buffer, no ownership; a sentence longer than ERROR_TEXT_MAX - 1 bytes is cut at a UTF-8 border.
 * Rules:   whoever detects the failure fills it once with a full sentence; callers only add a prefix.
 *          err may be NULL everywhere: then only the code is returned.
 *          Text from outside that goes into a sentence is escaped here: control bytes, DEL and invalid UTF-8 become \xNN.
 * Threads: one struct error per thread. Blocking: never.
 * Source:  base/errors.def. Tests: tests/unit/error.c
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#define ERROR_TEXT_MAX 1024

enum error_code {
#define ERROR(name, number, status, text) ERR_##name = number,
#include "base/errors.def"
#undef ERROR
};

struct error {
	int code;  /* an ERR_*, or 0 when nothing failed */
	bool full; /* the disk, or the share of it that one may use, is full: it may go on later */
	char text[ERROR_TEXT_MAX];
};

/* Empties err: code 0, text "". */
void error_clear(struct error *err);

/* Fills err with the code and the formatted sentence.
 * Returns -code, so that a caller can write: return error_set(err, ERR_INPUT, "...", ...). */
int error_set(struct error *err, enum error_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with the arguments as a va_list. */
int error_vset(struct error *err, enum error_code code, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

/* Fills err from errno: the formatted sentence, then ": " and the system's message. Code: NOMEM for ENOMEM, AGAIN for
 * EAGAIN and EINTR, else IO; full for ENOSPC and EDQUOT. Returns -code. */
int error_errno(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts the formatted text and ": " before the sentence that is there; the code stays. Does nothing when err is NULL or
 * empty: the result that the caller goes on with is its own. */
void error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The name of a code ("INPUT"), or "UNKNOWN". Static text. code may be negative (a return value) or positive. */
const char *error_name(int code);

/* The exit status of a program that ends with this code (2, 4 or 78); 2 for an unknown code. */
int error_exit_status(int code);

#endif
