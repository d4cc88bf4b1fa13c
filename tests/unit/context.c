#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "model/context.h"

#define UUID "6a1f6cb4-8a0e-4bd4-9bb1-0c6f2d6f3b11"

static const struct str no_key;

static void reads_all_pairs(void **state)
{
	/* every pair of a value arrives in its field, the principal decoded */
	struct context context;

	(void)state;
	assert_true(context_parse(STR_LIT("qt1 x=GQIVriFLIAMEMsA= l=" UUID
					  " r=r-1 p=caf%C3%A9%20bar t=1720635321799"),
				  no_key, &context));
	assert_true(str_is(context.extended_request_id, "GQIVriFLIAMEMsA="));
	assert_true(str_is(context.lambda_request_id, UUID));
	assert_true(str_is(context.request_id, "r-1"));
	assert_true(str_is(str_make(context.principal, context.principal_len), "caf\xC3\xA9 bar"));
	assert_int_equal(context.time_ms, 1720635321799);
	assert_int_equal(context.signature, CONTEXT_UNSIGNED);
}

static void finds_value_in_other_text(void **state)
{
	/* the value ends where the text around it goes on: JSON, XML, key=value, a list */
	static const char *const texts[] = {
		"{\"querytrail\":\"qt1 x=AbC= r=1\",\"user\":\"x\"}",
		"<k>qt1 x=AbC= r=1</k>",
		"querytrail=qt1 x=AbC= r=1;tenant=7",
		"querytrail: qt1 x=AbC= r=1, tenant: 7",
		"qt1 x=AbC= r=1 and more",
		"qt1 x=AbC= future=pair r=1 z=",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct context context;

		assert_true(context_parse(str_of(texts[i]), no_key, &context));
		assert_true(str_is(context.extended_request_id, "AbC="));
		assert_true(str_is(context.request_id, "1"));
	}
}

static void refuses_malformed_values(void **state)
{
	/* a value that breaks the rules gives nothing at all */
	static const char *const texts[] = {
		"",
		"qt1",
		"qt1 ",
		"qt1 x",
		"qt1  x=a",
		"qt1 p=alice t=1", /* no id */
		"qt1 x= l= r=",    /* only empty ones */
		"qt1 x=a x=b",     /* repeated */
		"qt1 x=a p=%zz",   /* broken escape */
		"qt1 x=a p=%ff",   /* not UTF-8 */
		"qt1 x=a t=soon",  /* no number */
		"qt1 x=a t=-1",    /* before time */
		"Aqt1 x=a",        /* part of a longer word */
		"qt2 x=a",         /* another version */
		"qt1 x=\xC3\xA9",  /* not ASCII, so empty */
	};
	struct context context = {.time_ms = 42};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_false(context_parse(str_of(texts[i]), no_key, &context));
	}
	assert_int_equal(context.time_ms, 42);
}

static void limits_hold(void **state)
{
	/* ids of 128 bytes pass and longer ones do not; nor does a value of more than CONTEXT_MAX */
	char text[CONTEXT_MAX + 64];
	struct context context;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "qt1 x=", 6);
	assert_true(context_parse(str_make(text, 6 + CONTEXT_ID_MAX), no_key, &context));
	assert_false(context_parse(str_make(text, 7 + CONTEXT_ID_MAX), no_key, &context));
	memcpy(text, "qt1 x=a zzz=", 12);
	assert_true(context_parse(str_make(text, CONTEXT_MAX), no_key, &context));
	assert_false(context_parse(str_make(text, CONTEXT_MAX + 1), no_key, &context));
}

static void put_and_sign(struct buf *out, struct str key)
{
	struct context context = {.extended_request_id = STR_LIT("GQIVriFLIAMEMsA="),
				  .lambda_request_id = STR_LIT(UUID),
				  .request_id = STR_LIT("r"),
				  .time_ms = 17};

	memcpy(context.principal, "a b", 3);
	context.principal_len = 3;
	context_put(&context, key, out);
}

static void signature_is_checked(void **state)
{
	/* the right key verifies; a wrong key, a changed byte and a cut signature do not */
	struct str key = STR_LIT("secret");
	struct context context;
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	put_and_sign(&out, key);
	assert_true(context_parse(buf_str(&out), no_key, &context));
	assert_int_equal(context.signature, CONTEXT_SIGNED);
	assert_true(context_parse(buf_str(&out), key, &context));
	assert_int_equal(context.signature, CONTEXT_SIGNATURE_OK);
	assert_true(context_parse(buf_str(&out), STR_LIT("other"), &context));
	assert_int_equal(context.signature, CONTEXT_SIGNATURE_BAD);
	assert_true(context_parse(str_slice(buf_str(&out), 0, out.len - 1), key, &context));
	assert_int_equal(context.signature, CONTEXT_SIGNATURE_BAD);
	out.ptr[6] = 'H';
	assert_true(context_parse(buf_str(&out), key, &context));
	assert_int_equal(context.signature, CONTEXT_SIGNATURE_BAD);
	buf_done(&out);
}

static void nothing_behind_the_signature_counts(void **state)
{
	/* a pair that is hung behind a valid signature is not read */
	struct str key = STR_LIT("secret");
	struct context context;
	struct context minimal = {.request_id = STR_LIT("r")};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	context_put(&minimal, key, &out);
	buf_put_text(&out, " x=forged");
	assert_true(context_parse(buf_str(&out), key, &context));
	assert_int_equal(context.signature, CONTEXT_SIGNATURE_OK);
	assert_int_equal(context.extended_request_id.len, 0);
	buf_done(&out);
}

static void known_vector(void **state)
{
	/* the bytes of docs/format.md: a value written and signed is this and nothing else */
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	put_and_sign(&out, STR_LIT("secret"));
	assert_string_equal(out.ptr, "qt1 x=GQIVriFLIAMEMsA= l=" UUID " r=r p=a%20b t=17 "
				     "s=7A2sV6JI--wMSVWgzhjfB_vgd1ikL5V0XgiBJgf_9tE");
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_pairs),
		cmocka_unit_test(finds_value_in_other_text),
		cmocka_unit_test(refuses_malformed_values),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(signature_is_checked),
		cmocka_unit_test(nothing_behind_the_signature_counts),
		cmocka_unit_test(known_vector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
