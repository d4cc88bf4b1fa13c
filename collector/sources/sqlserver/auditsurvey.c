#include "collector/sources/sqlserver/auditsurvey.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SETTINGS_INTERVAL_NS (60 * NS_PER_SEC)
#define REFUSED_INTERVAL_NS  (10 * NS_PER_MIN)
#define DEFAULT_DELAY_NS     (10 * NS_PER_SEC)
#define MARGIN_NS            (2 * NS_PER_SEC)
#define CLOCK_NEWS_NS        (500 * NS_PER_MS)
#define NOTE_MAX             8192

void auditsurvey_init(struct auditsurvey *survey, const struct auditdb *db, struct str audit,
		      const char *warning)
{
	*survey = (struct auditsurvey){.db = db, .audit = audit};
	buf_init(&survey->server_name, 1024);
	buf_init(&survey->note, NOTE_MAX);
	if (warning != NULL) {
		auditsurvey_tell(survey, AUDITSURVEY_WARNING, "%s", warning);
	}
}

void auditsurvey_done(struct auditsurvey *survey)
{
	buf_done(&survey->server_name);
	buf_done(&survey->note);
}

void auditsurvey_tell(struct auditsurvey *survey, enum auditsurvey_note kind, const char *format,
		      ...)
{
	if ((survey->told & kind) != 0) {
		return;
	}
	survey->told |= kind;
	char text[ERROR_TEXT_MAX + 256];
	va_list args;
	va_start(args, format);
	/* A sentence that is cut is better than none. */
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (survey->note.len > 0) {
		buf_put_text(&survey->note, "; ");
	}
	buf_put_text(&survey->note, text);
}

const char *auditsurvey_take_note(struct auditsurvey *survey, struct arena *arena)
{
	struct str note;
	if (survey->note.len == 0 || arena_str(arena, buf_str(&survey->note), &note) != 0) {
		return NULL;
	}
	buf_clear(&survey->note);
	return note.ptr;
}

int64_t auditsurvey_lateness_ns(const struct auditsurvey *survey)
{
	return (survey->has_delay ? survey->queue_delay_ns : DEFAULT_DELAY_NS) + MARGIN_NS;
}

/* Whether a failed question about metadata is one that a grant or another release would answer: then reading goes on. */
static bool is_refusal(int status)
{
	return status == -ERR_AUTH || status == -ERR_CONFIG || status == -ERR_INPUT;
}

static int take_status(struct auditsurvey *survey, struct filewalk *walk, int64_t now_ns,
		       struct arena *scratch, struct error *err)
{
	struct auditdb_status status;
	struct error why = {0};
	if (now_ns < survey->status_again_ns) {
		return 0;
	}
	int result = survey->db->status(survey->db->owner, survey->audit, scratch, &status, &why);
	survey->has_status = false;
	if (is_refusal(result)) {
		survey->status_again_ns = now_ns + REFUSED_INTERVAL_NS;
		auditsurvey_tell(
			survey, AUDITSURVEY_NO_STATUS,
			"which audit file is being written is not known, so each step to the "
			"next file asks with a pattern: %s",
			why.text);
		return 0;
	}
	if (result != 0) {
		return err != NULL ? (*err = why, result) : result;
	}
	if (status.audit_count > 1) {
		if (walk->configured) {
			return 0;
		}
		return error_set(err, ERR_CONFIG,
				 "several audits write files (%.*s): say which one with audit",
				 STR_ARG(status.names));
	}
	if (status.audit_count == 1 && !str_is(status.state, "STARTED")) {
		auditsurvey_tell(survey, AUDITSURVEY_STATE, "audit %.*s is %.*s",
				 STR_ARG(status.names), STR_ARG(status.state));
	}
	survey->has_status = status.path.len > 0;
	filewalk_learn_status(walk, &status);
	return 0;
}

static int take_settings(struct auditsurvey *survey, struct filewalk *walk, struct arena *scratch,
			 struct error *err)
{
	struct auditdb_settings settings;
	struct error why = {0};
	int result =
		survey->db->settings(survey->db->owner, survey->audit, scratch, &settings, &why);
	survey->has_delay = false;
	if (is_refusal(result) || (result == 0 && settings.audit_count == 0)) {
		auditsurvey_tell(survey, AUDITSURVEY_NO_SETTINGS,
				 "the audit's queue delay is not known, 10 s are taken: %s",
				 result != 0 ? why.text
					     : "the login sees no audit in sys.server_file_audits");
		return 0;
	}
	if (result != 0) {
		return err != NULL ? (*err = why, result) : result;
	}
	/* Of several audits the longest delay counts: nothing is called complete too early. */
	survey->has_delay = true;
	survey->queue_delay_ns = settings.queue_delay_ns;
	if (str_is(settings.on_failure, "CONTINUE")) {
		auditsurvey_tell(survey, AUDITSURVEY_ON_FAILURE,
				 "ON_FAILURE of the audit is CONTINUE: the server may lose records "
				 "without saying so");
	}
	if (settings.audit_count == 1) {
		filewalk_learn_settings(walk, &settings);
	}
	return 0;
}

static int take_server(struct auditsurvey *survey, struct arena *scratch, struct error *err)
{
	struct auditdb_server server;
	struct error why = {0};
	int result = survey->db->server(survey->db->owner, scratch, &server, &why);
	if (is_refusal(result)) {
		auditsurvey_tell(survey, AUDITSURVEY_NO_CLOCK,
				 "the server's clock is not known: %s", why.text);
		return 0;
	}
	if (result != 0) {
		return err != NULL ? (*err = why, result) : result;
	}
	buf_clear(&survey->server_name);
	buf_put_str(&survey->server_name, server.name);
	auditsurvey_tell(survey, AUDITSURVEY_SERVER, "reading from %.*s, version %.*s",
			 STR_ARG(server.name), STR_ARG(server.version));
	int64_t trip_ns = server.answered_ns - server.asked_ns;
	survey->clock_ahead_ns = server.now_ns - (server.asked_ns + trip_ns / 2);
	int64_t news = survey->clock_ahead_ns - survey->told_clock_ahead_ns;
	if (news > CLOCK_NEWS_NS || news < -CLOCK_NEWS_NS) {
		survey->told &= ~(unsigned)AUDITSURVEY_CLOCK;
	}
	if ((survey->told & AUDITSURVEY_CLOCK) == 0) {
		survey->told_clock_ahead_ns = survey->clock_ahead_ns;
		auditsurvey_tell(survey, AUDITSURVEY_CLOCK,
				 "its clock is %.3f s %s ours (round trip %.3f s)",
				 (double)llabs(survey->clock_ahead_ns) / 1e9,
				 survey->clock_ahead_ns < 0 ? "behind" : "ahead of",
				 (double)trip_ns / 1e9);
	}
	return 0;
}

int auditsurvey_take(struct auditsurvey *survey, struct filewalk *walk, int64_t now_ns,
		     struct arena *scratch, struct error *err)
{
	int status = 0;
	if (now_ns >= survey->settings_again_ns) {
		status = take_server(survey, scratch, err);
		if (status == 0) {
			status = take_settings(survey, walk, scratch, err);
		}
		if (status == 0) {
			survey->settings_again_ns = now_ns + SETTINGS_INTERVAL_NS;
		}
	}
	return status != 0 ? status : take_status(survey, walk, now_ns, scratch, err);
}
