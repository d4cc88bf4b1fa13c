/* ruleset - rules compiled to be run against every event, and the matcher that runs them.
 *
 * Shape:   rules are routed by log source; strings of all rules of a route stand in one Aho-Corasick automaton; a rule is looked at only when
 *          one of the strings that it needs occurs, or one of its exact values, or always when it has none. Regular expressions are
 *          compiled once by PCRE2 with JIT and run under match and depth limits; one that hits its limit counts as no match and is
 *          counted in the figures.
 * Fields:  a name that a rule's log source does not have is a problem of that rule ("did you mean"), told through pack_refuse.
 * Stage:   a rule whose log source is product querytrail, service trail, or that asks for a field of verdict or request beside
 *          those of a statement, runs at RULES_STAGE_TRAIL; all others at RULES_STAGE_RECORD.
 * Threads: a ruleset is read-only once compiled; one matcher per thread. Blocking: never.
 * Tests:   tests/unit/ruleset.c, tests/unit/automaton.c, tests/fuzz/ruleset.c, tests/bench/rules.c
 */
#ifndef CORRELATOR_RULES_RULESET_H
#define CORRELATOR_RULES_RULESET_H

#include "correlator/rules/event.h"
#include "correlator/rules/pack.h"

struct ruleset;

/* Compiles the rules of a pack; bad ones become its problems. The ruleset takes the pack: it is freed with it (and on failure too).
 * Returns 0, ERR_NOMEM or ERR_LIMIT. */
int ruleset_new(struct pack *pack, struct ruleset **out_ruleset, struct error *err);
void ruleset_free(struct ruleset *ruleset);

/* The pack: its rules and problems. */
const struct pack *ruleset_pack(const struct ruleset *ruleset);

/* Whether any rule runs at the stage; then events of it must be given. And the stage of one rule. */
bool ruleset_has_stage(const struct ruleset *ruleset, enum rules_stage stage);
enum rules_stage ruleset_stage(const struct ruleset *ruleset, const struct rule *rule);

struct matcher;

/* What a matcher has seen. */
struct matcher_figures {
	uint64_t events, fired, candidates, regex_limits;
};

/* Makes one. Returns 0 or ERR_NOMEM. */
int matcher_new(const struct ruleset *ruleset, struct matcher **out_matcher, struct error *err);
void matcher_free(struct matcher *matcher);

/* A rule that fired: matched is one line that says which tests did it ("flags: delete_without_where; database: sales"), borrowed
 * until the callback returns. Another result than 0 ends the run and is returned. */
struct matcher_hit {
	const struct rule *rule;
	struct str matched;
};
typedef int matcher_fired_fn(void *owner, const struct matcher_hit *hit, struct error *err);

/* Runs all rules of the event's stage, in the order of the pack. Returns 0, what the callback returned, or ERR_NOMEM. */
struct matcher_run {
	matcher_fired_fn *fired;
	void *owner;
};
int matcher_run(struct matcher *matcher, const struct rules_event *event,
		const struct matcher_run *run, struct error *err);

/* The same for one rule and an event given as names and values (examples, `rules test`): what is not named is absent. Our own fields
 * make records, so what is made of them is there too and true: of `statement` its flags, verbs, tables .. (its T-SQL facts), of an audit
 * row's fields EventID and Data, of a request's path and extra the cs-* names; a name that is given stands instead of what would be made.
 * `time` is RFC 3339. A TRAIL rule may be given fields of all sides. Returns 0 and *out_fires, or ERR_CONFIG (a name that the log source has not). */
int matcher_try(struct matcher *matcher, const struct rule *rule, const struct yaml_node *fields,
		bool *out_fires, struct error *err);

/* What it has seen so far. */
struct matcher_figures matcher_figures(const struct matcher *matcher);

#endif
