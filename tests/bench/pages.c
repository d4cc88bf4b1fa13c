/* pages - how long the formats of a report take for 100,000 rows, and how much memory.
 *
 * bench-pages                     measures html and pdf
 * bench-pages FORMAT ROWS FILE    writes one sample document, to be looked at
 */
#include "base/clock.h"
#include "base/parse.h"
#include "query/report/writer.h"
#include "tests/unit/report-sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS 100000

static const struct report_writer_type *const types[] = {&write_html, &write_pdf};

static int write_sample(const struct report_writer_type *type, size_t rows, const char *path)
{
	struct zone zone = zone_utc();
	struct output out;
	struct error err;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		perror(path);
		return 2;
	}
	output_init(&out, fd, &zone);
	int rc = report_sample_write(type, &out, rows, &err);
	rc = rc < 0 ? rc : output_flush(&out, &err);
	output_done(&out);
	(void)close(fd); /* a sample */
	if (rc < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 2;
	}
	return 0;
}

/* In a process of its own, so that the memory is that of this format alone. */
static void measure(const struct report_writer_type *type)
{
	struct rusage usage;
	int status = 0;
	int64_t begin_ns = clock_monotonic_ns();
	pid_t child = fork();
	if (child == 0) {
		_exit(write_sample(type, ROWS, "/dev/null"));
	}
	if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status != 0) {
		printf("%-30s failed\n", type->name);
		return;
	}
	printf("%s of %d rows%*s%.2f s, %ld MiB peak\n", type->name, ROWS,
	       (int)(16 - strlen(type->name)), "", (double)(clock_monotonic_ns() - begin_ns) / 1e9,
	       usage.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
	uint64_t rows = 0;
	if (argc == 4 && !parse_u64(str_of(argv[2]), &rows)) {
		fprintf(stderr, "usage: bench-pages [FORMAT ROWS FILE]\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (argc == 4 && strcmp(argv[1], types[i]->name) == 0) {
			return write_sample(types[i], (size_t)rows, argv[3]);
		}
		if (argc == 1) {
			measure(types[i]);
		}
	}
	return 0;
}
