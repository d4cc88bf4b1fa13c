#include "query/command.h"

#include "query/show.h"
#include "query/story.h"
#include "query/verified.h"

/* Says what could not be read, and how much. */
static void tell_damage(struct session *session, uint64_t count, const struct error *first)
{
	buf_putf(&session->err.text,
		 "INCOMPLETE: %llu %s could not be read: ", (unsigned long long)count,
		 count == 1 ? "block or record" : "blocks or records");
	output_safe(&session->err, str_of(first->text));
	buf_put_byte(&session->err.text, '\n');
}

/* "Nothing" is only an answer when everything could be read. */
static int tell_nothing(struct session *session, const struct story *story)
{
	buf_put_text(&session->err.text, "nothing has the id \"");
	output_safe(&session->err, str_of(session->line.word[0]));
	buf_put_text(&session->err.text,
		     "\"; ids are compared whole and with their letter case. \"querytrail who "
		     "id:BEGINNING*\" looks for a part.\n");
	if (story->damaged > 0) {
		tell_damage(session, story->damaged, &story->damage);
	}
	return story->damaged > 0 ? EXIT_INCOMPLETE : EXIT_NONE;
}

/* What --verified found, on its own lines. Returns the status. */
static int tell_verified(struct session *session, const struct verified *verified, int status)
{
	struct buf text;
	buf_init(&text, 0);
	verified_put_text(verified, &text);
	if (text.len > 0) { /* each line begins with its line feed */
		buf_put_str(&session->err.text, str_slice(buf_str(&text), 1, text.len));
		buf_put_byte(&session->err.text, '\n');
	}
	buf_done(&text);
	return status >= 0 && verified_failed(verified) ? EXIT_INCOMPLETE : status;
}

/* Returns EXIT_FOUND, EXIT_INCOMPLETE or an error. */
static int show(struct session *session, const struct story *story, const struct verified *verified,
		struct error *err)
{
	const char *format = session_option(session, OPTION_FORMAT);
	bool json = session_option(session, OPTION_JSON) != NULL ||
		    (format != NULL && strcmp(format, "json") == 0);
	struct show view = {.out = &session->out,
			    .story = story,
			    .store = session->store,
			    .verified = verified};
	int result = scan_fetch_open(session->store, &view.fetch, err);
	if (result != 0) {
		return result;
	}
	result = json ? show_put_json(&view, err) : show_put_text(&view, err);
	if (result == 0 && !json) {
		result = show_put_alerts(&view, err);
	}
	scan_fetch_close(view.fetch);
	if (result == 0 && story->damaged + view.unread > 0) {
		tell_damage(session, story->damaged + view.unread,
			    story->damaged > 0 ? &story->damage : &view.damage);
		return EXIT_INCOMPLETE;
	}
	return result;
}

static int show_id(struct session *session, const struct verified *verified, struct error *err)
{
	struct story story;
	int result = story_find(session->store, str_of(session->line.word[0]), &story, err);
	if (result == 0 && story.found_count == 0) {
		result = tell_nothing(session, &story);
		story_done(&story);
		return result;
	}
	if (result == 0) {
		result = show(session, &story, verified, err);
	}
	if (result >= 0 && story.found_count > STORY_FOUND_MAX) {
		buf_putf(&session->err.text, "%zu records have this id; the first %d are shown\n",
			 story.found_count, STORY_FOUND_MAX);
		result = EXIT_INCOMPLETE;
	} else if (result >= 0 && story.requests.count > 1) {
		buf_putf(&session->err.text, "%zu requests have this id; all are shown\n",
			 story.requests.count);
	}
	story_done(&story);
	return result;
}

int cmd_show(struct session *session, struct error *err)
{
	const char *format = session_option(session, OPTION_FORMAT);
	bool json = session_option(session, OPTION_JSON) != NULL ||
		    (format != NULL && strcmp(format, "json") == 0);
	if (format != NULL && !json && strcmp(format, "text") != 0 &&
	    strcmp(format, "table") != 0) {
		return error_set(err, ERR_USAGE,
				 "\"querytrail show\" has the formats text and json");
	}
	struct verified verified;
	int result = verified_begin(session, &verified, err);
	if (result == 0) {
		result = show_id(session, &verified, err);
	}
	result = tell_verified(session, &verified, result);
	verified_end(&verified);
	return result;
}
