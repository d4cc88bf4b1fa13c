#include "tests/stage/same.h"

#include "base/buf.h"
#include "base/io.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 28)

struct lines {
	struct buf text;
	struct str *line;
	size_t count;
};

static int by_bytes(const void *a, const void *b)
{
	return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* The number that stands behind a JSON key in a line, as text; empty when it is not there. */
static struct str member(struct str line, const char *key)
{
	ptrdiff_t at = str_find(line, str_of(key), 0);
	if (at < 0) {
		return STR_LIT("");
	}
	struct str rest = str_slice(line, (size_t)at + strlen(key), line.len);
	size_t len = 0;
	while (len < rest.len && rest.ptr[len] >= '0' && rest.ptr[len] <= '9') {
		len++;
	}
	return str_slice(rest, 0, len);
}

/* Reads a file into sorted lines. For audit rows the line is reduced to transaction and sequence number: column order and
 * spelling are the reader's own. */
static bool read_lines(const char *path, bool rows, struct lines *out)
{
	buf_init(&out->text, FILE_MAX);
	if (io_read_file(path, FILE_MAX, &out->text, NULL) != 0) {
		return false;
	}
	size_t room = 1;
	for (size_t i = 0; i < out->text.len; i++) {
		room += out->text.ptr[i] == '\n';
	}
	out->line = calloc(room, sizeof(*out->line));
	out->count = 0;
	struct str rest = buf_str(&out->text);
	while (rest.ptr != NULL && rest.len != 0) {
		struct str line = str_split(&rest, '\n');
		if (rows) {
			struct str transaction = member(line, "\"transaction_id\":");
			struct str sequence = member(line, "\"sequence_number\":");
			size_t len = transaction.len;
			char *at = (char *)(uintptr_t)line.ptr; /* text is ours */
			memmove(at, transaction.ptr, len);
			at[len] = ' ';
			memmove(at + len + 1, sequence.ptr, sequence.len);
			line.len = len + 1 + sequence.len;
		}
		out->line[out->count++] = line;
	}
	qsort(out->line, out->count, sizeof(*out->line), by_bytes);
	return true;
}

/* Says what is in one and not in the other. */
static struct same compare(const struct lines *want, const struct lines *got, const char *what)
{
	size_t w = 0, g = 0, missing = 0, extra = 0;
	while (w < want->count || g < got->count) {
		int order = w == want->count  ? 1
			    : g == got->count ? -1
					      : str_compare(want->line[w], got->line[g]);
		if (order < 0 && ++missing <= 3) {
			printf("# missing in %s: %.*s\n", what, STR_ARG(want->line[w]));
		} else if (order > 0 && ++extra <= 3) {
			printf("# double or invented in %s: %.*s\n", what, STR_ARG(got->line[g]));
		}
		w += order <= 0;
		g += order >= 0;
	}
	printf("# %s: %zu written, %zu stored, %zu missing, %zu double\n", what, want->count,
	       got->count, missing, extra);
	return (struct same){want->count, got->count, missing, extra};
}

static void lines_done(struct lines *lines)
{
	free(lines->line);
	buf_done(&lines->text);
}

bool same_count(struct stage *stage, const char *source, const char *truth, struct same *out_same)
{
	char store[STAGE_PATH_MAX], out[STAGE_PATH_MAX], want_path[STAGE_PATH_MAX];
	const char *argv[] = {"querytrail",
			      "export",
			      "--raw",
			      "--source",
			      source,
			      "--store",
			      stage_path(stage, "store", store),
			      NULL};
	struct lines want = {0}, got = {0};
	int status = stage_run(stage, argv, source);
	bool rows = strcmp(source, "database") == 0;
	bool read = (status == 0 || status == 3) &&
		    read_lines(stage_path(stage, truth, want_path), rows, &want) &&
		    read_lines(stage_path(stage, source, out), rows, &got);
	if (read) {
		*out_same = compare(&want, &got, source);
	}
	lines_done(&want);
	lines_done(&got);
	return read;
}

bool same_all(struct stage *stage, const char *source, const char *truth)
{
	struct same same;
	return same_count(stage, source, truth, &same) && same.missing == 0 && same.extra == 0 &&
	       same.written != 0;
}

size_t same_lines(const struct stage *stage, const char *name)
{
	char path[STAGE_PATH_MAX];
	struct lines lines = {0};
	size_t count = read_lines(stage_path(stage, name, path), false, &lines) ? lines.count : 0;
	lines_done(&lines);
	return count;
}

/* Events of a source, without its gaps. */
static uint64_t events(const struct stage *stage, const char *name)
{
	struct store_source source;
	return stage_source(stage, name, &source) ? source.stored - source.gaps : 0;
}

bool same_catch_up(struct stage *stage)
{
	enum { LIMIT_MS = 60000, STEP_MS = 100, QUIET_MS = 1200 };
	uint64_t want =
		same_lines(stage, "company/access.log") + same_lines(stage, "company/truth.jsonl");
	int waited = 0;
	while (waited < LIMIT_MS && events(stage, "gateway") + events(stage, "database") < want) {
		stage_pause(STEP_MS);
		waited += STEP_MS;
	}
	return stage_settle(stage, QUIET_MS, LIMIT_MS - waited);
}
