/* faults-import - what `querytrail import` makes of files as people have them: empty, packed, cut, with other line ends, binary, twice.
 * What it took comes back byte for byte. Speaks TAP. */
#include "base/buf.h"
#include "base/str.h"
#include "tests/stage/stage.h"
#include "tests/stage/tap.h"

#include <stdio.h>
#include <string.h>

#define BIG_LINES 100000

struct bench {
	struct stage stage;
	struct tap tap;
};

/* `querytrail import` of up to two files of FOLDER into FOLDER/store; its exit status, its words in FOLDER/said. */
static int import(struct bench *bench, const char *source, const char *type, const char *one,
		  const char *two)
{
	char store[STAGE_PATH_MAX], first[STAGE_PATH_MAX], second[STAGE_PATH_MAX];
	const char *argv[] = {"querytrail",
			      "import",
			      "--json",
			      "--store",
			      stage_path(&bench->stage, "store", store),
			      "--source",
			      source,
			      "--type",
			      type,
			      stage_path(&bench->stage, one, first),
			      two != NULL ? stage_path(&bench->stage, two, second) : NULL,
			      NULL};
	return stage_run(&bench->stage, argv, "said");
}

static bool said(const struct bench *bench, const char *text)
{
	struct buf out;
	stage_read(&bench->stage, "said", &out);
	bool found = str_find(buf_str(&out), str_of(text), 0) >= 0;
	if (!found) {
		printf("# said: %.*s\n", STR_ARG(buf_str(&out)));
	}
	buf_done(&out);
	return found;
}

/* Whether the export of a source is FOLDER/name, byte for byte. */
static bool comes_back(struct bench *bench, const char *source, const char *name)
{
	char store[STAGE_PATH_MAX];
	const char *argv[] = {"querytrail",
			      "export",
			      "--raw",
			      "--source",
			      source,
			      "--store",
			      stage_path(&bench->stage, "store", store),
			      NULL};
	struct buf want, got;
	(void)stage_run(&bench->stage, argv, "exported"); /* what it wrote is compared */
	stage_read(&bench->stage, name, &want);
	stage_read(&bench->stage, "exported", &got);
	bool same = str_equal(buf_str(&want), buf_str(&got));
	buf_done(&want);
	buf_done(&got);
	return same;
}

/* One file whose import ends with a status, says a text, and comes back. */
static void expect(struct bench *bench, const char *name, const char *type, int status,
		   const char *text)
{
	char what[128], source[64];
	(void)snprintf(what, sizeof(what), "%s as %s", name, type);    /* may be cut */
	(void)snprintf(source, sizeof(source), "%.2s-%s", type, name); /* fits */
	char *slash = strchr(source, '/');
	if (slash != NULL) {
		*slash = '.';
	}
	int got = import(bench, source, type, name, NULL);
	if (got != status) {
		printf("# exit status %d, not %d\n", got, status);
	}
	tap_check(&bench->tap,
		  got == status && said(bench, text) && comes_back(bench, source, name), what);
}

static void write_lines(struct bench *bench, const char *name, const char *begin, const char *end,
			size_t count)
{
	struct buf text;
	buf_init(&text, 0);
	buf_put_text(&text, begin);
	for (size_t i = 0; i < count; i++) {
		buf_putf(&text,
			 "{\"requestId\":\"r-%zu\",\"requestTimeEpoch\":\"%llu\",\"httpMethod\":"
			 "\"GET\",\"path\":\"/orders/%zu\"}%s",
			 i, 1795293048585ULL + i, i, i + 1 < count ? "\n" : end);
	}
	stage_write(&bench->stage, name, buf_str(&text));
	buf_done(&text);
}

static void plain_files(struct bench *bench)
{
	static const char garbage[] =
		"\x00\xff\x13{\"\n\x80\x81\xfe\n{]}\x00\n\xed\xa0\x80 \\ud800";
	struct stage *stage = &bench->stage;
	stage_write(stage, "empty", STR_LIT(""));
	expect(bench, "empty", "access-log", 0, "\"received\":0,");
	write_lines(bench, "no-end", "", "", 7);
	expect(bench, "no-end", "access-log", 0, "\"stored\":7,");
	write_lines(bench, "marked", "\xef\xbb\xbf", "\n", 7);
	expect(bench, "marked", "access-log", 0, "\"stored\":7,\"duplicate\":0,\"rejected\":0");
	write_lines(bench, "crlf", "", "\r\n", 1);
	expect(bench, "crlf", "access-log", 0, "\"stored\":1,\"duplicate\":0,\"rejected\":0");
	write_lines(bench, "half", "", "\n{\"requestId\":\"r-8\",\"requestTimeEp", 7);
	expect(bench, "half", "access-log", 3,
	       "\"received\":8,\"stored\":8,\"duplicate\":0,\"rejected\":1");
	stage_write(stage, "garbage", str_make(garbage, sizeof(garbage) - 1));
	expect(bench, "garbage", "access-log", 3, "\"rejected\":");
	expect(bench, "garbage", "audit-rows", 3, "\"rejected\":");
	expect(bench, "company/access.log", "access-log", 0, "\"rejected\":0");
	expect(bench, "company/audit.jsonl", "audit-rows", 0, "\"rejected\":0");
}

/* A line of a megabyte, and NULs, bytes that are no UTF-8 and lone surrogates inside values. */
static void hostile_lines(struct bench *bench)
{
	struct buf text;
	buf_init(&text, 0);
	buf_put_text(&text, "{\"requestId\":\"long\",\"path\":\"/");
	for (size_t i = 0; i < 1000000; i++) {
		buf_put_byte(&text, 'x');
	}
	buf_put_text(&text, "\"}\n{\"requestId\":\"nul\",\"path\":\"/a");
	buf_put(&text, "\0\0", 2);
	buf_put_text(&text, "b\",\"userAgent\":\"\xff\xfe\xc0\x80\"}\n"
			    "{\"requestId\":\"alone\",\"path\":\"/\\ud800x\\udc00\"}\n");
	stage_write(&bench->stage, "hostile", buf_str(&text));
	buf_done(&text);
	expect(bench, "hostile", "access-log", 0, "\"stored\":3,");
}

/* A statement of 200 KB in the parts that the server cuts it into is one record; its raw are all of its rows. */
static void long_statement(struct bench *bench)
{
	enum { PART = 4000, PARTS = 51 };
	struct buf text;
	buf_init(&text, 0);
	for (int part = 1; part <= PARTS; part++) {
		buf_putf(&text,
			 "{\"event_time\":\"2026-11-21T20:30:48.5906194\",\"sequence_number\":%d,"
			 "\"action_id\":\"SL\",\"succeeded\":true,\"session_id\":51,"
			 "\"transaction_id\":77,\"class_type\":\"U\",\"server_principal_name\":"
			 "\"a\","
			 "\"statement\":\"",
			 part);
		for (int i = 0; i < (part < PARTS ? PART : 17); i++) {
			buf_put_byte(&text, (uint8_t)('a' + (part + i) % 26));
		}
		buf_put_text(&text, "\"}\n");
	}
	stage_write(&bench->stage, "parts", buf_str(&text));
	buf_done(&text);
	expect(bench, "parts", "audit-rows", 0, "\"stored\":1,\"duplicate\":0,\"rejected\":0");
}

static void again(struct bench *bench)
{
	struct tap *tap = &bench->tap;
	write_lines(bench, "big", "", "\n", BIG_LINES);
	expect(bench, "big", "access-log", 0, "\"stored\":100000,");
	import(bench, "ac-big", "access-log", "big", NULL);
	tap_check(tap, said(bench, "\"received\":100000,\"stored\":0,\"duplicate\":100000,"),
		  "the same file again adds nothing");
	write_lines(bench, "more", "", "\n", BIG_LINES + 500);
	import(bench, "ac-big", "access-log", "more", NULL);
	tap_check(tap, said(bench, "\"stored\":500,\"duplicate\":100000,"),
		  "another file adds what it has more");
	tap_check(tap, comes_back(bench, "ac-big", "more"), "and both together come back");
	write_lines(bench, "less", "", "\n", 400);
	write_lines(bench, "both", "", "\n", 600);
	import(bench, "two", "access-log", "less", "both");
	tap_check(tap, said(bench, "\"received\":1000,\"stored\":600,\"duplicate\":400,"),
		  "two files with the same lines give each once");
}

static void packed(struct bench *bench)
{
	char path[STAGE_PATH_MAX];
	const char *argv[] = {"gzip", "-k", stage_path(&bench->stage, "more", path), NULL};
	struct process_start how = {.path = "/bin/gzip", .argv = argv, .out_fd = -1, .err_fd = -1};
	struct process process;
	int status = -1;
	if (process_start(&how, &process, NULL) == 0) {
		(void)process_wait(&process, -1, &status); /* waits for ever */
	}
	int got = import(bench, "packed", "access-log", "more.gz", NULL);
	tap_check(&bench->tap,
		  status == 0 && got == 0 && said(bench, "\"stored\":100500,") &&
			  comes_back(bench, "packed", "more"),
		  "a packed file");
}

static void refused(struct bench *bench)
{
	tap_check(&bench->tap, import(bench, "x", "access-log", "missing", NULL) == 2,
		  "a missing file is an error");
	tap_check(&bench->tap, import(bench, "x", "access-log", "company", NULL) == 2,
		  "a folder is an error");
	tap_check(&bench->tap,
		  stage_wait_said(&bench->stage, "missing: No such file", 0, 0) &&
			  stage_wait_said(&bench->stage, "company is a folder", 0, 0),
		  "both are named");
}

int main(void)
{
	struct bench bench = {0};
	const char *company[] = {"--requests", "300", NULL};
	stage_init(&bench.stage, "faults-import");
	stage_start_company(&bench.stage, company);
	plain_files(&bench);
	hostile_lines(&bench);
	long_statement(&bench);
	again(&bench);
	packed(&bench);
	refused(&bench);
	stage_done(&bench.stage, bench.tap.failures != 0);
	return tap_end(&bench.tap);
}
