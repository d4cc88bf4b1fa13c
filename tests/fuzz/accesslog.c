/* A line ends in a record that encodes or in a plain error, whatever the template; the input is a template, LF, a line. */
#include "model/accesslog/accesslog.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_line(struct str template, struct str line)
{
	struct accesslog_options options = {.format = template};
	struct accesslog_format *format;
	struct record record;
	struct arena arena;
	struct error err;
	struct buf out;
	int code;

	if (accesslog_format_new(&options, &format, &err) != 0) {
		assert(err.code == ERR_CONFIG);
		return;
	}
	arena_init(&arena, 1 << 24);
	buf_init(&out, 0);
	record_init(&record, RECORD_REQUEST);
	record.source = STR_LIT("api");
	record.key = STR_LIT("k");
	code = accesslog_parse(format, line, &arena, &record, &err);
	assert(code == 0 || code == -ERR_INPUT || code == -ERR_LIMIT);
	if (code == 0) {
		assert(str_equal(record_text(&record, FIELD_raw), line));
		assert(record_encode(&record, &out, &err) == 0);
	}
	buf_done(&out);
	arena_done(&arena);
	accesslog_format_free(format);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char template[] =
		"{\"id\":\"$context.requestId\",\"ua\":\"$context.identity.userAgent\",\"u\":"
		"\"$context.authorizer.claims.email\",\"t\":$context.requestTimeEpoch,\"r\":"
		"\"$context.httpMethod $context.resourcePath\",\"e\":$context.error.messageString}";
	struct str line = str_make(data, size);
	struct str own = str_split(&line, '\n');

	read_line(own, line);
	read_line(str_of(template), line);
	read_line(str_make(NULL, 0), line);
	return 0;
}
