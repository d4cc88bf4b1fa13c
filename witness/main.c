#include "base/log.h"
#include "base/loop.h"
#include "base/service.h"
#include "witness/server.h"

#include <argp.h>
#include <signal.h>
#include <stdio.h>

enum option_key { OPTION_KEY = 256, OPTION_STATE, OPTION_LISTEN, OPTION_LOG, OPTION_MAKE_KEY };

static const struct argp_option option_table[] = {
	{"key", OPTION_KEY, "FILE", 0, "The file with the witness's private key", 0},
	{"state", OPTION_STATE, "FOLDER", 0, "Where is kept what was signed", 0},
	{"listen", OPTION_LISTEN, "ADDRESS:PORT", 0,
	 "Where to answer; port 0: any, which is printed", 0},
	{"log", OPTION_LOG, "VKEY", 0,
	 "A key of a log whose checkpoints are signed; may be repeated", 0},
	{"make-key", OPTION_MAKE_KEY, "NAME", 0,
	 "Make a key, write it to the file that follows, print its public part, and end", 0},
	{0},
};

struct run {
	struct witness_options witness;
	const char *logs[WITNESS_LOGS_MAX];
	const char *listen, *name, *file;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct run *run = state->input;
	switch (key) {
	case OPTION_KEY:
		run->witness.key_file = value;
		return 0;
	case OPTION_STATE:
		run->witness.folder = value;
		return 0;
	case OPTION_LISTEN:
		run->listen = value;
		return 0;
	case OPTION_LOG:
		if (run->witness.log_count == WITNESS_LOGS_MAX) {
			argp_error(state, "more than %d logs", WITNESS_LOGS_MAX);
		}
		run->logs[run->witness.log_count++] = value;
		return 0;
	case OPTION_MAKE_KEY:
		run->name = value;
		return 0;
	case ARGP_KEY_ARG:
		if (run->name == NULL || run->file != NULL) {
			argp_error(state, "unexpected argument %s", value);
		}
		run->file = value;
		return 0;
	case ARGP_KEY_END:
		if (run->name != NULL
			    ? run->file == NULL
			    : run->witness.key_file == NULL || run->witness.folder == NULL ||
				      run->listen == NULL || run->witness.log_count == 0) {
			argp_error(state, "--key, --state, --listen and --log are needed; or "
					  "--make-key NAME FILE");
		}
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int on_stop(void *owner, struct error *err)
{
	(void)err;
	loop_stop(owner);
	return 0;
}

static int make_key(const struct run *run, struct error *err)
{
	struct buf vkey;
	buf_init(&vkey, NOTE_VKEY_MAX);
	int rc = witness_make_key(run->name, run->file, &vkey, err);
	if (rc == 0) {
		(void)fwrite(vkey.ptr, 1, vkey.len, stdout); /* the file has it too */
	}
	buf_done(&vkey);
	return rc;
}

/* Serves until it is asked to stop. */
static int serve(struct witness *witness, const struct run *run, struct error *err)
{
	struct loop *loop = NULL;
	struct server *server = NULL;
	struct loop_event *event = NULL;
	unsigned port = 0;
	int rc = loop_new(&loop, err);
	const struct loop_call stop = {.each = on_stop, .owner = loop};
	rc = rc < 0 ? rc : loop_add_signal(loop, SIGTERM, stop, &event, err);
	rc = rc < 0 ? rc : loop_add_signal(loop, SIGINT, stop, &event, err);
	rc = rc < 0 ? rc : server_start(witness, run->listen, &server, &port, err);
	if (rc == 0) {
		(void)printf("ready %u\n", port); /* whoever chose the port knows it */
		(void)fflush(stdout);
		log_write(LOG_LEVEL_INFO, "witness-ready", "%s answers at port %u",
			  witness_key(witness)->name, port);
		loop_keep_watchdog(loop);
		service_ready();
		rc = loop_run(loop, err);
		service_stopping();
	}
	server_stop(server);
	loop_free(loop);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {.options = option_table,
					 .parser = parse_option,
					 .args_doc = "[FILE]",
					 .doc = "Signs the checkpoints of logs when each extends "
						"the one before (C2SP tlog-witness)."};
	struct run run = {0};
	struct witness *witness = NULL;
	struct error err;
	argp_err_exit_status = 78;
	run.witness.logs = run.logs;
	argp_parse(&argp, argc, argv, 0, NULL, &run);
	secret_harden_process();
	log_open("querytrail-witness", NULL);
	error_clear(&err);
	int rc = run.name != NULL ? make_key(&run, &err)
				  : witness_open(&run.witness, &witness, &err);
	if (rc == 0 && witness != NULL) {
		rc = serve(witness, &run, &err);
	}
	witness_close(witness);
	if (rc < 0) {
		log_error(LOG_LEVEL_ERROR, "witness-ended", &err);
	}
	return rc == 0 ? 0 : error_exit_status(rc);
}
