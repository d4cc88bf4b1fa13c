#include "base/log.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192

/* The one piece of state a program's log has; set once by log_open before threads start. */
static struct {
	const char *program;
	const char *subject;
	enum log_level level;
	bool to_journal;
} log_state = {.program = "querytrail", .level = LOG_LEVEL_INFO};

/* $JOURNAL_STREAM names device and inode of the journal's socket; stderr must be just that. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat about;
	if (stream == NULL || fstat(STDERR_FILENO, &about) != 0) {
		return false;
	}
	char text[64];
	int len = snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)about.st_dev,
			   (uintmax_t)about.st_ino);
	return len > 0 && strcmp(text, stream) == 0;
}

void log_open(const char *program, const char *subject)
{
	log_state.program = program;
	log_state.subject = subject;
	log_state.to_journal = stderr_is_journal();
}

void log_set_level(enum log_level level)
{
	log_state.level = level;
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_NOTICE:
		return "notice";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "info";
}

static void write_line(enum log_level level, struct str text)
{
	struct buf line;
	buf_init(&line, 2 * LINE_MAX_BYTES);
	clock_put_rfc3339(&line, clock_now_ns(), 3);
	buf_putf(&line, " %s", log_state.program);
	if (log_state.subject != NULL) {
		buf_putf(&line, "[%s]", log_state.subject);
	}
	buf_putf(&line, " %s: ", level_name(level));
	buf_put_str(&line, text);
	buf_put_byte(&line, '\n');
	if (line.len != 0) {
		ssize_t wrote = write(STDERR_FILENO, line.ptr, line.len);
		(void)wrote; /* there is no other place to tell that the log can't be written */
	}
	buf_done(&line);
}

void log_write(enum log_level level, const char *id, const char *format, ...)
{
	if (level > log_state.level) {
		return;
	}
	char raw[LINE_MAX_BYTES];
	va_list args;
	va_start(args, format);
	if (vsnprintf(raw, sizeof(raw), format, args) < 0) {
		raw[0] = '\0';
	}
	va_end(args);
	struct buf text;
	buf_init(&text, 2 * LINE_MAX_BYTES - 256);
	utf8_put_printable(&text, str_of(raw));
	if (log_state.to_journal) {
		const char *shown = text.ptr != NULL ? text.ptr : "";
		const char *subject = log_state.subject != NULL ? log_state.subject : "";
		(void)sd_journal_send("MESSAGE=%s", shown, "PRIORITY=%d", (int)level,
				      "QUERYTRAIL_EVENT=%s", id, "QUERYTRAIL_SUBJECT=%s", subject,
				      "SYSLOG_IDENTIFIER=%s", log_state.program,
				      NULL); /* no other place to tell */
	} else {
		write_line(level, buf_str(&text));
	}
	buf_done(&text);
}

void log_error(enum log_level level, const char *id, const struct error *err)
{
	log_write(level, id, "%s", err->text);
}
