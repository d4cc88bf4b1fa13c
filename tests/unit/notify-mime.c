#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/notify/mime.h"

#include "base/utf8.h"
#include "tests/hostile/payloads.h"

static void assert_lines(const struct buf *out, size_t max)
{
	struct str rest = buf_str(out);

	while (rest.ptr != NULL) {
		struct str line = str_split(&rest, '\n');
		assert_true(line.len <= max + 1);
		assert_true(rest.ptr == NULL || line.ptr[line.len - 1] == '\r');
		for (size_t i = 0; i < line.len; i++) {
			uint8_t byte = (uint8_t)line.ptr[i];
			assert_true((byte >= 0x20 && byte < 0x7f) ||
				    (byte == '\r' && i == line.len - 1));
		}
	}
}

static void check_header(const char *text, const char *wanted)
{
	struct buf out;

	buf_init(&out, 0);
	mime_put_header(&out, "Subject", str_of(text));
	assert_string_equal(out.ptr, wanted);
	assert_lines(&out, 78);
	buf_done(&out);
}

static void test_header(void **state)
{
	/* proves: plain text stays itself, all else becomes encoded words that start beside the name */
	(void)state;
	check_header("plain text", "Subject: plain text\r\n");
	check_header("é", "Subject: =?utf-8?B?w6k=?=\r\n");
	check_header("", "Subject:\r\n");
	check_header("=?utf-8?q?x?=", "Subject: =?utf-8?B?PT91dGYtOD9xP3g/PQ==?=\r\n");
	check_header("two  spaces", "Subject: =?utf-8?B?dHdvICBzcGFjZXM=?=\r\n");
	check_header("a\r\nBcc: x", "Subject: =?utf-8?B?YQ0KQmNjOiB4?=\r\n");
}

static void test_folds(void **state)
{
	/* proves: long plain text is folded between words, and a long word does not make a long line */
	struct buf out;
	char word[400];

	(void)state;
	buf_init(&out, 0);
	mime_put_header(&out, "Subject",
			str_of("one two three four five six seven eight nine ten eleven twelve "
			       "thirteen fourteen"));
	assert_non_null(strstr(out.ptr, "twelve\r\n thirteen"));
	assert_lines(&out, 78);
	memset(word, 'w', sizeof(word));
	buf_clear(&out);
	mime_put_header(&out, "X-Querytrail-Alert", str_make(word, sizeof(word)));
	assert_lines(&out, 78);
	buf_done(&out);
}

static void check_quoted(const char *text, const char *wanted)
{
	struct buf out;

	buf_init(&out, 0);
	mime_put_quoted(&out, str_of(text));
	assert_string_equal(out.ptr != NULL ? out.ptr : "", wanted);
	buf_done(&out);
}

static void test_quoted(void **state)
{
	/* proves: quoted-printable as RFC 2045 says: line ends, spaces at them, equals, and what relays stumble over */
	(void)state;
	check_quoted("a b\n", "a b\r\n");
	check_quoted("a ", "a=20\r\n");
	check_quoted("a \nb", "a=20\r\nb\r\n");
	check_quoted("=é", "=3D=C3=A9\r\n");
	check_quoted(".\n..\n", "=2E\r\n=2E.\r\n");
	check_quoted("From x", "=46rom x\r\n");
	check_quoted("\n\n", "\r\n\r\n");
	check_quoted("", "");
	check_quoted("\t\r\001", "=09=0D=01\r\n");
}

static void test_payloads(void **state)
{
	/* proves: no hostile text, printable or raw, makes a line that is long or has a control byte */
	struct buf text;
	struct buf plain;
	struct buf out;

	(void)state;
	buf_init(&text, 0);
	buf_init(&plain, 0);
	buf_init(&out, 0);
	for (size_t i = 0; i < PAYLOAD_COUNT; i++) {
		buf_clear(&text);
		buf_clear(&plain);
		buf_clear(&out);
		payload_put(i, &text);
		utf8_put_printable(&plain, buf_str(&text));
		mime_put_header(&out, "Subject", buf_str(&plain));
		mime_put_header(&out, "Subject", buf_str(&text));
		mime_put_quoted(&out, buf_str(&plain));
		mime_put_quoted(&out, buf_str(&text));
		assert_false(out.failed);
		assert_lines(&out, 78);
	}
	buf_done(&text);
	buf_done(&plain);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_folds),
		cmocka_unit_test(test_quoted),
		cmocka_unit_test(test_payloads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
