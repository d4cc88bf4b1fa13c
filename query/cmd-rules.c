#include "query/command.h"

#include "correlator/rules/pack-config.h"
#include "correlator/rules/ruleset.h"
#include "query/rule-list.h"

#include <stdlib.h>
#include <unistd.h>

#define EXIT_BAD_RULES 78

/* Rules read and compiled for one command. */
struct rules_work {
	struct session *session;
	struct ruleset *ruleset;
	const struct pack *pack;
};

/* The configuration, when one is named or lies at the usual place and may be read; without one rules have no lists. */
static int load_config(struct session *session, struct error *err)
{
	const char *path = session_config_path(session);
	if (strcmp(path, SESSION_CONFIG_PATH) == 0 && access(path, R_OK) != 0) {
		return 0;
	}
	return session_load_config(session, NULL, err);
}

static int load_rules(struct rules_work *work, bool for_examples, struct error *err)
{
	struct option_line *line = &work->session->line;
	struct pack_wish wish = {.folders = (const char *const *)&line->word[1],
				 .folder_count = line->word_count - 1,
				 .example_lists = for_examples};
	struct pack *pack;
	int result = load_config(work->session, err);
	if (result == 0) {
		result = pack_read_config(work->session->config, &wish, &pack, err);
	}
	if (result == 0) {
		result = ruleset_new(pack, &work->ruleset, err);
	}
	if (result == 0) {
		work->pack = ruleset_pack(work->ruleset);
	}
	return result;
}

static void put_state(struct output *out, const char *state, enum style style)
{
	output_style(out, style);
	buf_putf(&out->text, "%-6s", state);
	output_style(out, STYLE_NONE);
}

static void put_problem(struct output *out, const struct pack_problem *problem)
{
	put_state(out, "error", STYLE_BAD);
	output_safe(out, str_of(problem->file));
	if (problem->line != 0) {
		buf_putf(&out->text, ":%d", problem->line);
	}
	if (problem->column != 0) {
		buf_putf(&out->text, ":%d", problem->column);
	}
	buf_put_text(&out->text, ": ");
	output_safe(out, str_of(problem->text));
	buf_put_byte(&out->text, '\n');
	output_row_done(out);
}

static int by_place(const void *left, const void *right)
{
	const struct pack_problem *a = *(const struct pack_problem *const *)left;
	const struct pack_problem *b = *(const struct pack_problem *const *)right;
	int order = strcmp(a->file, b->file);
	if (order != 0) {
		return order;
	}
	return a->line != b->line ? (a->line > b->line) - (a->line < b->line)
				  : (a->column > b->column) - (a->column < b->column);
}

/* Those of the reader and of the compiler, in order of their places. */
static void put_problems(struct output *out, const struct pack *pack)
{
	size_t count = pack_problem_count(pack);
	const struct pack_problem **sorted = calloc(count + 1, sizeof(*sorted));
	for (size_t i = 0; sorted != NULL && i < count; i++) {
		sorted[i] = pack_problem(pack, i);
	}
	if (sorted != NULL) {
		qsort(sorted, count, sizeof(*sorted), by_place);
	}
	for (size_t i = 0; i < count; i++) { /* without memory they stand as they came */
		put_problem(out, sorted != NULL ? sorted[i] : pack_problem(pack, i));
	}
	free(sorted);
}

/* "3 errors" */
static void put_count(struct buf *out, size_t count, const char *noun)
{
	buf_putf(out, "%zu %s%s", count, noun, count == 1 ? "" : "s");
}

static int check(struct rules_work *work, struct error *err)
{
	struct output *out = &work->session->out;
	size_t idle_count = 0;
	int result = load_rules(work, false, err);
	if (result != 0) {
		return result;
	}
	for (size_t i = 0; i < pack_rule_count(work->pack); i++) {
		const struct rule *rule = pack_rule(work->pack, i);
		idle_count += rule->idle;
		put_state(out, rule->idle ? "idle" : "ok", rule->idle ? STYLE_DOUBT : STYLE_GOOD);
		output_safe(out, str_of(rule->file));
		buf_putf(&out->text, ":%d: ", rule->line);
		output_safe(out, rule->title);
		if (rule->idle) {
			buf_put_text(&out->text, ": ");
			output_safe(out, rule->idle_reason);
		}
		buf_put_byte(&out->text, '\n');
		output_row_done(out);
	}
	put_problems(out, work->pack);
	put_count(&out->text, pack_rule_count(work->pack) - idle_count, "rule");
	buf_putf(&out->text, " ok, %zu idle, %zu disabled, ", idle_count,
		 pack_disabled_count(work->pack));
	put_count(&out->text, pack_problem_count(work->pack), "error");
	buf_put_byte(&out->text, '\n');
	return pack_problem_count(work->pack) != 0 ? EXIT_BAD_RULES : EXIT_FOUND;
}

static int list(struct rules_work *work, struct error *err)
{
	struct session *session = work->session;
	const char *format = session_option(session, OPTION_JSON) != NULL
				     ? "json"
				     : session_option(session, OPTION_FORMAT);
	int result = load_rules(work, false, err);
	if (result == 0) {
		result = rule_list_put(&session->out, work->pack, format, err);
	}
	if (result == 0 && pack_problem_count(work->pack) != 0) {
		buf_putf(&session->err.text,
			 "querytrail: %zu rules are bad and not listed; \"querytrail rules check\" "
			 "tells why\n",
			 pack_problem_count(work->pack));
		return EXIT_BAD_RULES;
	}
	return result;
}

struct tally {
	size_t example_count, failed_count, without_count;
};

/* One line for an example that did not go as it should. */
static void put_failure(struct output *out, const struct rule *rule,
			const struct rule_example *example, const char *what)
{
	put_state(out, "fail", STYLE_BAD);
	output_safe(out, str_of(rule->file));
	buf_putf(&out->text, ":%d: ", example->line);
	output_safe(out, rule->title);
	if (example->name.len != 0) {
		buf_put_text(&out->text, ": \"");
		output_safe(out, example->name);
		buf_put_byte(&out->text, '"');
	}
	buf_put_text(&out->text, ": ");
	output_safe(out, str_of(what));
	buf_put_byte(&out->text, '\n');
	output_row_done(out);
}

static int try_examples(struct output *out, struct matcher *matcher, const struct rule *rule,
			struct tally *tally)
{
	tally->without_count += rule->example_count == 0;
	for (size_t i = 0; i < rule->example_count; i++) {
		const struct rule_example *example = &rule->examples[i];
		struct error fault;
		bool fires = false;
		int result = matcher_try(matcher, rule, example->fields, &fires, &fault);
		if (result == -ERR_NOMEM) {
			return result;
		}
		tally->example_count++;
		if (result != 0) {
			put_failure(out, rule, example, fault.text);
		} else if (fires != example->fires) {
			put_failure(out, rule, example,
				    example->fires ? "it should fire and does not"
						   : "it fires and should not");
		}
		tally->failed_count += result != 0 || fires != example->fires;
	}
	return 0;
}

static int test(struct rules_work *work, struct error *err)
{
	struct output *out = &work->session->out;
	struct matcher *matcher = NULL;
	struct tally tally = {0};
	int result = load_rules(work, true, err);
	if (result == 0) {
		result = matcher_new(work->ruleset, &matcher, err);
	}
	for (size_t i = 0; result == 0 && i < pack_rule_count(work->pack); i++) {
		if (try_examples(out, matcher, pack_rule(work->pack, i), &tally) != 0) {
			result = error_set(err, ERR_NOMEM, "no memory for the examples");
		}
	}
	matcher_free(matcher);
	if (result != 0) {
		return result;
	}
	put_problems(out, work->pack);
	put_count(&out->text, pack_rule_count(work->pack), "rule");
	buf_put_text(&out->text, ", ");
	put_count(&out->text, tally.example_count, "example");
	buf_putf(&out->text, ": %zu as expected, %zu not; ",
		 tally.example_count - tally.failed_count, tally.failed_count);
	put_count(&out->text, tally.without_count, "rule");
	buf_put_text(&out->text, " without examples, ");
	put_count(&out->text, pack_problem_count(work->pack), "error");
	buf_put_byte(&out->text, '\n');
	return tally.failed_count + pack_problem_count(work->pack) != 0 ? EXIT_ERROR : EXIT_FOUND;
}

int cmd_rules(struct session *session, struct error *err)
{
	static const struct {
		const char *name;
		int (*run)(struct rules_work *work, struct error *err);
	} actions[] = {{"check", check}, {"list", list}, {"test", test}};
	const char *what = session->line.word[0];
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(what, actions[i].name) == 0) {
			struct rules_work work = {.session = session};
			int result = actions[i].run(&work, err);
			ruleset_free(work.ruleset);
			return result;
		}
	}
	return error_set(err, ERR_USAGE,
			 "\"querytrail rules %s\" is unknown; there are check, list and test",
			 what);
}
