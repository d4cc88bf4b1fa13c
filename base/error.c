#include "base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct error_row {
	int code;
	int status;
	const char *name;
};

static const struct error_row error_rows[] = {
#define ERROR(name, number, status, text) {number, status, #name},
#include "base/errors.def"
#undef ERROR
};

static const struct error_row *error_row(int code)
{
	for (size_t i = 0; i < sizeof(error_rows) / sizeof(error_rows[0]); i++) {
		if (error_rows[i].code == code || error_rows[i].code == -code) {
			return &error_rows[i];
		}
	}
	return NULL;
}

void error_clear(struct error *err)
{
	if (err != NULL) {
		err->code = 0;
		err->full = false;
		err->text[0] = '\0';
	}
}

/* Whether the bytes of one multi-byte UTF-8 character are well formed. */
static bool is_well_formed(const unsigned char *text, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80) {
			return false;
		}
	}
	unsigned first = text[0], second = text[1];
	bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
	bool outside = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
	return !overlong && !outside;
}

/* Whether a well-formed character acts on a terminal: C1 controls, line separators, marks that change the direction of text. */
static bool acts_on_terminal(const unsigned char *text)
{
	if (text[0] == 0xc2) {
		return text[1] < 0xa0;
	}
	if (text[0] != 0xe2) {
		return false;
	}
	unsigned tail = (unsigned)text[1] << 8 | text[2];
	return (tail >= 0x808b && tail <= 0x808f) || (tail >= 0x80a8 && tail <= 0x80ae) ||
	       (tail >= 0x81a6 && tail <= 0x81a9);
}

/* How many bytes at text form one whole UTF-8 character that may be shown; 0 when they do not. Only what a sentence needs:
 * utf8.h stands on buf.h, which stands on this file. */
static size_t shown_length(const unsigned char *text)
{
	if (text[0] < 0x80) {
		return text[0] >= 0x20 && text[0] != 0x7f;
	}
	if (text[0] < 0xc2 || text[0] > 0xf4) {
		return 0;
	}
	size_t len = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	return is_well_formed(text, len) && !acts_on_terminal(text) ? len : 0;
}

/* Copies text into out, escaping what must not be shown, and cuts at a character. */
static void copy_shown(char *out, size_t out_size, const char *text)
{
	size_t at = 0;
	for (const unsigned char *in = (const unsigned char *)text; *in != '\0';) {
		size_t len = shown_length(in);
		if (at + (len != 0 ? len : 4) >= out_size) {
			break;
		}
		if (len != 0) {
			memcpy(out + at, in, len);
			at += len;
			in += len;
		} else {
			static const char digits[] = "0123456789abcdef";
			out[at++] = '\\';
			out[at++] = 'x';
			out[at++] = digits[*in >> 4];
			out[at++] = digits[*in & 15];
			in++;
		}
	}
	out[at] = '\0';
}

int error_vset(struct error *err, enum error_code code, const char *format, va_list args)
{
	if (err != NULL) {
		char text[2 * ERROR_TEXT_MAX];
		if (vsnprintf(text, sizeof(text), format, args) < 0) {
			text[0] = '\0';
		}
		err->code = (int)code;
		err->full = false;
		copy_shown(err->text, sizeof(err->text), text);
	}
	return -(int)code;
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int result = error_vset(err, code, format, args);
	va_end(args);
	return result;
}

int error_errno(struct error *err, const char *format, ...)
{
	int number = errno;
	enum error_code code = ERR_IO;
	if (number == ENOMEM) {
		code = ERR_NOMEM;
	} else if (number == EAGAIN || number == EINTR) {
		code = ERR_AGAIN;
	}
	char text[ERROR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0) {
		text[0] = '\0';
	}
	va_end(args);
	char system_text[128];
	(void)error_set(err, code, "%s: %s", text,
			strerror_r(number, system_text, sizeof(system_text)));
	if (err != NULL) {
		err->full = number == ENOSPC || number == EDQUOT;
	}
	return -(int)code;
}

void error_prefix(struct error *err, const char *format, ...)
{
	if (err == NULL || err->code == 0) {
		return;
	}
	char text[ERROR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0) {
		text[0] = '\0';
	}
	va_end(args);
	char old[ERROR_TEXT_MAX];
	bool full = err->full;
	memcpy(old, err->text, sizeof(old));
	(void)error_set(err, (enum error_code)err->code, "%s: %s", text,
			old); /* the caller has the code */
	err->full = full;
}

const char *error_name(int code)
{
	const struct error_row *row = error_row(code);
	return row != NULL ? row->name : "UNKNOWN";
}

int error_exit_status(int code)
{
	const struct error_row *row = error_row(code);
	return row != NULL ? row->status : 2;
}
