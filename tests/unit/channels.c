#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "correlator/channels.h"
#include "model/feed.h"
#include "model/options.h"

static struct config *parse(const char *text)
{
	struct config *config = NULL;
	struct error err;
	const struct config_input input = {.name = "test.yaml", .text = str_of(text)};
	assert_int_equal(config_parse(options_schema(), &input, &config, NULL, &err), 0);
	return config;
}

static void channels_take_what_they_ask_for(void **state)
{
	/* severity and rules of a channel decide; without rules all are taken; the default severity is that of the type */
	struct channels channels;
	struct error err;
	struct config *config = parse("channels:\n"
				      "  pager: {type: webhook, url: 'http://127.0.0.1:1/', "
				      "min_severity: high, rules: ['sql-*', 'x']}\n"
				      "  log: {type: syslog, host: h}\n");
	(void)state;
	assert_int_equal(channels_read(config, &channels, &err), 0);
	assert_int_equal(channels.count, 2);
	const struct channel *pager = channels_find(&channels, STR_LIT("pager"));
	const struct channel *log = channels_find(&channels, STR_LIT("log"));
	assert_non_null(pager);
	assert_non_null(log);
	assert_null(channels_find(&channels, STR_LIT("Pager")));
	assert_true(channel_takes(pager, STR_LIT("SQL-drop"), 4));
	assert_true(channel_takes(pager, STR_LIT("x"), 5));
	assert_false(channel_takes(pager, STR_LIT("sql-drop"), 3));
	assert_false(channel_takes(pager, STR_LIT("xy"), 5));
	assert_true(channel_takes(log, STR_LIT("anything"), 2));
	assert_false(channel_takes(log, STR_LIT("anything"), 1));
	channels_done(&channels);
	config_free(config);
}

static void too_many_are_refused(void **state)
{
	/* more channels than an alert frame can name are an error, and nothing is left to be freed */
	struct channels channels;
	struct error err;
	struct buf text;
	(void)state;
	buf_init(&text, 0);
	buf_put_text(&text, "channels:\n");
	for (int i = 0; i <= FEED_DELIVERIES_MAX; i++) {
		buf_putf(&text, "  c%d: {type: syslog, host: h}\n", i);
	}
	struct config *config = parse(text.ptr);
	assert_int_equal(channels_read(config, &channels, &err), -ERR_LIMIT);
	config_free(config);
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(channels_take_what_they_ask_for),
		cmocka_unit_test(too_many_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
