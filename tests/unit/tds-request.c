/* Requests of TDS clients are read as [MS-TDS] has them, and no cut or bent one is read beyond its end. */
#include "tests/unit/tds-client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct scene {
	struct arena arena;
	struct buf message;
	struct error err;
};

static int open_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	arena_init(&scene->arena, 1 << 20);
	buf_init(&scene->message, 0);
	*state = scene;
	return 0;
}

static int close_scene(void **state)
{
	struct scene *scene = *state;
	arena_done(&scene->arena);
	buf_done(&scene->message);
	free(scene);
	return 0;
}

/* Exactly as many bytes on the heap, so that a sanitizer sees a read behind them. */
static struct str tight(struct str bytes, char **out_owned)
{
	*out_owned = malloc(bytes.len > 0 ? bytes.len : 1);
	memcpy(*out_owned, bytes.ptr, bytes.len);
	return str_make(*out_owned, bytes.len);
}

/* A PRELOGIN gives its version and encryption; one without says that it cannot encrypt. */
static void test_prelogin(void **state)
{
	struct scene *scene = *state;
	struct tds_prelogin prelogin;
	static const char full[] = "\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff"
				   "\x0a\x00\x00\x05\x00\x00"
				   "\x01";
	assert_int_equal(
		tds_parse_prelogin(str_make(full, sizeof(full) - 1), &prelogin, &scene->err), 0);
	assert_int_equal(prelogin.encrypt, TDS_ENCRYPT_ON);
	assert_int_equal(prelogin.version[0], 10);
	assert_int_equal(tds_parse_prelogin(STR_LIT("\xff"), &prelogin, &scene->err), 0);
	assert_int_equal(prelogin.encrypt, TDS_ENCRYPT_NOT_SUP);
	for (size_t len = 0; len < sizeof(full) - 1; len++) {
		char *owned;
		struct str part = tight(str_make(full, len), &owned);
		assert_int_equal(tds_parse_prelogin(part, &prelogin, &scene->err), -ERR_INPUT);
		free(owned);
	}
}

/* A LOGIN7 gives its texts, the password in the clear; every cut of it is refused. */
static void test_login(void **state)
{
	struct scene *scene = *state;
	struct tds_login login;
	client_put_login(&scene->message, "Se{cret1");
	struct str whole = buf_str(&scene->message);
	assert_int_equal(tds_parse_login(whole, &scene->arena, &login, &scene->err), 0);
	assert_true(str_is(login.user, "user"));
	assert_true(str_is(login.password, "Se{cret1"));
	assert_true(str_is(login.host, "host"));
	assert_true(str_is(login.application, "app"));
	assert_true(str_is(login.database, "msdb"));
	assert_int_equal(login.packet_size, 4096);
	for (size_t len = 0; len < whole.len; len++) {
		char *owned;
		struct str part = tight(str_slice(whole, 0, len), &owned);
		assert_int_equal(tds_parse_login(part, &scene->arena, &login, &scene->err),
				 -ERR_INPUT);
		free(owned);
	}
}

/* A field that points outside of a LOGIN7 is refused, wherever it points. */
static void test_login_offsets(void **state)
{
	struct scene *scene = *state;
	struct tds_login login;
	client_put_login(&scene->message, "x");
	for (size_t at = 36; at <= 68; at += 4) {
		if (at == 52 || at == 56 || at == 60) {
			continue; /* server, extension and library are not read */
		}
		struct buf bent;
		buf_init(&bent, 0);
		buf_put_str(&bent, buf_str(&scene->message));
		bent.ptr[at + 2] = (char)0xff;
		bent.ptr[at + 3] = (char)0xff;
		assert_int_equal(
			tds_parse_login(buf_str(&bent), &scene->arena, &login, &scene->err),
			-ERR_INPUT);
		buf_done(&bent);
	}
}

/* A batch is the text behind ALL_HEADERS; lengths that do not fit are refused. */
static void test_batch(void **state)
{
	struct scene *scene = *state;
	struct str text;
	client_put_headers(&scene->message);
	client_put_wide(&scene->message, "SELECT 1");
	struct str whole = buf_str(&scene->message);
	assert_int_equal(tds_parse_batch(whole, &scene->arena, &text, &scene->err), 0);
	assert_true(str_is(text, "SELECT 1"));
	for (size_t len = 0; len < 22; len++) {
		assert_int_equal(tds_parse_batch(str_slice(whole, 0, len), &scene->arena, &text,
						 &scene->err),
				 -ERR_INPUT);
	}
	assert_int_equal(
		tds_parse_batch(str_slice(whole, 0, 23), &scene->arena, &text, &scene->err),
		-ERR_INPUT);
	scene->message.ptr[4] = 5; /* a header shorter than its own head */
	assert_int_equal(tds_parse_batch(whole, &scene->arena, &text, &scene->err), -ERR_INPUT);
}

static void put_parameter(struct buf *out, const char *name, const char *type, size_t type_len)
{
	buf_put_byte(out, (uint8_t)strlen(name));
	client_put_wide(out, name);
	buf_put_byte(out, 0);
	buf_put(out, type, type_len);
}

#define PARAMETER(out, name, bytes) put_parameter(out, name, bytes, sizeof(bytes) - 1)

static void put_call(struct buf *out)
{
	client_put_headers(out);
	wire_put_u16(out, 0xffff);
	wire_put_u16(out, 10);
	wire_put_u16(out, 0);
	PARAMETER(out, "", "\xe7\x40\x1f\x09\x04\xd0\x00\x34\x04\x00S\0E\0");
	PARAMETER(out, "@i", "\x26\x04\x04\xfe\xff\xff\xff");
	PARAMETER(out, "@b", "\x26\x08\x08\x01\x02\x00\x00\x00\x00\x00\x80");
	PARAMETER(out, "@t", "\x68\x01\x01\x01");
	PARAMETER(out, "@n", "\xe7\x40\x1f\x09\x04\xd0\x00\x34\xff\xff");
	PARAMETER(out, "@m",
		  "\xe7\xff\xff\x09\x04\xd0\x00\x34"
		  "\xfe\xff\xff\xff\xff\xff\xff\xff"
		  "\x02\x00\x00\x00x\0"
		  "\x02\x00\x00\x00y\0"
		  "\x00\x00\x00\x00");
	PARAMETER(out, "@d", "\x2a\x03\x07\x01\x00\x00\x00\x3a\xf9\x0a");
	PARAMETER(out, "@u", "\x1f");
	PARAMETER(out, "@x", "\x63\x10\x00\x00\x00\x09\x04\xd0\x00\x34\x02\x00\x00\x00z\0");
	PARAMETER(out, "@w", "\x38\x07\x00\x00\x00");
}

/* A call of procedure 10 is sp_executesql, its parameters come with their values. */
static void test_rpc(void **state)
{
	struct scene *scene = *state;
	struct tds_rpc rpc;
	put_call(&scene->message);
	assert_int_equal(tds_parse_rpc(buf_str(&scene->message), &scene->arena, &rpc, &scene->err),
			 0);
	assert_true(str_is(rpc.procedure, "sp_executesql"));
	assert_int_equal(rpc.parameter_count, 10);
	assert_true(str_is(rpc.parameter[0].value.text, "SE"));
	assert_true(str_is(rpc.parameter[1].name, "@i"));
	assert_int_equal(rpc.parameter[1].value.number, -2);
	assert_int_equal(rpc.parameter[2].value.number, INT64_MIN + 0x201);
	assert_int_equal(rpc.parameter[3].value.kind, TDS_BIT);
	assert_true(rpc.parameter[4].value.null);
	assert_true(str_is(rpc.parameter[5].value.text, "xy"));
	assert_true(rpc.parameter[5].large);
	assert_int_equal(rpc.parameter[6].value.number, INT64_C(719162) * 864000000000 + 10000);
	assert_true(rpc.parameter[7].value.null);
	assert_true(str_is(rpc.parameter[8].value.text, "z"));
	assert_int_equal(rpc.parameter[9].value.number, 7);
}

/* No cut of a call is read beyond its end; a cut between two parameters is a shorter call. */
static void test_rpc_cut(void **state)
{
	struct scene *scene = *state;
	struct tds_rpc rpc;
	put_call(&scene->message);
	size_t whole = 0;
	for (size_t len = 0; len <= scene->message.len; len++) {
		char *owned;
		struct str part = tight(str_slice(buf_str(&scene->message), 0, len), &owned);
		int rc = tds_parse_rpc(part, &scene->arena, &rpc, &scene->err);
		assert_true(rc == 0 || rc == -ERR_INPUT);
		whole += rc == 0;
		free(owned);
	}
	assert_int_equal(whole, 11); /* before the first parameter and behind each */
}

/* A parameter of a type that is not known, a value in chunks that do not add up, and a second call are refused. */
static void test_rpc_refused(void **state)
{
	struct scene *scene = *state;
	struct tds_rpc rpc;
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{"\xf1\x00\x00", 3},
		{"\xa5\xff\xff\x05\0\0\0\0\0\0\0\x01\0\0\0a\0\0\0\0", 20},
		{"\x26\x04\x03\x01\x02\x03", 6},
		{"\x2a\x09\x08\0\0\0\0\0\0\0\0", 11},
		{"\x2a\x07\x08\0\0\0\0\0\0\0\xf0", 11},
		{"\xe7\x40\x1f\x09\x04\xd0\x00\x34\x01\x00S", 11},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&scene->message);
		client_put_headers(&scene->message);
		buf_put(&scene->message, "\xff\xff\x0a\0\0\0", 6);
		put_parameter(&scene->message, "@p", cases[i].bytes, cases[i].len);
		assert_int_equal(
			tds_parse_rpc(buf_str(&scene->message), &scene->arena, &rpc, &scene->err),
			-ERR_INPUT);
	}
	buf_clear(&scene->message);
	client_put_headers(&scene->message);
	buf_put(&scene->message, "\xff\xff\x0a\0\0\0\xff", 7);
	assert_int_equal(tds_parse_rpc(buf_str(&scene->message), &scene->arena, &rpc, &scene->err),
			 -ERR_INPUT);
}

/* More parameters than there is room for are a limit, not an overflow. */
static void test_rpc_limit(void **state)
{
	struct scene *scene = *state;
	struct tds_rpc rpc;
	client_put_headers(&scene->message);
	buf_put(&scene->message, "\xff\xff\x0a\0\0\0", 6);
	for (size_t i = 0; i <= TDS_PARAMETERS_MAX; i++) {
		PARAMETER(&scene->message, "", "\x1f");
	}
	assert_int_equal(tds_parse_rpc(buf_str(&scene->message), &scene->arena, &rpc, &scene->err),
			 -ERR_LIMIT);
}

int main(void)
{
#define ON_SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)
	const struct CMUnitTest tests[] = {
		ON_SCENE(test_prelogin),    ON_SCENE(test_login),     ON_SCENE(test_login_offsets),
		ON_SCENE(test_batch),       ON_SCENE(test_rpc),       ON_SCENE(test_rpc_cut),
		ON_SCENE(test_rpc_refused), ON_SCENE(test_rpc_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
