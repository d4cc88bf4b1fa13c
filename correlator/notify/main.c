#include "base/log.h"
#include "base/secret.h"
#include "correlator/notify/notify.h"

#include <argp.h>

enum option_key { OPTION_RUNTIME = 256, OPTION_TEST };

static const struct argp_option options[] = {
	{"config", 'c', "FILE", 0, "The configuration (/etc/querytrail/querytrail.yaml)", 0},
	{"runtime", OPTION_RUNTIME, "DIR", 0,
	 "The folder of the sockets, instead of the configured one", 0},
	{"test", OPTION_TEST, "CHANNEL", 0,
	 "Send a made-up alert to this channel, tell what happened, and end", 0},
	{0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct notify_options *run = state->input;

	switch (key) {
	case 'c':
		run->config_path = value;
		return 0;
	case OPTION_RUNTIME:
		run->runtime_dir = value;
		return 0;
	case OPTION_TEST:
		run->test_channel = value;
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
		.doc = "Delivers the alerts that querytraild raises to the "
		       "channels of the configuration."};
	struct notify_options run = {.config_path = "/etc/querytrail/querytrail.yaml"};
	struct error err;

	argp_err_exit_status = 78;
	argp_parse(&argp, argc, argv, 0, NULL, &run);
	secret_harden_process();
	log_open("querytrail-notify", NULL);
	error_clear(&err);
	int rc =
		run.test_channel != NULL ? notify_test(&run, stdout, &err) : notify_run(&run, &err);
	if (rc != 0 && run.test_channel != NULL) {
		(void)fprintf(stderr, "querytrail-notify: %s\n", err.text);
	} else if (rc != 0) {
		log_error(LOG_LEVEL_ERROR, "notify-ended", &err);
	}
	return rc == 0 ? 0 : error_exit_status(rc);
}
