#include "base/log.h"
#include "base/secret.h"
#include "model/options.h"
#include "query/serve.h"

#include <argp.h>

static const struct argp_option options[] = {
	{"config", 'c', "FILE", 0, "The configuration (/etc/querytrail/querytrail.yaml)", 0},
	{0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	const char **config_path = state->input;
	if (key == 'c') {
		*config_path = value;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int run(const struct config *config, struct error *err)
{
	struct serve serve;
	int result = serve_open(config, &serve, err);
	if (result == 0) {
		log_write(LOG_LEVEL_INFO, "serve-ready", "answering at %s/query.sock",
			  config_text(config, "", "runtime"));
		result = serve_run(&serve, err);
		serve_close(&serve);
	}
	return result;
}

int main(int argc, char **argv)
{
	const char *config_path = "/etc/querytrail/querytrail.yaml";
	const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.doc = "Answers auditors' questions on query.sock and records each one.",
	};
	struct config *config = NULL;
	struct error err;
	error_clear(&err);
	secret_harden_process();
	log_open("querytrail-serve", NULL);
	if (argp_parse(&argp, argc, argv, 0, NULL, &config_path) != 0) {
		return 2;
	}
	int result = config_load(options_schema(), config_path, &config, NULL, &err);
	if (result == 0) {
		result = run(config, &err);
	}
	if (result != 0) {
		log_error(LOG_LEVEL_ERROR, "serve-failed", &err);
	}
	config_free(config);
	return result == 0 ? 0 : error_exit_status(result);
}
