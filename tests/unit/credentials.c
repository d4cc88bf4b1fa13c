/* Credentials come from the first place that has them, are kept until their end is near, and are never half. */
#include "collector/sources/cloudwatch/provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"

#define NOW INT64_C(1795342830000000000)

static const char *const variables[] = {"AWS_ACCESS_KEY_ID",
					"AWS_SECRET_ACCESS_KEY",
					"AWS_SESSION_TOKEN",
					"AWS_PROFILE",
					"AWS_SHARED_CREDENTIALS_FILE",
					"AWS_CONFIG_FILE",
					"AWS_WEB_IDENTITY_TOKEN_FILE",
					"AWS_ROLE_ARN",
					"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
					"AWS_CONTAINER_CREDENTIALS_FULL_URI",
					"MADE"};

struct place {
	char dir[32];
	struct chain chain;
	struct client client;
	struct credentials_reach reach;
};

static void put_path(const struct place *place, const char *name, struct buf *out)
{
	buf_init(out, 0);
	buf_putf(out, "%s/%s", place->dir, name);
}

static void write_file(const struct place *place, const char *name, const char *text,
		       const char *variable)
{
	struct buf path;
	struct error err;

	put_path(place, name, &path);
	assert_int_equal(io_replace_file(path.ptr, str_of(text), 0600, &err), 0);
	assert_int_equal(setenv(variable, path.ptr, 1), 0);
	buf_done(&path);
}

static void place_open(struct place *place)
{
	static const struct credentials_options options = {.region = "eu-north-1"};
	struct error err;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		assert_int_equal(unsetenv(variables[i]), 0);
	}
	assert_int_equal(setenv("AWS_EC2_METADATA_DISABLED", "true", 1), 0);
	*place = (struct place){0};
	memcpy(place->dir, "/tmp/creds.XXXXXX", sizeof("/tmp/creds.XXXXXX"));
	assert_non_null(mkdtemp(place->dir));
	assert_int_equal(setenv("HOME", place->dir, 1), 0);
	chain_init(&place->chain, &options);
	assert_int_equal(http_new(&place->client.http, &err), 0);
	place->reach = (struct credentials_reach){
		.client = &place->client, .now_ns = NOW, .timeout_ns = 5 * NS_PER_SEC};
}

static void place_close(struct place *place)
{
	static const char *const names[] = {"credentials", "config"};

	for (size_t i = 0; i < 2; i++) {
		struct buf path;
		put_path(place, names[i], &path);
		(void)unlink(path.ptr); /* not every test has both */
		buf_done(&path);
	}
	assert_int_equal(rmdir(place->dir), 0);
	chain_done(&place->chain);
	http_free(place->client.http);
}

static void expect_key(struct place *place, const char *id, const char *secret, const char *token)
{
	const struct credentials *credentials = NULL;
	struct error err;

	if (chain_get(&place->chain, &place->reach, &credentials, &err) != 0) {
		fail_msg("%s", err.text);
	}
	assert_string_equal(credentials->access_key_id, id);
	assert_true(str_is(secret_peek(&credentials->secret_key), secret));
	assert_true(str_is(secret_peek(&credentials->session_token), token));
}

static void expect_error(struct place *place, int code, const char *words)
{
	const struct credentials *credentials = NULL;
	struct error err;

	assert_int_equal(chain_get(&place->chain, &place->reach, &credentials, &err), -code);
	if (strstr(err.text, words) == NULL) {
		fail_msg("%s", err.text);
	}
}

/* Nowhere: ERR_AUTH that says where it looked. */
static void test_nowhere(void **state)
{
	(void)state;
	struct place place;

	place_open(&place);
	expect_error(&place, ERR_AUTH, "none in the environment");
	place_close(&place);
}

/* The environment wins over files, but not over a profile that somebody chose. */
static void test_order(void **state)
{
	(void)state;
	struct place place;

	place_open(&place);
	write_file(&place, "credentials",
		   "[default]\naws_access_key_id=FILE\naws_secret_access_key=f\n"
		   "[work]\naws_access_key_id=WORK\naws_secret_access_key=w\naws_session_token=t\n",
		   "AWS_SHARED_CREDENTIALS_FILE");
	expect_key(&place, "FILE", "f", "");
	(void)setenv("AWS_ACCESS_KEY_ID", "ENV", 1); /* these cannot fail with memory left */
	(void)setenv("AWS_SECRET_ACCESS_KEY", "e", 1);
	expect_key(&place, "FILE", "f", ""); /* still the ones it has */
	chain_forget(&place.chain);
	expect_key(&place, "ENV", "e", "");
	chain_forget(&place.chain);
	(void)setenv("AWS_PROFILE", "work", 1); /* as above */
	expect_key(&place, "WORK", "w", "t");
	place_close(&place);
}

/* The configuration file's profile, when the credentials file has none; a profile that nobody has is ERR_CONFIG. */
static void test_config_file(void **state)
{
	(void)state;
	struct place place;

	place_open(&place);
	write_file(&place, "config",
		   "[profile work]\naws_access_key_id = CONF\naws_secret_access_key = c\n",
		   "AWS_CONFIG_FILE");
	(void)setenv("AWS_PROFILE", "work", 1); /* as above */
	expect_key(&place, "CONF", "c", "");
	chain_forget(&place.chain);
	(void)setenv("AWS_PROFILE", "play", 1); /* as above */
	expect_error(&place, ERR_CONFIG, "play");
	place_close(&place);
}

/* Half of a pair is ERR_CONFIG, wherever it stands, and no secret is in the sentence. */
static void test_halves(void **state)
{
	(void)state;
	struct place place;

	place_open(&place);
	(void)setenv("AWS_SECRET_ACCESS_KEY", "geheim", 1); /* as above */
	expect_error(&place, ERR_CONFIG, "lack their access key id");
	(void)unsetenv("AWS_SECRET_ACCESS_KEY"); /* as above */
	write_file(&place, "credentials", "[default]\naws_access_key_id=X\n",
		   "AWS_SHARED_CREDENTIALS_FILE");
	expect_error(&place, ERR_CONFIG, "lack their secret access key");
	place_close(&place);
}

/* credential_process: its words are split without a shell, its end is waited for, its faults are told. */
static void test_process(void **state)
{
	(void)state;
	static const struct {
		const char *command;
		int code;
		const char *words;
	} bad[] = {
		{"sh -c true", ERR_CONFIG, "absolute path"},
		{"/bin/sh -c 'exit 3'", ERR_AUTH, "status 3"},
		{"/bin/sh -c 'unclosed", ERR_CONFIG, "close its quotes"},
		{"/bin/true", ERR_INPUT, "without credentials"},
		{"/bin/sleep 20", ERR_AGAIN, "in time"},
	};
	struct place place;
	struct credentials out;
	struct error err;

	place_open(&place);
	credentials_init(&out);
	(void)setenv("MADE",
		     "{\"Version\":1,\"AccessKeyId\":\"P\",\"SecretAccessKey\":\"p\","
		     "\"Expiration\":\"2026-11-22T12:00:00Z\"}",
		     1); /* as above */
	assert_int_equal(provider_process(STR_LIT("/bin/sh -c 'printf %s \"$MADE\"'"), &place.reach,
					  &out, &err),
			 0);
	assert_string_equal(out.access_key_id, "P");
	assert_true(out.expires_ns == INT64_C(1795348800000000000));
	place.reach.timeout_ns = 300 * NS_PER_MS;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int rc = provider_process(str_of(bad[i].command), &place.reach, &out, &err);
		if (rc != -bad[i].code || strstr(err.text, bad[i].words) == NULL) {
			fail_msg("%s: %d %s", bad[i].command, rc, err.text);
		}
	}
	credentials_done(&out);
	place_close(&place);
}

/* From 15 minutes before the end a refresh is tried, and a failure keeps what there is; from 10 minutes on it is an error. */
static void test_refresh(void **state)
{
	(void)state;
	static const char profile[] =
		"[profile made]\ncredential_process = /bin/sh -c 'printf %s \"$MADE\"'\n";
	struct place place;

	place_open(&place);
	write_file(&place, "config", profile, "AWS_CONFIG_FILE");
	(void)setenv("AWS_PROFILE", "made", 1); /* as above */
	(void)setenv("MADE",
		     "{\"AccessKeyId\":\"ONE\",\"SecretAccessKey\":\"1\",\"Expiration\":\"2026-11-"
		     "22T11:20:30Z\"}",
		     1);
	place.reach.now_ns =
		INT64_C(1795346430000000000) - 60 * NS_PER_MIN; /* an hour before that */
	expect_key(&place, "ONE", "1", "");
	(void)setenv("MADE",
		     "{\"AccessKeyId\":\"TWO\",\"SecretAccessKey\":\"2\",\"Expiration\":\"2026-11-"
		     "22T12:20:30Z\"}",
		     1);
	place.reach.now_ns += 44 * NS_PER_MIN; /* 16 minutes left */
	expect_key(&place, "ONE", "1", "");
	(void)setenv("MADE", "nonsense", 1);  /* as above */
	place.reach.now_ns += 2 * NS_PER_MIN; /* 14 left */
	expect_key(&place, "ONE", "1", "");
	place.reach.now_ns += 5 * NS_PER_MIN; /* 9 left */
	expect_error(&place, ERR_INPUT, "credential_process");
	(void)setenv("MADE",
		     "{\"AccessKeyId\":\"TWO\",\"SecretAccessKey\":\"2\",\"Expiration\":\"2026-11-"
		     "22T12:20:30Z\"}",
		     1);
	expect_key(&place, "TWO", "2", "");
	place_close(&place);
}

/* A container endpoint must be https or local, and its token must not hold a line end. */
static void test_container(void **state)
{
	(void)state;
	struct place place;

	place_open(&place);
	(void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/", 1); /* as above */
	expect_error(&place, ERR_CONFIG, "not https and not local");
	(void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1.example.com/",
		     1); /* as above */
	expect_error(&place, ERR_CONFIG, "not https and not local");
	(void)setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/", 1); /* as above */
	(void)setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nb: c", 1);            /* as above */
	expect_error(&place, ERR_CONFIG, "line end");
	(void)unsetenv("AWS_CONTAINER_AUTHORIZATION_TOKEN"); /* as above */
	expect_error(&place, ERR_AGAIN, "cannot reach");
	place_close(&place);
}

/* Documents without a key, with another shape, or with a wrong end are refused and leave nothing. */
static void test_documents(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"AccessKeyId\":\"A\"}",
		"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"\"}",
		"{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":\"soon\"}"};
	struct credentials out;
	struct error err;

	credentials_init(&out);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(credentials_from_json(&out, str_of(bad[i]), "a test", &err),
				 -ERR_INPUT);
		assert_string_equal(out.access_key_id, "");
	}
	assert_int_equal(credentials_from_json(&out,
					       STR_LIT("{\"AccessKeyId\":\"A\",\"SecretAccessKey\":"
						       "\"s\",\"Token\":\"t\"}"),
					       "a test", &err),
			 0);
	assert_true(str_is(secret_peek(&out.session_token), "t"));
	assert_true(out.expires_ns == 0);
	credentials_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nowhere),     cmocka_unit_test(test_order),
		cmocka_unit_test(test_config_file), cmocka_unit_test(test_halves),
		cmocka_unit_test(test_process),     cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_container),   cmocka_unit_test(test_documents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
