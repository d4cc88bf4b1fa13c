#include "query/command.h"

#include "model/options.h"

/* Every problem, one a line, on the messages; then the summary as the error. */
static int check(struct session *session, struct error *err)
{
	struct buf report;
	buf_init(&report, 1u << 20);
	int result = session_load_config(session, &report, err);
	if (result != 0) {
		struct str rest = buf_str(&report);
		while (rest.len > 0) {
			output_safe(&session->err, str_split(&rest, '\n'));
			buf_put_byte(&session->err.text, '\n');
		}
		if (report.len > 0) {
			(void)error_set(err, ERR_CONFIG, "%s is not valid",
					session_config_path(session)); /* result has the code */
		}
	}
	buf_done(&report);
	return result;
}

int cmd_config(struct session *session, struct error *err)
{
	struct option_line *line = &session->line;
	const char *what = line->word[0];
	if (line->word_count > 1) {
		line->value[OPTION_CONFIG] = line->word[1];
	}
	if (strcmp(what, "sample") == 0) {
		config_sample(options_schema(), &session->out.text);
		return EXIT_FOUND;
	}
	bool shows = strcmp(what, "show") == 0;
	if (!shows && strcmp(what, "check") != 0) {
		return error_set(
			err, ERR_USAGE,
			"\"querytrail config %s\" is unknown; there are check, show and sample",
			what);
	}
	int result = check(session, err);
	if (result != 0) {
		return result;
	}
	if (shows) {
		config_dump(session->config, line->value[OPTION_ORIGIN] != NULL,
			    &session->out.text);
	} else {
		buf_putf(&session->out.text, "%s: good, %zu sources\n",
			 session_config_path(session),
			 config_name_count(session->config, "sources"));
	}
	return EXIT_FOUND;
}
