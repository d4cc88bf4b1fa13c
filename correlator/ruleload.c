#include "correlator/daemonstate.h"

#include "base/log.h"
#include "correlator/rules/pack-config.h"

#include <unistd.h>

/* Whether the rules are those that came with querytrail, and none came. */
static bool has_none(const struct config *config)
{
	struct buf folder;
	if (config_list_count(config, "rules", "folders") > 0) {
		return false;
	}
	buf_init(&folder, 0);
	pack_shipped_folder(&folder);
	bool none = folder.failed || access(folder.ptr, F_OK) != 0;
	buf_done(&folder);
	return none;
}

static void log_problems(const struct pack *pack)
{
	for (size_t i = 0; i < pack_problem_count(pack); i++) {
		const struct pack_problem *problem = pack_problem(pack, i);
		log_write(LOG_LEVEL_ERROR, "rule-bad", "%s:%d:%d: %s", problem->file, problem->line,
			  problem->column, problem->text);
	}
}

static void log_idle(const struct pack *pack)
{
	for (size_t i = 0; i < pack_rule_count(pack); i++) {
		const struct rule *rule = pack_rule(pack, i);
		if (rule->idle) {
			log_write(LOG_LEVEL_INFO, "rule-idle", "%s:%d: %.*s", rule->file,
				  rule->line, STR_ARG(rule->idle_reason));
		}
	}
}

/* Says what is wrong with the rules. */
static int judge(const struct pack *pack, bool strict, struct error *err)
{
	size_t bad = pack_problem_count(pack);
	log_problems(pack);
	if (bad == 0 || !strict) {
		return 0;
	}
	const struct pack_problem *first = pack_problem(pack, 0);
	return error_set(err, ERR_CONFIG, "%zu %s bad; %s:%d:%d: %s", bad,
			 bad == 1 ? "rule is" : "rules are", first->file, first->line,
			 first->column, first->text);
}

int ruleload_read(const struct config *config, bool strict, struct ruleset **out_ruleset,
		  struct error *err)
{
	struct pack *pack = NULL;
	struct ruleset *ruleset = NULL;
	*out_ruleset = NULL;
	if (has_none(config)) {
		log_write(LOG_LEVEL_INFO, "rules-none", "no rules are installed or configured");
		return 0;
	}
	int rc = pack_read_config(config, NULL, &pack, err);
	rc = rc < 0 ? rc : ruleset_new(pack, &ruleset, err);
	if (rc < 0) {
		return rc;
	}
	const struct pack *compiled = ruleset_pack(ruleset);
	rc = judge(compiled, strict, err);
	if (rc < 0 || (pack_rule_count(compiled) == 0 && pack_problem_count(compiled) == 0)) {
		ruleset_free(ruleset);
		return rc;
	}
	log_idle(compiled);
	log_write(LOG_LEVEL_INFO, "rules-loaded", "%zu rules run, %zu are bad of those configured",
		  pack_rule_count(compiled), pack_problem_count(compiled));
	*out_ruleset = ruleset;
	return 0;
}

int ruleload_start(struct daemon *daemon, struct error *err)
{
	struct ruleset *ruleset = NULL;
	struct error why;
	if (daemon->options.records_only) {
		return 0;
	}
	int rc = ruleload_read(daemon->config, false, &ruleset, &why);
	if (rc == -ERR_CONFIG) {
		error_prefix(&why, "no rule runs");
		log_error(LOG_LEVEL_ERROR, "rules-unreadable", &why);
		return 0;
	}
	if (rc < 0) {
		*err = why;
		return rc;
	}
	return alerting_use(keeper_alerting(daemon->keeper), ruleset, err);
}
