/* log - what the operator reads: one line an event, structured.
 *
 * Shape:   to the journal by sd-journal when stderr is the journal ($JOURNAL_STREAM), else to stderr as
 *          "2026-11-22T10:00:00.123Z querytraild[source=api] warning: text". Values from outside are escaped.
 * Rules:   only main files and runners log, each failure once; libraries return errors.
 * Threads: any thread may log. Blocking: one write.
 * Tests:   tests/unit/log.c
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"

enum log_level {
	LOG_LEVEL_ERROR = 3, /* the numbers of RFC 5424 */
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

/* Names the program and the subject of its lines (a source's name, or NULL); both borrowed for the process's life. */
void log_open(const char *program, const char *subject);

/* Lines above this level are dropped; INFO at start. */
void log_set_level(enum log_level level);

/* Writes one line. id is a stable word for this kind of event ("source-silent"), which the journal keeps as QUERYTRAIL_EVENT. */
void log_write(enum log_level level, const char *id, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes err's sentence. */
void log_error(enum log_level level, const char *id, const struct error *err);

#endif
