/* report-fixture - definitions written in a test, run over the story's store, and read back.
 *
 * Threads: one per thread. Blocking: disk. Life: the output lives until the next run.
 */
#ifndef TESTS_UNIT_REPORT_FIXTURE_H
#define TESTS_UNIT_REPORT_FIXTURE_H

#include "query/report/report.h"
#include "tests/golden/story-store.h"

#include <sys/mman.h>

struct reporting {
	struct story_store story;
	struct zone zone;
	struct report_question question;
	struct report_outcome outcome;
	struct error err;
	struct buf out;
};

/* A report over the story; see story_store_init. */
static inline void reporting_init(struct reporting *reporting, bool complete, bool turned)
{
	memset(reporting, 0, sizeof(*reporting));
	story_store_init(&reporting->story, complete, turned);
	reporting->zone = zone_utc();
	int result = store_open(reporting->story.dir, STORE_READ, &reporting->story.store,
				&reporting->err);
	assert(result == 0);
	reporting->question = (struct report_question){.store = reporting->story.store,
						       .zone = &reporting->zone,
						       .now_ns = STORY_NOW_NS,
						       .from_ns = INT64_MIN,
						       .to_ns = INT64_MAX,
						       .asker = {"auditor", 1000}};
	buf_init(&reporting->out, 0);
}

static inline void reporting_done(struct reporting *reporting)
{
	buf_done(&reporting->out);
	story_store_done(&reporting->story);
}

/* Runs a report into reporting->out. */
static inline int reporting_write(struct reporting *reporting, struct report *report,
				  const struct report_writer_type *type)
{
	char piece[4096];
	struct targets *targets = calloc(1, sizeof(*targets));
	int fd = memfd_create("report", MFD_CLOEXEC);
	struct target_place place = {.fd = fd};
	assert(targets != NULL && fd >= 0);
	targets_init(targets, &reporting->zone);
	int result = targets_add(targets, type, &place, &reporting->err);
	assert(result == 0);
	result = report_run(report, &reporting->question, targets, &reporting->outcome,
			    &reporting->err);
	targets_done(targets);
	free(targets);
	buf_clear(&reporting->out);
	(void)lseek(fd, 0, SEEK_SET);
	for (ssize_t got = 1; got > 0;) {
		got = read(fd, piece, sizeof(piece));
		buf_put(&reporting->out, piece, got > 0 ? (size_t)got : 0);
	}
	(void)close(fd);
	return result;
}

/* Parses and runs a definition. Returns as they do. */
static inline int reporting_run(struct reporting *reporting, const char *yaml,
				const struct report_writer_type *type)
{
	static const struct folders nowhere;
	struct definition_input input = {"test.yaml", STR_LIT("test"), str_of(yaml)};
	struct report *report = calloc(1, sizeof(*report));
	assert(report != NULL);
	error_clear(&reporting->err);
	int result = report_parse(&nowhere, &input, report, &reporting->err);
	if (result == 0) {
		result = reporting_write(reporting, report, type);
		report_done(report);
	}
	free(report);
	return result;
}

/* How often a text stands in the output. */
static inline size_t reporting_count(const struct reporting *reporting, const char *part)
{
	size_t found = 0;
	const char *text = reporting->out.ptr != NULL ? reporting->out.ptr : "";
	for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
		found++;
	}
	return found;
}

#endif
