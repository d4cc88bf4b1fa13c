/* How long a report of 100,000 rows takes in each format, and how much memory: the first of the reports, with its groups and charts.
 *
 * bench-report [STATEMENTS]   makes a store in a temporary folder, runs querytrail once for each format, prints one line each */
#include "base/clock.h"
#include "base/parse.h"
#include "base/process.h"
#include "store/scan.h"
#include "tests/unit/store-fixture.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define BATCH 8192

static void must(int rc, const struct error *err)
{
	if (rc < 0) {
		(void)fprintf(stderr, "bench-report: %s\n", err->text);
		exit(2);
	}
}

static void fill(struct fixture *fixture, uint64_t record_count)
{
	struct store *store = NULL;
	struct error err;
	must(store_open(fixture->dir, STORE_CREATE, &store, &err), &err);
	for (uint64_t done = 0; done < record_count;) {
		must(store_begin(store, FIXTURE_START_NS, &err), &err);
		for (size_t i = 0; i < BATCH && done < record_count; i++, done++) {
			struct str encoded;
			uint64_t leaf = 0;
			const struct record *record = fixture_record(fixture, done, &encoded);
			must(store_append(store, record, encoded, &leaf, &err), &err);
		}
		must(store_commit(store, &err), &err);
	}
	store_close(store);
}

/* One report in a process of its own, so that its memory is its own too. */
static void measure(const char *program, const char *dir, const char *format)
{
	char path[512];
	struct rusage usage;
	struct stat info;
	int status = 0;
	(void)snprintf(path, sizeof(path), "%s/report.%s", dir, format);
	const char *const argv[] = {
		program, "report", "who-ran-what-by-user", "--store", dir, "--format", format, "-o",
		path,    NULL};
	int64_t start = clock_monotonic_ns();
	pid_t child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		(void)dup2(null, STDERR_FILENO);
		execv(program, (char *const *)argv);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) ||
	    (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 3) || stat(path, &info) != 0) {
		(void)fprintf(stderr, "bench-report: the report as %s failed\n", format);
		exit(2);
	}
	(void)printf("%-5s %6.2f s, %5.1f MiB resident, %6.1f MB written\n", format,
		     (double)(clock_monotonic_ns() - start) / 1e9, (double)usage.ru_maxrss / 1024,
		     (double)info.st_size / 1e6);
	(void)unlink(path);
}

int main(int argc, char **argv)
{
	static const char *const formats[] = {"html", "csv", "jsonl", "md", "pdf"};
	uint64_t statements = 100000;
	struct fixture fixture;
	struct buf program;
	struct error err;
	if (argc > 1 && !parse_u64(str_of(argv[1]), &statements)) {
		return 2;
	}
	buf_init(&program, 4096);
	must(process_find("querytrail", &program, &err), &err);
	fixture_init(&fixture);
	fill(&fixture, (statements + FIXTURE_STATEMENTS - 1) / FIXTURE_STATEMENTS * FIXTURE_PERIOD);
	(void)printf("who-ran-what-by-user over %llu statements\n", (unsigned long long)statements);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		measure(program.ptr, fixture.dir, formats[i]);
	}
	fixture_done(&fixture);
	buf_done(&program);
	return 0;
}
