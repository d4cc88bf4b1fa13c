/* A definition of a report, whatever it says: it is refused with a place, or it runs over a small store in each format of lines, twice with
 * the same bytes. */
#include "query/report/report.h"
#include "tests/golden/story-store.h"

#include <sys/mman.h>

struct fuzzed {
	struct story_store story;
	struct zone zone;
	bool made;
};

static void close_story(int status, void *owner)
{
	struct fuzzed *fuzzed = owner;
	(void)status;
	story_store_done(&fuzzed->story);
}

static struct fuzzed *story(void)
{
	static struct fuzzed fuzzed;
	if (!fuzzed.made) {
		struct error err;
		story_store_init(&fuzzed.story, false, false);
		fuzzed.zone = zone_utc();
		fuzzed.made = true;
		assert(store_open(fuzzed.story.dir, STORE_READ, &fuzzed.story.store, &err) == 0);
		(void)on_exit(close_story, &fuzzed);
	}
	return &fuzzed;
}

/* Runs the report and appends what it wrote; false when it failed. */
static bool run(struct report *report, const struct report_writer_type *type, struct buf *out)
{
	struct fuzzed *fuzzed = story();
	struct error err;
	struct report_outcome outcome;
	struct report_question question = {.store = fuzzed->story.store,
					   .zone = &fuzzed->zone,
					   .now_ns = STORY_NOW_NS,
					   .from_ns = INT64_MIN,
					   .to_ns = INT64_MAX,
					   .asker = {"fuzz", 1000}};
	struct targets *targets = calloc(1, sizeof(*targets));
	int fd = memfd_create("report", MFD_CLOEXEC);
	assert(targets != NULL && fd >= 0);
	struct target_place place = {.fd = fd};
	targets_init(targets, &fuzzed->zone);
	error_clear(&err);
	assert(targets_add(targets, type, &place, &err) == 0);
	int result = report_run(report, &question, targets, &outcome, &err);
	assert(result == 0 || err.text[0] != '\0');
	targets_done(targets);
	free(targets);
	char piece[4096];
	(void)lseek(fd, 0, SEEK_SET);
	for (ssize_t got = 1; got > 0;) {
		got = read(fd, piece, sizeof(piece));
		buf_put(out, piece, got > 0 ? (size_t)got : 0);
	}
	(void)close(fd);
	return result == 0;
}

const char *__lsan_default_suppressions(void);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libfyaml 0.7.12 does not free the parser's own state of a text that it refuses. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct report_writer_type *const types[] = {&write_jsonl, &write_csv,
								 &write_md, &write_html};
	static const struct folders nowhere;
	struct error err;
	struct report *report = calloc(1, sizeof(*report));
	struct definition_input input = {"fuzz.yaml", STR_LIT("fuzz"),
					 str_make((const char *)data, size)};
	assert(report != NULL);
	error_clear(&err);
	int result = report_parse(&nowhere, &input, report, &err);
	if (result == 0) {
		const struct report_writer_type *type = types[size % 4];
		struct buf first, second;
		buf_init(&first, 0);
		buf_init(&second, 0);
		bool ran = run(report, type, &first);
		assert(run(report, type, &second) == ran);
		assert(str_equal(buf_str(&first), buf_str(&second)));
		buf_done(&first);
		buf_done(&second);
		report_done(report);
	} else {
		assert(err.text[0] != '\0');
		assert(result != -ERR_CONFIG || strchr(err.text, ':') != NULL);
	}
	free(report);
	return 0;
}
