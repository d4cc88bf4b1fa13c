#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "tests/unit/head-damage.h"
#include "tests/unit/report-fixture.h"

#include <fcntl.h>

#define HEAD "title: T\npurpose: P\nsections:\n"

static void test_groups(void **state)
{
	/* Proves: rows are put in groups with counts, shares, refusals and distinct values, in the order asked for. */
	(void)state;
	struct reporting reporting;
	reporting_init(&reporting, true, false);
	assert_int_equal(
		reporting_run(&reporting,
			      HEAD
			      "- {name: a, title: A, group: user, order: [-count, user], columns: "
			      "[user, count, share, failed, conflicts, unmatched, distinct_table, "
			      "sum_rows, max_rows]}\n",
			      &write_jsonl),
		0);
	assert_int_equal(reporting_count(&reporting,
					 "{\"user\":null,\"count\":4,\"share\":0.444,\"failed\":0,"
					 "\"conflicts\":1,\"unmatched\":1,\"distinct_table\":4,"
					 "\"sum_rows\":4332,\"max_rows\":4211}"),
			 1);
	assert_int_equal(reporting_count(&reporting,
					 "{\"user\":\"bob@example.com\",\"count\":3,"
					 "\"share\":0.333,\"failed\":1,\"conflicts\":0,"
					 "\"unmatched\":0,\"distinct_table\":3,\"sum_rows\":2,"
					 "\"max_rows\":1}"),
			 1);
	const char *bob = strstr(reporting.out.ptr, "\"user\":\"bob");
	const char *alice = strstr(reporting.out.ptr, "\"user\":\"alice");
	assert_true(bob != NULL && alice != NULL && bob < alice);
	assert_int_equal(reporting.outcome.row_count, 3);
	assert_false(reporting.outcome.incomplete);
	reporting_done(&reporting);
}

static void test_first(void **state)
{
	/* Proves: a definition may show the first rows only, and the count of all is told beside. */
	(void)state;
	struct reporting reporting;
	reporting_init(&reporting, true, false);
	assert_int_equal(reporting_run(&reporting,
				       HEAD
				       "- {name: a, title: A, first: 2, order: -time, columns: "
				       "[time, verb]}\n"
				       "- {name: b, title: B, first: 1, group: verb, columns: "
				       "[verb, count], order: verb}\n",
				       &write_jsonl),
			 0);
	assert_int_equal(
		reporting_count(&reporting, "\"table\":\"a\",\"returned\":2,\"matched\":9}"), 1);
	assert_int_equal(
		reporting_count(&reporting, "\"table\":\"b\",\"returned\":1,\"matched\":4}"), 1);
	assert_int_equal(reporting_count(&reporting, "2026-11-22T10:00:50"), 1); /* the newest */
	assert_int_equal(reporting_count(&reporting, "\"verb\":\"DELETE\",\"count\":1"), 1);
	reporting_done(&reporting);
}

static void test_filters(void **state)
{
	/* Proves: the filter of the command line and that of the section must both hold, whatever operators they have; a dataset without a
	 * filter says that it is not narrowed. */
	(void)state;
	struct reporting reporting;
	reporting_init(&reporting, true, false);
	reporting.question.filter = STR_LIT("user:alice* OR user:bob*");
	assert_int_equal(reporting_run(&reporting,
				       HEAD
				       "- {name: a, title: A, filter: 'verb:INSERT OR "
				       "verb:DELETE', columns: [user, verb]}\n"
				       "- {name: s, title: S, from: sources, columns: [source]}\n",
				       &write_jsonl),
			 0);
	assert_int_equal(reporting_count(&reporting, "\"verb\":\"INSERT\""), 1);
	assert_int_equal(reporting_count(&reporting, "\"verb\":\"DELETE\""), 0);
	assert_int_equal(reporting_count(&reporting, "5 match the filter"), 1);
	assert_int_equal(reporting_count(&reporting, "it does not narrow this section"), 1);
	reporting.question.filter = STR_LIT("rout:x");
	assert_int_equal(reporting_run(&reporting, HEAD "- {name: a, title: A, columns: [verb]}\n",
				       &write_jsonl),
			 -ERR_USAGE);
	reporting_done(&reporting);
}

static void test_range(void **state)
{
	/* Proves: a range narrows each section, is given as instants, and an end behind the watermark makes the report incomplete. */
	(void)state;
	struct reporting reporting;
	static const char yaml[] = HEAD "- {name: a, title: A, columns: [time]}\n";
	reporting_init(&reporting, true, false);
	reporting.question.from_ns = STORY_DAY_NS + 10 * NS_PER_HOUR + 20 * NS_PER_SEC;
	reporting.question.to_ns = STORY_DAY_NS + 11 * NS_PER_HOUR;
	assert_int_equal(reporting_run(&reporting, yaml, &write_jsonl), 0);
	assert_int_equal(reporting.outcome.row_count, 4);
	assert_false(reporting.outcome.incomplete);
	assert_int_equal(reporting_count(&reporting, "2026-11-22 10:00:20Z to before "
						     "2026-11-22 11:00:00Z (zone UTC)"),
			 1);
	reporting.question.to_ns = STORY_DAY_NS + 24 * NS_PER_HOUR;
	assert_int_equal(reporting_run(&reporting, yaml, &write_jsonl), 0);
	assert_true(reporting.outcome.incomplete);
	assert_int_equal(reporting_count(&reporting, "\"complete\":false"), 1);
	reporting_done(&reporting);
}

static void test_same_bytes(void **state)
{
	/* Proves: all reports that came with querytrail are the same bytes when they run again, at another moment, and over a store whose records
	 * were committed in another order; in each format but PDF, whose writer has its own test. */
	(void)state;
	static const struct report_writer_type *const types[] = {&write_jsonl, &write_csv,
								 &write_md, &write_html};
	struct reporting here, turned;
	struct folders *folders = calloc(1, sizeof(*folders));
	struct folder_names *names = calloc(1, sizeof(*names));
	struct arena arena;
	struct buf first;
	assert_true(folders != NULL && names != NULL);
	arena_init(&arena, 1u << 20);
	buf_init(&first, 0);
	reporting_init(&here, false, false);
	reporting_init(&turned, false, true);
	turned.question.now_ns += NS_PER_DAY;
	assert_int_equal(folders_find(NULL, folders, &here.err), 0);
	assert_int_equal(folders_list(folders, SIZE_MAX, &arena, names, &here.err), 0);
	assert_int_equal(names->count, 9);
	for (size_t i = 0; i < names->count; i++) {
		struct report *report = calloc(1, sizeof(*report));
		assert_non_null(report);
		assert_int_equal(report_load(folders, str_of(names->name[i]), report, &here.err),
				 0);
		for (size_t t = 0; t < 4; t++) {
			assert_int_equal(reporting_write(&here, report, types[t]), 0);
			buf_clear(&first);
			buf_put_str(&first, buf_str(&here.out));
			assert_true(first.len > 1000);
			assert_int_equal(reporting_write(&here, report, types[t]), 0);
			assert_true(str_equal(buf_str(&first), buf_str(&here.out)));
			assert_int_equal(reporting_write(&turned, report, types[t]), 0);
			assert_true(str_equal(buf_str(&first), buf_str(&turned.out)));
		}
		report_done(report);
		free(report);
	}
	buf_done(&first);
	arena_done(&arena);
	reporting_done(&here);
	reporting_done(&turned);
	free(names);
	free(folders);
}

static void test_incomplete(void **state)
{
	/* Proves: what is missing stands in the head as a warning, also when the definition leaves the fact out, and in the outcome. */
	(void)state;
	struct reporting reporting;
	reporting_init(&reporting, false, false);
	assert_int_equal(
		reporting_run(&reporting,
			      "title: T\npurpose: P\nfacts: [range]\nsections:\n"
			      "- {name: g, title: G, from: gaps, columns: [source, gap_from, "
			      "gap_kind]}\n"
			      "- {name: r, title: R, from: rejects, only: {source: 'a*'}, columns: "
			      "[reason]}\n"
			      "- {name: n, title: N, from: rejects, except: {source: 'a*'}, "
			      "columns: [reason], empty: none of them}\n",
			      &write_jsonl),
		0);
	assert_true(reporting.outcome.incomplete);
	assert_int_equal(reporting_count(&reporting, "\"name\":\"range\""), 1);
	assert_int_equal(reporting_count(&reporting, "\"name\":\"scope\""), 0);
	assert_int_equal(reporting_count(&reporting, "has a gap from 2026-11-22 08:00:00Z"), 1);
	assert_int_equal(reporting_count(&reporting, "\"gap_kind\":\"deleted_file\""), 1);
	assert_int_equal(reporting_count(&reporting, "\"reason\":\"no JSON object\""), 1);
	assert_int_equal(reporting_count(&reporting, "none of them"), 1);
	reporting_done(&reporting);
}

static void test_charts(void **state)
{
	/* Proves: bars with the rest as one bar, a timeline without holes, and grades in their order. */
	(void)state;
	struct reporting reporting;
	reporting_init(&reporting, true, false);
	assert_int_equal(
		reporting_run(&reporting,
			      HEAD
			      "- name: a\n  title: A\n  columns: [time]\n  charts:\n"
			      "  - {kind: bars, title: x, by: verb, first: 1, risk: unmatched}\n"
			      "  - {kind: timeline, title: y, by: hour, risk: failed}\n"
			      "  - {kind: stack, title: z}\n",
			      &write_jsonl),
		0);
	assert_int_equal(
		reporting_count(&reporting,
				"\"risk\":\"without a request\",\"bars\":[{\"label\":\"SELECT\","
				"\"value\":6,\"risk\":0},{\"label\":\"(3 others)\",\"value\":3,"
				"\"risk\":1}]"),
		1);
	assert_int_equal(reporting_count(&reporting, "\"bars\":[{\"label\":\"2026-11-22 10:00\","
						     "\"value\":9,\"risk\":1}]"),
			 1);
	assert_int_equal(
		reporting_count(
			&reporting,
			"\"bars\":[{\"label\":\"A\",\"value\":3},{\"label\":\"B\",\"value\":1},"
			"{\"label\":\"C\",\"value\":2},{\"label\":\"U1\",\"value\":1},"
			"{\"label\":\"X\",\"value\":1},{\"label\":\"pending\",\"value\":1}]"),
		1);
	reporting_done(&reporting);
}

static void test_zone(void **state)
{
	/* Proves: hours and days are those of the report's zone. */
	(void)state;
	struct reporting reporting;
	reporting_init(&reporting, true, false);
	assert_int_equal(zone_open(STR_LIT("+14:00"), NULL, &reporting.zone, &reporting.err), 0);
	assert_int_equal(reporting_run(&reporting,
				       HEAD
				       "- {name: a, title: A, group: [day, hour], columns: [day, "
				       "hour, count]}\n",
				       &write_jsonl),
			 0);
	assert_int_equal(reporting_count(&reporting, "\"day\":\"2026-11-23\",\"hour\":\"2026-11-23 "
						     "00:00\",\"count\":9"),
			 1);
	reporting_done(&reporting);
}

/* A folder of reports, which is gone with the next. */
static void put(const char *dir, const char *name, const char *yaml)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(io_make_dir(path, 0700, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/%s/report.yaml", dir, name);
	assert_int_equal(io_replace_file(path, str_of(yaml), 0600, NULL), 0);
}

static void drop(const char *dir, const char *name)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s/report.yaml", dir, name);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(rmdir(path), 0);
}

#define BUNDLE                                                                   \
	"title: B\npurpose: P\nparts: [a, b]\ncrosswalk:\n  title: C\n  rows:\n" \
	"  - {framework: F, clause: '1', text: both, answers: [a/x, b]}\n"       \
	"  - {framework: F, clause: '2', text: none, limits: not shown}\n"

static void test_bundle(void **state)
{
	/* Proves: a bundle has its crosswalk first, with the rows that each clause rests on, and then its parts, their sections named after them. */
	(void)state;
	char dir[] = "/tmp/qt-bundle-XXXXXX";
	struct reporting reporting;
	struct folders folders = {.count = 1};
	struct report *report = calloc(1, sizeof(*report));
	assert_true(report != NULL && mkdtemp(dir) != NULL);
	memcpy(folders.path[0], dir, sizeof(dir));
	put(dir, "a", HEAD "- {name: x, title: X, filter: 'verb:SELECT', columns: [verb]}\n");
	put(dir, "b",
	    HEAD "- {name: x, title: X, from: sources, columns: [source]}\n"
		 "- {name: y, title: Y, from: sources, only: {source: api}, columns: "
		 "[source]}\n");
	put(dir, "c", BUNDLE);
	reporting_init(&reporting, true, false);
	assert_int_equal(report_load(&folders, STR_LIT("c"), report, &reporting.err), 0);
	assert_int_equal(reporting_write(&reporting, report, &write_jsonl), 0);
	const char *text = reporting.out.ptr;
	assert_int_equal(reporting_count(&reporting,
					 "\"cells\":{\"clause\":\"1\",\"asks\":\"both\","
					 "\"answers\":\"T: X; T\",\"rows\":9,\"limits\":null}"),
			 1);
	assert_int_equal(reporting_count(&reporting, "\"answers\":\"nothing here\","
						     "\"rows\":null,\"limits\":\"not shown\""),
			 1);
	assert_true(strstr(text, "\"crosswalk\"") < strstr(text, "\"anchor\":\"a\""));
	assert_int_equal(reporting_count(&reporting, "\"anchor\":\"b-y\",\"level\":2"), 1);
	assert_int_equal(reporting_count(&reporting, "{\"record\":\"row\",\"table\":\"b-x\""), 2);
	report_done(report);
	put(dir, "a", HEAD "- {name: z, title: X, columns: [verb]}\n");
	assert_int_equal(report_load(&folders, STR_LIT("c"), report, &reporting.err), -ERR_CONFIG);
	assert_non_null(strstr(reporting.err.text, "line 7: there is no section \"a/x\""));
	put(dir, "a", "title: T\npurpose: P\nparts: [b]\n");
	assert_int_equal(report_load(&folders, STR_LIT("c"), report, &reporting.err), -ERR_CONFIG);
	assert_non_null(strstr(reporting.err.text, "its part a is itself put together of parts"));
	drop(dir, "a");
	assert_int_equal(report_load(&folders, STR_LIT("c"), report, &reporting.err), -ERR_CONFIG);
	assert_non_null(strstr(reporting.err.text, "report c: there is no report \"a\""));
	drop(dir, "b");
	drop(dir, "c");
	assert_int_equal(rmdir(dir), 0);
	reporting_done(&reporting);
	free(report);
}

static void test_late_damage(void **state)
{
	/* Proves: rows that turn out to be damaged behind the head are told by the section and once at the end, and the outcome is incomplete. */
	(void)state;
	struct reporting reporting;
	reporting_init(&reporting, true, false);
	const char *text = HEAD "- {name: x, title: X, columns: [user, statement]}\n";
	assert_int_equal(reporting_run(&reporting, text, &write_jsonl), 0);
	assert_false(reporting.outcome.incomplete);
	assert_int_equal(reporting_count(&reporting, "though its head does not"), 0);
	for (uint64_t leaf = 0; leaf < 8; leaf += 7) {
		head_damage(reporting.story.dir, leaf, HEAD_CHUNK);
	}
	assert_int_equal(reporting_run(&reporting, text, &write_jsonl), 0);
	assert_true(reporting.outcome.incomplete);
	assert_int_equal(reporting_count(&reporting, "could not be read whole."), 2);
	assert_int_equal(reporting_count(&reporting, "though its head does not"), 1);
	reporting_done(&reporting);
}

static void test_damage(void **state)
{
	/* Proves: a failing output ends the run with its error. */
	(void)state;
	struct reporting reporting;
	static const struct folders nowhere;
	struct definition_input input = {"t", STR_LIT("t"),
					 STR_LIT(HEAD "- {name: x, title: X, columns: [verb]}\n")};
	struct report *report = calloc(1, sizeof(*report));
	struct targets *targets = calloc(1, sizeof(*targets));
	assert_true(report != NULL && targets != NULL);
	reporting_init(&reporting, true, false);
	assert_int_equal(report_parse(&nowhere, &input, report, &reporting.err), 0);
	IO_CLOSE int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct target_place place = {.fd = full};
	targets_init(targets, &reporting.zone);
	assert_int_equal(targets_add(targets, &write_csv, &place, &reporting.err), 0);
	assert_int_equal(report_run(report, &reporting.question, targets, &reporting.outcome,
				    &reporting.err),
			 -ERR_IO);
	assert_non_null(strstr(reporting.err.text, "No space left"));
	targets_done(targets);
	report_done(report);
	reporting_done(&reporting);
	free(report);
	free(targets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),      cmocka_unit_test(test_first),
		cmocka_unit_test(test_filters),     cmocka_unit_test(test_range),
		cmocka_unit_test(test_same_bytes),  cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_charts),      cmocka_unit_test(test_zone),
		cmocka_unit_test(test_bundle),      cmocka_unit_test(test_damage),
		cmocka_unit_test(test_late_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
