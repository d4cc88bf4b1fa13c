#include "base/heap.h"
#include "base/log.h"
#include "base/secret.h"
#include "collector/runner.h"
#include "model/options.h"

#include <argp.h>

#define HEAP_STEP ((size_t)8 << 20) /* each batch takes as much again as the one before */

struct arguments {
	const char *config_path;
	const char *name;
	bool print;
	bool once;
};

static const struct argp_option options[] = {
	{"config", 'c', "FILE", 0, "The configuration (/etc/querytrail/querytrail.yaml)", 0},
	{"print", 'p', NULL, 0, "Write what would be sent to stdout, one JSON object a line", 0},
	{"once", '1', NULL, 0, "End when the source is caught up", 0},
	{0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'c':
		arguments->config_path = value;
		return 0;
	case 'p':
		arguments->print = true;
		return 0;
	case '1':
		arguments->once = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->name != NULL) {
			argp_error(state, "one source at a time");
		}
		arguments->name = value;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The level that the configuration names; the words stand in order of the levels. */
static enum log_level level_of(const char *word)
{
	static const char *const words[] = {"error", "warning", "notice", "info", "debug"};

	for (int i = 0; i < 5; i++) {
		if (str_is(str_of(word), words[i])) {
			return (enum log_level)(LOG_LEVEL_ERROR + i);
		}
	}
	return LOG_LEVEL_INFO;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {.options = options,
					 .parser = parse_option,
					 .args_doc = "NAME",
					 .doc = "Collects what source NAME of the configuration "
						"gives and hands it to querytraild."};
	struct arguments arguments = {.config_path = "/etc/querytrail/querytrail.yaml"};
	struct config *config = NULL;
	struct error err;

	argp_err_exit_status = 78;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	(void)heap_prepare(HEAP_STEP); /* only makes it quicker */
	secret_harden_process();
	log_open("querytrail-collect", arguments.name);
	error_clear(&err);
	int rc = config_load(options_schema(), arguments.config_path, &config, NULL, &err);
	if (rc == 0) {
		log_set_level(level_of(config_text(config, "", "log_level")));
		struct runner_options run = {.config = config,
					     .name = arguments.name,
					     .print = arguments.print ? stdout : NULL,
					     .once = arguments.once};
		rc = runner_run(&run, &err);
	}
	if (rc != 0) {
		log_error(LOG_LEVEL_ERROR, "collect-ended", &err);
	}
	config_free(config);
	return rc == 0 ? 0 : error_exit_status(rc);
}
