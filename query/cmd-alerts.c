#include "query/command.h"

#include "base/parse.h"
#include "base/process.h"
#include "correlator/rules/pack-config.h"
#include "query/alert-list.h"
#include "query/alert-order.h"
#include "query/alert-show.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define NOTE_MAX 4096 /* the daemon takes no longer one */

/* The rules' words. Without them an alert says less, which is no reason to say nothing. */
static struct pack *read_pack(struct session *session)
{
	struct pack *pack = NULL;
	const struct config *config = session->surroundings->config;
	if (session->surroundings->served == NULL) {
		config = session_load_config(session, NULL, NULL) == 0 ? session->config : NULL;
	}
	if (pack_read_config(config, NULL, &pack, NULL) != 0) {
		return NULL;
	}
	return pack;
}

static int read_states(const char *list, unsigned *out_states, struct error *err)
{
	struct str rest = str_of(list);
	while (rest.ptr != NULL) {
		struct str word = str_trim(str_split(&rest, ','));
		enum alert_state state = alerts_state_of(word);
		if (state == 0) {
			return error_set(err, ERR_USAGE,
					 "--state: \"%.*s\" is none of firing, acknowledged, "
					 "revoked, expired",
					 STR_ARG(word));
		}
		*out_states |= 1u << state;
	}
	return 0;
}

static int list(struct session *session, struct error *err)
{
	struct alert_filter filter = {0};
	const char *severity = session_option(session, OPTION_SEVERITY);
	const char *state = session_option(session, OPTION_STATE);
	int result = session_range(session, &filter.from_ns, &filter.to_ns, err);
	filter.rule = str_of(session_option(session, OPTION_RULE));
	if (result == 0 && severity != NULL) {
		filter.min_severity = alert_severity(str_of(severity));
		if (filter.min_severity == 0) {
			return error_set(
				err, ERR_USAGE,
				"--severity: \"%s\" is none of informational, low, medium, "
				"high, critical",
				severity);
		}
	}
	result = result == 0 && state != NULL ? read_states(state, &filter.states, err) : result;
	return result != 0 ? result : alert_list_put(session, &filter, NULL, err);
}

static int show(struct session *session, struct str id, struct error *err)
{
	struct pack *pack = read_pack(session);
	int result = alert_show_put(session, id, pack, err);
	pack_free(pack);
	return result;
}

static int acknowledge(struct session *session, struct str id, struct error *err)
{
	struct buf texts;
	struct store_alert alert;
	struct str note = str_of(session_option(session, OPTION_NOTE));
	if (str_trim(note).len == 0) {
		return error_set(err, ERR_USAGE,
				 "an acknowledgement says what you found: --note \"..\"");
	}
	if (note.len > NOTE_MAX) {
		return error_set(err, ERR_USAGE, "--note is longer than %d bytes", NOTE_MAX);
	}
	buf_init(&texts, 0);
	int result = alert_find(session->store, id, &texts, &alert, err);
	struct alert_order order = {.event = ALERT_ORDER_ACK, .alert_id = alert.id, .note = note};
	result = result != 0 ? result : alert_order_give(session, &order, err);
	if (result == 0) {
		result = alert_find(session->store, order.alert_id, &texts, &alert, err);
	}
	if (result == 0 && !str_equal(alert.note, note)) {
		result = error_set(err, ERR_CONFIG,
				   "the daemon that took the acknowledgement writes another store");
	}
	if (result == 0) {
		buf_putf(&session->out.text, "alert %.*s is %s\n", STR_ARG(alert.id),
			 alerts_state_word(alert.state));
	}
	buf_done(&texts);
	return result;
}

static int replay(struct session *session, struct error *err)
{
	const struct option_line *line = &session->line;
	struct buf texts;
	struct store_alert alert = {0};
	struct alert_order order = {.event = ALERT_ORDER_REPLAY,
				    .channel = str_of(session_option(session, OPTION_CHANNEL))};
	bool has_id = line->word_count > 1;
	bool dead = session_option(session, OPTION_DEAD) != NULL;
	if (!has_id && !dead && order.channel.len == 0) {
		return error_set(
			err, ERR_USAGE,
			"say what is to be sent again: an alert, --channel NAME or --dead");
	}
	if (dead && (has_id || order.channel.len > 0)) {
		return error_set(err, ERR_USAGE,
				 "--dead means all dead deliveries of all channels");
	}
	buf_init(&texts, 0);
	int result = 0;
	if (has_id) {
		result = alert_find(session->store, str_of(line->word[1]), &texts, &alert, err);
		order.alert_id = alert.id;
	}
	result = result != 0 ? result : alert_order_give(session, &order, err);
	if (result == 0) {
		buf_put_text(&session->out.text,
			     "it is sent again as soon as querytrail-notify is connected\n");
	}
	buf_done(&texts);
	return result;
}

/* Runs querytrail-notify on the one channel; it says what happened. */
static int test(struct session *session, const char *channel, struct error *err)
{
	struct buf program;
	struct process process;
	int status = 0;
	const char *const argv[] = {"querytrail-notify",
				    "--config",
				    session_config_path(session),
				    "--test",
				    channel,
				    NULL};
	buf_init(&program, PATH_MAX);
	int result = process_find(argv[0], &program, err);
	if (result == 0) {
		const struct process_start how = {.path = program.ptr,
						  .argv = argv,
						  .out_fd = session->out.fd,
						  .err_fd = session->err.fd};
		result = process_start(&how, &process, err);
	}
	buf_done(&program);
	if (result != 0) {
		return result;
	}
	(void)process_wait(&process, -1, &status); /* for ever: it ends by its own limits */
	(void)process_stop(&process, 0);           /* it has ended */
	return status;
}

static int unknown(const struct session *session, struct error *err)
{
	static const char *const words[] = {"list", "show", "ack", "replay", "failed", "test"};
	const char *word = session->line.word[0];
	const char *near = str_nearest(str_of(word), words, sizeof(words) / sizeof(words[0]));
	return error_set(
		err, ERR_USAGE,
		"\"querytrail alerts %s\": %s%s; there are list, show, ack, replay, failed "
		"and test",
		word, near != NULL ? "did you mean " : "not known", near != NULL ? near : "");
}

/* The word behind the sub-command; an error when it is missing, or when there is one more. */
static int one_word(const struct session *session, const char *what, struct error *err)
{
	if (session->line.word_count != 2) {
		return error_set(err, ERR_USAGE, "\"querytrail alerts %s\" needs %s",
				 session->line.word[0], what);
	}
	return 0;
}

static int run(struct session *session, struct error *err)
{
	const struct option_line *line = &session->line;
	const char *word = line->word_count > 0 ? line->word[0] : "list";
	struct str id = line->word_count > 1 ? str_of(line->word[1]) : (struct str){0};
	int result = 0;
	if (strcmp(word, "list") == 0 || strcmp(word, "failed") == 0) {
		if (line->word_count > 1) {
			return error_set(err, ERR_USAGE,
					 "\"querytrail alerts %s\" takes no word; "
					 "\"querytrail alerts show %s\"?",
					 word, line->word[1]);
		}
		return word[0] == 'l' ? list(session, err) : alert_failed_put(session, err);
	}
	if (strcmp(word, "replay") == 0) {
		return replay(session, err);
	}
	if (strcmp(word, "test") == 0) {
		result = one_word(session, "the name of a channel", err);
		return result != 0 ? result : test(session, line->word[1], err);
	}
	if (strcmp(word, "show") != 0 && strcmp(word, "ack") != 0) {
		return unknown(session, err);
	}
	result = one_word(session, "the id of an alert", err);
	if (result != 0) {
		return result;
	}
	return word[0] == 's' ? show(session, id, err) : acknowledge(session, id, err);
}

int cmd_alerts(struct session *session, struct error *err)
{
	int result = run(session, err);
	if (result == -ERR_GONE && session->out.failure.code == 0) {
		buf_put_text(&session->err.text, "querytrail: ");
		output_safe(&session->err, str_of(err->text));
		buf_put_byte(&session->err.text, '\n');
		return EXIT_NONE;
	}
	return result;
}
