#include "base/config.h"
#include "base/log.h"
#include "base/secret.h"
#include "correlator/daemon.h"

#include <argp.h>

enum option_key {
	OPTION_STORE = 256,
	OPTION_RUNTIME,
	OPTION_SPAWN,
	OPTION_RECORDS_ONLY,
	OPTION_IMPORT
};

static const struct argp_option options[] = {
	{"config", 'c', "FILE", 0, "The configuration (" DAEMON_CONFIG_PATH ")", 0},
	{"store", OPTION_STORE, "DIR", 0, "The store, instead of the configured one", 0},
	{"runtime", OPTION_RUNTIME, "DIR", 0,
	 "The folder of the sockets, instead of the configured one", 0},
	{"spawn", OPTION_SPAWN, NULL, 0,
	 "Start and restart collectors, querytrail-serve and querytrail-notify as children", 0},
	{"records-only", OPTION_RECORDS_ONLY, NULL, 0,
	 "Judge nothing, neither by the join nor by rules; the next daemon judges what came", 0},
	{"import-until-done", OPTION_IMPORT, NULL, 0,
	 "End when all file sources have given everything and it is stored and joined", 0},
	{0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct daemon_options *run = state->input;
	switch (key) {
	case 'c':
		run->config_path = value;
		return 0;
	case OPTION_STORE:
		run->store_dir = value;
		return 0;
	case OPTION_RUNTIME:
		run->runtime_dir = value;
		return 0;
	case OPTION_SPAWN:
		run->spawn = true;
		return 0;
	case OPTION_RECORDS_ONLY:
		run->records_only = true;
		return 0;
	case OPTION_IMPORT:
		run->import = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument %s", value);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse_option,
		.doc = "Takes in what the collectors give, joins it, and keeps it in the store."};
	struct daemon_options run = {0};
	struct error err;
	argp_err_exit_status = 78;
	argp_parse(&argp, argc, argv, 0, NULL, &run);
	secret_harden_process();
	log_open("querytraild", NULL);
	error_clear(&err);
	int rc = daemon_run(&run, &err);
	if (rc < 0) {
		log_error(LOG_LEVEL_ERROR, "daemon-ended", &err);
		return error_exit_status(rc);
	}
	return 0;
}
