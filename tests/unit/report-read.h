/* report-read - the sample document as a writer makes it, read back, for the tests of the writers of lines. To be included behind cmocka.h.
 *
 * Threads: any. Blocking: never.
 */
#ifndef TESTS_UNIT_REPORT_READ_H
#define TESTS_UNIT_REPORT_READ_H

#include "tests/unit/report-sample.h"

#include <sys/mman.h>
#include <unistd.h>

/* The sample with 20 rows, as the writer makes it; out is initialised here. */
static inline void sample_read(const struct report_writer_type *type, bool is_terminal,
			       struct buf *out)
{
	struct zone zone = zone_utc();
	struct output output;
	struct error err;
	char piece[4096];
	int fd = memfd_create("sample", MFD_CLOEXEC);
	assert_true(fd >= 0);
	output_init(&output, fd, &zone);
	output.is_terminal = is_terminal;
	assert_int_equal(report_sample_write(type, &output, 20, &err), 0);
	assert_int_equal(output_flush(&output, &err), 0);
	output_done(&output);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	buf_init(out, 0);
	for (ssize_t got = 1; got > 0;) {
		got = read(fd, piece, sizeof(piece));
		assert_true(got >= 0);
		buf_put(out, piece, (size_t)got);
	}
	(void)close(fd);
}

/* How often a text stands in it. */
static inline size_t sample_count(const struct buf *out, const char *part)
{
	size_t found = 0;
	for (const char *at = strstr(out->ptr, part); at != NULL; at = strstr(at + 1, part)) {
		found++;
	}
	return found;
}

#endif
