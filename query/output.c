#include "query/output.h"

#include "base/io.h"
#include "base/utf8.h"

#define FLUSH_BYTES (256u << 10)

void output_init(struct output *output, int fd, const struct zone *zone)
{
	*output = (struct output){.fd = fd, .zone = zone};
	buf_init(&output->text, 0);
}

void output_done(struct output *output)
{
	buf_done(&output->text);
}

int output_flush(struct output *output, struct error *err)
{
	if (output->failure.code == 0 && output->text.failed) {
		(void)error_set(&output->failure, ERR_NOMEM, "no memory for the answer");
	}
	if (output->failure.code == 0) {
		(void)io_write_all(output->fd, buf_str(&output->text), &output->failure);
	}
	buf_clear(&output->text);
	if (output->failure.code != 0 && err != NULL) {
		*err = output->failure;
	}
	return -output->failure.code;
}

void output_row_done(struct output *output)
{
	if (output->text.len >= FLUSH_BYTES || output->text.failed) {
		(void)output_flush(output, NULL); /* the failure is kept */
	}
}

void output_style(struct output *output, enum style style)
{
	static const char *const codes[] = {
		[STYLE_NONE] = "\033[0m",   [STYLE_GOOD] = "\033[32m", [STYLE_DOUBT] = "\033[33m",
		[STYLE_BAD] = "\033[1;31m", [STYLE_DIM] = "\033[2m",   [STYLE_TITLE] = "\033[1m",
	};
	if (output->color) {
		buf_put_text(&output->text, codes[style]);
	}
}

void output_safe(struct output *output, struct str text)
{
	utf8_put_printable(&output->text, text);
}
