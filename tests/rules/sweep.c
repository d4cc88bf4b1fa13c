/* Proves: the shipped rules raise on each statement of a list exactly what the list says, all rules against all statements; so what looks
 * like a deed and is none raises nothing, whichever rule looks at it.
 *
 * usage: sweep FOLDER LIST */
#include "base/io.h"
#include "correlator/rules/pack-config.h"
#include "correlator/rules/ruleset.h"

#include <assert.h>
#include <stdlib.h>

static void put_stem(struct buf *out, const char *file)
{
	const char *slash = strrchr(file, '/');
	struct str name = str_of(slash != NULL ? slash + 1 : file);
	buf_put_text(out, out->len != 0 ? " " : "");
	buf_put_str(out, str_slice(name, 0, name.len - strlen(".yml")));
}

static int take_hit(void *owner, const struct matcher_hit *hit, struct error *err)
{
	(void)err;
	put_stem(owner, hit->rule->file);
	return 0;
}

/* Whether both hold the same words, in any order; no word is part of another one's end. */
static bool same_words(struct str a, struct str b)
{
	size_t a_count = 0, b_count = 0;
	struct str rest = b;
	while (rest.ptr != NULL && b.len != 0) {
		(void)str_split(&rest, ' ');
		b_count++;
	}
	rest = a;
	while (rest.ptr != NULL && a.len != 0) {
		struct str word = str_split(&rest, ' '), others = b;
		bool found = false;
		while (others.ptr != NULL && !found) {
			found = str_equal(str_split(&others, ' '), word);
		}
		if (!found) {
			return false;
		}
		a_count++;
	}
	return a_count == b_count;
}

static bool try_line(struct matcher *matcher, struct str line, int number)
{
	ptrdiff_t at = str_find(line, STR_LIT(": "), 0);
	struct record record;
	struct buf got;
	struct error err;
	assert(at > 0);
	struct str wanted = str_slice(line, 0, (size_t)at);
	wanted = str_is(wanted, "-") ? STR_LIT("") : wanted;
	record_init(&record, RECORD_STATEMENT);
	record.source = STR_LIT("db");
	record_set_text(&record, FIELD_action, STR_LIT("BCM"));
	record_set_text(&record, FIELD_statement, str_slice(line, (size_t)at + 2, line.len));
	const struct rules_event event = {.stage = RULES_STAGE_RECORD, .statement = &record};
	buf_init(&got, 0);
	const struct matcher_run run = {.fired = take_hit, .owner = &got};
	assert(matcher_run(matcher, &event, &run, &err) == 0);
	bool good = same_words(wanted, buf_str(&got));
	if (!good) {
		(void)printf("line %d: %.*s\n  raised: %.*s\n", number, STR_ARG(line),
			     STR_ARG(buf_str(&got)));
	}
	buf_done(&got);
	return good;
}

int main(int argc, char **argv)
{
	struct pack *pack = NULL;
	struct ruleset *ruleset = NULL;
	struct matcher *matcher = NULL;
	struct buf text;
	struct error err;
	size_t passed = 0, failed = 0;
	assert(argc == 3);
	const char *const folders[] = {argv[1]};
	const struct pack_wish wish = {.folders = folders, .folder_count = 1};
	buf_init(&text, 0);
	if (pack_read_config(NULL, &wish, &pack, &err) != 0 ||
	    ruleset_new(pack, &ruleset, &err) != 0 || matcher_new(ruleset, &matcher, &err) != 0 ||
	    io_read_file(argv[2], 1u << 20, &text, &err) != 0) {
		(void)printf("%s\n", err.text);
		return 2;
	}
	struct str rest = buf_str(&text);
	for (int number = 1; rest.ptr != NULL; number++) {
		struct str line = str_split(&rest, '\n');
		if (line.len != 0 && line.ptr[0] != '#') {
			bool good = try_line(matcher, line, number);
			passed += good;
			failed += !good;
		}
	}
	matcher_free(matcher);
	ruleset_free(ruleset);
	buf_done(&text);
	(void)printf("%zu passed, %zu failed\n", passed, failed);
	return failed != 0 ? 1 : 0;
}
