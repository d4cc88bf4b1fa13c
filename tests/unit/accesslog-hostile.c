#include "base/json.h"
#include "tests/unit/accesslog-fixture.h"

static const char agent_first[] =
	"{\"ua\":\"$context.identity.userAgent\",\"user\":\"$context.authorizer.claims.email\","
	"\"id\":\"$context.requestId\",\"ext\":\"$context.extendedRequestId\",\"s\":\"$context."
	"status\"}";

static void forged_user_is_ambiguous(void **state)
{
	/* a user agent that closes its quotes and brings its own user: the ids are sure, nobody is named */
	struct fixture *f = *state;

	use_format(f, agent_first);
	assert_int_equal(parse(f,
			       "{\"ua\":\"x\",\"user\":\"boss\",\"user\":\"alice\",\"id\":\"" UUID
			       "\",\"ext\":\"E=\",\"s\":\"200\"}"),
			 0);
	check_text(f, FIELD_parse, "ambiguous");
	check_text(f, FIELD_user, NULL);
	check_text(f, FIELD_user_kind, NULL);
	check_text(f, FIELD_user_agent, NULL);
	check_text(f, FIELD_request_id, UUID);
	check_text(f, FIELD_extended_request_id, "E=");
	assert_int_equal(record_number(&f->record, FIELD_status, 0), 200);
}

static void other_quotes_are_recovered(void **state)
{
	/* quotes, keys and braces that do not copy a separator leave one reading, with the right user */
	static const char *const agents[] = {
		"Mozilla \"quoted\" x", "x\",\"role\":\"boss", "\"",
		"{\"user\":\"boss\"}",  "}{\"id\":\"forged\"", "x\", \"user\":\"boss",
		"trailing \\",
	};
	struct fixture *f = *state;

	use_format(f, agent_first);
	for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
		struct buf line;

		buf_init(&line, 0);
		buf_putf(&line,
			 "{\"ua\":\"%s\",\"user\":\"alice\",\"id\":\"" UUID
			 "\",\"ext\":\"E=\",\"s\":\"200\"}",
			 agents[i]);
		assert_int_equal(parse_str(f, buf_str(&line)), 0);
		check_text(f, FIELD_parse, "recovered");
		check_text(f, FIELD_user_agent, agents[i]);
		check_text(f, FIELD_user, "alice");
		check_text(f, FIELD_request_id, UUID);
		buf_done(&line);
	}
}

static void forged_tail_is_refused(void **state)
{
	/* a user agent that writes the whole rest of the line: what differs between the readings is absent, ids included */
	struct fixture *f = *state;

	use_format(f, agent_first);
	assert_int_equal(
		parse(f, "{\"ua\":\"x\",\"user\":\"boss\",\"id\":\"forged\",\"ext\":\"F=\",\"s\":"
			 "\"200\"}"
			 "\",\"user\":\"alice\",\"id\":\"real\",\"ext\":\"E=\",\"s\":\"200\"}"),
		0);
	check_text(f, FIELD_request_id,
		   "real"); /* the forged one would need a status with quotes in it */
	check_text(f, FIELD_user, NULL);
	use_format(f, "{\"ua\":\"$context.identity.userAgent\",\"id\":\"$context.requestId\","
		      "\"e\":\"$context.error.message\"}");
	assert_int_equal(parse(f, "{\"ua\":\"x\",\"id\":\"forged\",\"e\":\"-\"}\",\"id\":\"real\","
				  "\"e\":\"-\"}"),
			 -ERR_INPUT);
	use_format(f,
		   "{\"id\":\"$context.requestId\",\"ua\":\"$context.identity.userAgent\","
		   "\"u\":\"$context.authorizer.principalId\",\"e\":\"$context.error.message\"}");
	assert_int_equal(parse(f, "{\"id\":\"real\",\"ua\":\"x\",\"u\":\"boss\",\"e\":\"-\"}\","
				  "\"u\":\"al\",\"e\":\"-\"}"),
			 0);
	check_text(f, FIELD_request_id, "real");
	check_text(f, FIELD_user, NULL);
	check_text(f, FIELD_parse, "ambiguous");
}

static void shapes_tell_readings_apart(void **state)
{
	/* of two readings, the one in which a server-set field has quotes in it does not count */
	struct fixture *f = *state;

	use_format(f,
		   "{\"ua\":\"$context.identity.userAgent\",\"arn\":\"$context.identity.userArn\","
		   "\"id\":\"$context.requestId\"}");
	assert_int_equal(
		parse(f, "{\"ua\":\"x\",\"arn\":\"arn:boss\",\"arn\":\"arn:al\",\"id\":\"i\"}"), 0);
	check_text(f, FIELD_parse, "recovered");
	check_text(f, FIELD_user, "arn:al");
	check_text(f, FIELD_user_agent, "x\",\"arn\":\"arn:boss");
}

static void control_bytes_are_kept(void **state)
{
	/* NUL, newline and invalid UTF-8 in a value are kept as they are; the line counts as damaged where it is */
	static const char line[] =
		"{\"ua\":\"a\0b\nc\xFF\",\"user\":\"al\",\"id\":\"i\",\"ext\":\"E\",\"s\":\"200\"}";
	struct fixture *f = *state;

	use_format(f, agent_first);
	assert_int_equal(parse_str(f, str_make(line, sizeof(line) - 1)), 0);
	check_text(f, FIELD_parse, "recovered");
	check_text(f, FIELD_user, "al");
	assert_true(str_equal(record_text(&f->record, FIELD_user_agent), STR_LIT("a\0b\nc\xFF")));
	assert_true(
		str_equal(record_text(&f->record, FIELD_raw), str_make(line, sizeof(line) - 1)));
}

static void too_many_readings_give_the_front(void **state)
{
	/* a line with more borders than can be followed gives only what stands before the hostile value */
	struct fixture *f = *state;
	struct buf line;

	use_format(f, "{\"id\":\"$context.requestId\",\"ua\":\"$context.identity.userAgent\","
		      "\"user\":\"$context.authorizer.claims.email\",\"s\":\"$context.status\"}");
	buf_init(&line, 0);
	buf_put_text(&line, "{\"id\":\"real\",\"ua\":\"x");
	for (int i = 0; i < 1000; i++) {
		buf_put_text(&line, "\",\"user\":\"boss");
	}
	buf_put_text(&line, "\",\"user\":\"alice\",\"s\":\"200\"}");
	assert_int_equal(parse_str(f, buf_str(&line)), 0);
	check_text(f, FIELD_parse, "ambiguous");
	check_text(f, FIELD_request_id, "real");
	check_text(f, FIELD_user, NULL);
	buf_done(&line);
}

static void cut_lines_give_the_front(void **state)
{
	/* a line cut off behind a forged part gives only what stands before the caller's first value */
	struct fixture *f = *state;

	use_format(f, "{\"id\":\"$context.requestId\",\"ua\":\"$context.identity.userAgent\","
		      "\"user\":\"$context.authorizer.claims.email\",\"s\":\"$context.status\"}");
	assert_int_equal(parse(f, "{\"id\":\"real\",\"ua\":\"x\",\"user\":\"boss\",\"s\":\"2"), 0);
	check_text(f, FIELD_parse, "ambiguous");
	check_text(f, FIELD_request_id, "real");
	check_text(f, FIELD_user, NULL);
	assert_int_equal(parse(f, "{\"id\":\"re"), -ERR_INPUT);
	assert_int_equal(parse(f, "garbage"), -ERR_INPUT);
	assert_int_equal(parse(f, ""), -ERR_INPUT);
}

static void lines_of_another_template(void **state)
{
	/* a well formed line from before the stage's format was changed is read by its keys, and said to be recovered */
	struct fixture *f = *state;

	use_format(f, agent_first);
	assert_int_equal(parse(f, "{\"requestId\":\"old\",\"status\":\"404\",\"ip\":\"1.2.3.4\"}"),
			 0);
	check_text(f, FIELD_parse, "recovered");
	check_text(f, FIELD_request_id, "old");
	check_text(f, FIELD_source_ip, "1.2.3.4");
}

static void two_values_of_one_variable(void **state)
{
	/* a variable that the template has twice must say the same twice */
	struct fixture *f = *state;

	use_format(f, "{\"a\":\"$context.requestId\",\"x\":\"$context.extendedRequestId\",\"b\":\"$"
		      "context.requestId\"}");
	assert_int_equal(parse(f, "{\"a\":\"i\",\"x\":\"E\",\"b\":\"i\"}"), 0);
	check_text(f, FIELD_parse, "ok");
	check_text(f, FIELD_request_id, "i");
	assert_int_equal(parse(f, "{\"a\":\"i\",\"x\":\"E\",\"b\":\"j\"}"), 0);
	check_text(f, FIELD_parse, "ambiguous");
	check_text(f, FIELD_request_id, NULL);
	check_text(f, FIELD_extended_request_id, "E");
}

/* A caller's text: pieces of separators, forged values and harmless text, put together at random. */
static void put_hostile(struct buf *out, uint32_t *seed)
{
	static const char *const pieces[] = {
		"x",
		"\",\"u\":\"boss",
		"\",\"id\":\"forged\",\"",
		"\"}",
		"\",\"e\":\"",
		"\",\"ua\":\"",
		"\"",
		",",
		"\",\"s\":\"200",
		"\",\"arn\":\"arn:boss",
		"-",
		" \"",
		"] ",
		"\",\"c\":\"boss",
		"\" \"boss\" \"",
		"{\"",
	};

	*seed = *seed * 1664525 + 1013904223;
	for (uint32_t n = (*seed >> 20) % 7; n > 0; n--) {
		*seed = *seed * 1664525 + 1013904223;
		buf_put_text(out, pieces[(*seed >> 16) % (sizeof(pieces) / sizeof(pieces[0]))]);
	}
}

struct world {
	struct buf agent, claim, error;
};

/* Writes a line by a template: one letter after '$' stands for a value. */
static void put_line(struct buf *out, const char *shape, const struct world *world)
{
	for (const char *c = shape; *c != '\0'; c++) {
		switch (*c) {
		case '$':
			c++;
			buf_put_text(out, *c == 'i'   ? "real"
					  : *c == 's' ? "404"
					  : *c == 'r' ? "arn:al"
						      : "");
			buf_put_str(out, *c == 'a'   ? buf_str(&world->agent)
					 : *c == 'c' ? buf_str(&world->claim)
					 : *c == 'e' ? buf_str(&world->error)
						     : STR_LIT(""));
			break;
		default:
			buf_put_byte(out, (uint8_t)*c);
			break;
		}
	}
}

/* Templates, and the same with letters for values. */
static const char *const shapes[][2] = {
	{"{\"id\":\"$context.requestId\",\"ua\":\"$context.identity.userAgent\",\"u\":\"$context."
	 "authorizer.claims.email\",\"s\":\"$context.status\"}",
	 "{\"id\":\"$i\",\"ua\":\"$a\",\"u\":\"$c\",\"s\":\"$s\"}"},
	{"{\"ua\":\"$context.identity.userAgent\",\"u\":\"$context.authorizer.claims.email\","
	 "\"id\":\"$context.requestId\",\"e\":\"$context.error.message\"}",
	 "{\"ua\":\"$a\",\"u\":\"$c\",\"id\":\"$i\",\"e\":\"$e\"}"},
	{"{\"u\":\"$context.authorizer.claims.email\",\"ua\":\"$context.identity.userAgent\",\"s\":"
	 "$context.status,\"id\":\"$context.requestId\"}",
	 "{\"u\":\"$c\",\"ua\":\"$a\",\"s\":$s,\"id\":\"$i\"}"},
	{"{\"ua\":\"$context.identity.userAgent\",\"arn\":\"$context.identity.userArn\",\"id\":\"$"
	 "context.requestId\"}",
	 "{\"ua\":\"$a\",\"arn\":\"$r\",\"id\":\"$i\"}"},
	{"$context.requestId \"$context.identity.userAgent\" \"$context.authorizer.claims.email\" "
	 "$context.status",
	 "$i \"$a\" \"$c\" $s"},
	{"\"$context.identity.userAgent\" [$context.authorizer.claims.email] $context.status "
	 "$context.requestId",
	 "\"$a\" [$c] $s $i"},
};

/* Checks what a line gave against the truth; returns whether it named a user. */
static bool check_truth(const struct fixture *f, const char *shape, const struct world *world)
{
	struct str user = record_text(&f->record, FIELD_user);
	struct str truth = strstr(shape, "$r") != NULL ? STR_LIT("arn:al") : buf_str(&world->claim);

	if (record_has(&f->record, FIELD_request_id)) {
		check_text(f, FIELD_request_id, "real");
	}
	if (record_has(&f->record, FIELD_status)) {
		assert_int_equal(record_number(&f->record, FIELD_status, 0), 404);
	}
	if (user.len != 0 && !str_equal(user, truth)) {
		fail_msg("user %.*s, not %.*s", STR_ARG(user), STR_ARG(truth));
	}
	return user.len != 0;
}

static void nothing_forged_is_ever_taken(void **state)
{
	/* over many templates and hostile texts in all values a caller sets, no id, status or user is anything but the true one */
	struct fixture *f = *state;
	struct world world;
	struct buf line;
	uint32_t seed = 20261122;
	unsigned named = 0;

	buf_init(&world.agent, 0);
	buf_init(&world.claim, 0);
	buf_init(&world.error, 0);
	buf_init(&line, 0);
	for (size_t round = 0; round < 4000 * (sizeof(shapes) / sizeof(shapes[0])); round++) {
		const char *const *shape = shapes[round / 4000];

		if (round % 4000 == 0) {
			use_format(f, shape[0]);
		}
		buf_clear(&world.agent);
		buf_clear(&world.claim);
		buf_clear(&world.error);
		buf_clear(&line);
		put_hostile(&world.agent, &seed);
		put_hostile(&world.error, &seed);
		if (round % 4 == 0) {
			put_hostile(&world.claim, &seed);
		} else {
			buf_put_text(&world.claim, "alice");
		}
		put_line(&line, shape[1], &world);
		if (parse_str(f, buf_str(&line)) == 0 && check_truth(f, shape[1], &world)) {
			named++;
		}
	}
	assert_true(named > 4000); /* harmless ones are named, or the test would prove nothing */
	buf_done(&line);
	buf_done(&world.error);
	buf_done(&world.claim);
	buf_done(&world.agent);
}

static void put_member(struct buf *out, const char *before, struct str text)
{
	buf_put_text(out, before);
	json_put_string(out, text);
}

static void escaped_texts_are_exact(void **state)
{
	/* when the gateway escapes, every hostile text comes out whole, nothing is ambiguous and the user is the true one */
	struct fixture *f = *state;
	struct buf agent;
	struct buf claim;
	struct buf line;
	uint32_t seed = 7;

	buf_init(&agent, 0);
	buf_init(&claim, 0);
	buf_init(&line, 0);
	use_format(f, shapes[0][0]);
	for (int round = 0; round < 4000; round++) {
		buf_clear(&agent);
		buf_clear(&claim);
		buf_clear(&line);
		put_hostile(&agent, &seed);
		buf_put_text(&agent, round % 2 == 0 ? "\\" : "~");
		put_hostile(&claim, &seed);
		buf_put_text(&claim, "\\\"al");
		put_member(&line, "{\"id\":\"real\",\"ua\":", buf_str(&agent));
		put_member(&line, ",\"u\":", buf_str(&claim));
		buf_put_text(&line, ",\"s\":\"404\"}");
		assert_int_equal(parse_str(f, buf_str(&line)), 0);
		check_text(f, FIELD_parse, "ok");
		check_text(f, FIELD_request_id, "real");
		check_text(f, FIELD_user_agent, agent.ptr);
		check_text(f, FIELD_user, claim.ptr);
		assert_int_equal(record_number(&f->record, FIELD_status, 0), 404);
	}
	buf_done(&line);
	buf_done(&claim);
	buf_done(&agent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(forged_user_is_ambiguous, make, unmake),
		cmocka_unit_test_setup_teardown(other_quotes_are_recovered, make, unmake),
		cmocka_unit_test_setup_teardown(forged_tail_is_refused, make, unmake),
		cmocka_unit_test_setup_teardown(shapes_tell_readings_apart, make, unmake),
		cmocka_unit_test_setup_teardown(control_bytes_are_kept, make, unmake),
		cmocka_unit_test_setup_teardown(too_many_readings_give_the_front, make, unmake),
		cmocka_unit_test_setup_teardown(cut_lines_give_the_front, make, unmake),
		cmocka_unit_test_setup_teardown(lines_of_another_template, make, unmake),
		cmocka_unit_test_setup_teardown(two_values_of_one_variable, make, unmake),
		cmocka_unit_test_setup_teardown(nothing_forged_is_ever_taken, make, unmake),
		cmocka_unit_test_setup_teardown(escaped_texts_are_exact, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
