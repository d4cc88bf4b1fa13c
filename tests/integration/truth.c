/* truth - what `querytrail who --format jsonl` says, against what the simulated company knows.
 *
 * Reads the company's truth.jsonl and who's output (stdin). Every statement must be there once, with the grade that its evidence
 * deserves; at A, B and C it must name the very user, route and request; at A and B a wrong person is a failure by itself.
 * Usage: check-truth TRUTH_FILE <WHO_OUTPUT. Speaks TAP. */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES (4 << 20)
#define EXAMPLES       5

struct tally {
	size_t statements, rows, unknown, missing, twice, wrong_grade, wrong_person, wrong_request,
		attributed;
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL ? text : "";
}

static void number_key(const json_t *object, char out[32])
{
	(void)snprintf(out, 32, "%lld",
		       (long long)json_integer_value(
			       json_object_get(object, "transaction_id"))); /* fits */
}

/* The truth by transaction id; NULL when the file can't be read. */
static json_t *read_truth(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = malloc(LINE_MAX_BYTES);
	json_t *truth = json_object();
	while (file != NULL && line != NULL && fgets(line, LINE_MAX_BYTES, file) != NULL) {
		json_t *row = json_loads(line, 0, NULL);
		char key[32];
		number_key(row, key);
		if (row == NULL || json_object_get(truth, key) != NULL) {
			fprintf(stderr, "a line of the truth is broken or double: %s", line);
			exit(2);
		}
		(void)json_object_set_new(truth, key,
					  row); /* memory failure shows as a missing statement */
	}
	free(line);
	if (file == NULL) {
		json_decref(truth);
		return NULL;
	}
	(void)fclose(file); /* it was only read */
	return truth;
}

static void show(size_t count, const char *what, const json_t *truth, const json_t *row)
{
	if (count > EXAMPLES) {
		return;
	}
	char *want = json_dumps(truth, JSON_COMPACT);
	printf("# %s: the truth is %s\n#   the answer: grade %s, user %s, route %s, request %s, "
	       "reason: %s\n",
	       what, want != NULL ? want : "", text_of(row, "grade"), text_of(row, "user"),
	       text_of(row, "route"), text_of(row, "extended_request_id"), text_of(row, "reason"));
	free(want);
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
	return strcmp(text_of(a, key), text_of(b, key)) == 0;
}

static void check_row(struct tally *tally, const json_t *truth, const json_t *row)
{
	const char *expect = text_of(truth, "expect");
	const char *grade = text_of(row, "grade");
	bool good_grade = strcmp(expect, grade) == 0 || strcmp(expect, "any") == 0;
	bool named = strcmp(grade, "A") == 0 || strcmp(grade, "B") == 0;
	bool attributed = named || strcmp(grade, "C") == 0;
	if (!good_grade) {
		show(++tally->wrong_grade, "grade", truth, row);
	}
	if (named && !same(truth, row, "user")) {
		show(++tally->wrong_person, "person", truth, row);
	}
	tally->attributed += attributed;
	if (attributed && good_grade &&
	    (!same(truth, row, "user") || !same(truth, row, "route") ||
	     !same(truth, row, "extended_request_id"))) {
		show(++tally->wrong_request, "request", truth, row);
	}
}

/* Statements may hold lone surrogates, which are exact in our JSON and which jansson refuses: they do not matter here. */
static void blunt_surrogates(char *line)
{
	for (char *at = strstr(line, "\\ud"); at != NULL; at = strstr(at + 3, "\\ud")) {
		if (strchr("89abcdef", at[3]) != NULL) {
			at[2] = '0';
		}
	}
}

static void take_line(struct tally *tally, json_t *truth, char *line)
{
	blunt_surrogates(line);
	json_t *row = json_loads(line, 0, NULL);
	if (row == NULL) {
		printf("# not JSON: %.200s\n", line);
		tally->unknown++;
		return;
	}
	if (json_object_get(row, "coverage") == NULL) {
		char key[32];
		number_key(row, key);
		json_t *want = json_object_get(truth, key);
		tally->rows++;
		if (want == NULL) {
			tally->unknown++;
			printf("# unknown to the truth: %s\n", key);
		} else if (json_object_get(want, "seen") != NULL) {
			show(++tally->twice, "twice", want, row);
		} else {
			check_row(tally, want, row);
			(void)json_object_set_new(want, "seen",
						  json_true()); /* failure would show as missing */
		}
	}
	json_decref(row);
}

static int report(int number, bool good, const char *what)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", number, what);
	return !good;
}

int main(int argc, char **argv)
{
	json_t *truth = argc == 2 ? read_truth(argv[1]) : NULL;
	char *line = malloc(LINE_MAX_BYTES);
	struct tally tally = {0};
	if (truth == NULL || line == NULL) {
		fprintf(stderr, "usage: check-truth TRUTH_FILE <WHO_OUTPUT\n");
		return 2;
	}
	while (fgets(line, LINE_MAX_BYTES, stdin) != NULL) {
		take_line(&tally, truth, line);
	}
	const char *key;
	json_t *want;
	json_object_foreach(truth, key, want)
	{
		tally.statements++;
		if (json_object_get(want, "seen") == NULL) {
			show(++tally.missing, "missing", want, NULL);
		}
	}
	printf("# %zu statements, %zu rows, %zu attributed (A, B, C)\n", tally.statements,
	       tally.rows, tally.attributed);
	printf("1..4\n");
	int failed =
		report(1, tally.statements != 0 && tally.missing + tally.twice + tally.unknown == 0,
		       "every statement is there once");
	failed += report(2, tally.wrong_grade == 0, "every grade is what its evidence deserves");
	failed += report(3, tally.wrong_person == 0, "no wrong person at A or B");
	failed += report(4, tally.attributed != 0 && tally.wrong_request == 0,
			 "every attributed statement names its user, route and request");
	json_decref(truth);
	free(line);
	return failed != 0;
}
