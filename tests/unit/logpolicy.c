#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/logpolicy.h"

#include <string.h>

#define WITNESSES 3

static struct note_signer log_key, other_key, witness[WITNESSES];
static struct buf vkey_log, vkey_other, vkey_witness[WITNESSES];

static void make(struct note_signer *signer, struct buf *vkey, const char *name,
		 enum note_key_type type)
{
	struct error err;
	buf_init(vkey, 0);
	assert_int_equal(note_signer_make(signer, str_of(name), type, &err), 0);
	note_key_put(&signer->key, vkey);
}

static int set_up(void **state)
{
	(void)state;
	make(&log_key, &vkey_log, "log.example", NOTE_ED25519);
	make(&other_key, &vkey_other, "other.example", NOTE_ED25519);
	make(&witness[0], &vkey_witness[0], "w0.example", NOTE_COSIGNATURE);
	make(&witness[1], &vkey_witness[1], "w1.example", NOTE_COSIGNATURE);
	make(&witness[2], &vkey_witness[2], "w2.example", NOTE_COSIGNATURE);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	note_signer_done(&log_key);
	note_signer_done(&other_key);
	buf_done(&vkey_log);
	buf_done(&vkey_other);
	for (size_t i = 0; i < WITNESSES; i++) {
		note_signer_done(&witness[i]);
		buf_done(&vkey_witness[i]);
	}
	return 0;
}

/* A policy with the keys and three witnesses, and these lines behind them. */
static int parse(const char *lines, struct logpolicy **out, struct error *err)
{
	struct buf text;
	buf_init(&text, 0);
	buf_putf(&text, "# whom to trust\n\nlog %.*s https://log.example/\n",
		 STR_ARG(buf_str(&vkey_log)));
	for (size_t i = 0; i < WITNESSES; i++) {
		buf_putf(&text, "witness w%zu %.*s\n", i, STR_ARG(buf_str(&vkey_witness[i])));
	}
	buf_put_text(&text, lines);
	int rc = logpolicy_parse(buf_str(&text), out, err);
	buf_done(&text);
	return rc;
}

/* Checks a checkpoint that these witnesses (bits) have signed. */
static int check(const struct logpolicy *policy, unsigned witnesses, struct logpolicy_verdict *out)
{
	static struct note note;
	static struct buf bytes; /* the verdict borrows from it */
	struct buf lines;
	struct error err;
	const struct note_checkpoint checkpoint = {.origin = STR_LIT("log.example"),
						   .head = {.size = 7}};
	buf_done(&bytes);
	buf_init(&bytes, 0);
	buf_init(&lines, 0);
	note_checkpoint_put(&checkpoint, &bytes);
	assert_int_equal(note_sign(&log_key, buf_str(&bytes), 0, &lines, &err), 0);
	for (size_t i = 0; i < WITNESSES; i++) {
		if ((witnesses >> i & 1) != 0) {
			assert_int_equal(note_sign(&witness[i], buf_str(&bytes),
						   1700000000 + (int64_t)i, &lines, &err),
					 0);
		}
	}
	buf_put_byte(&bytes, '\n');
	buf_put_str(&bytes, buf_str(&lines));
	buf_done(&lines);
	assert_int_equal(note_parse(buf_str(&bytes), &note, &err), 0);
	return logpolicy_check(policy, &note, out, &err);
}

static void quorums_are_counted(void **state)
{
	/* any, all, so many of, groups of groups, and none: for each set of witnesses that signed */
	static const struct {
		const char *lines;
		uint8_t good; /* bit w: the set w of witnesses is enough */
	} cases[] = {
		{"quorum none\n", 0xff},
		{"quorum w1\n", 0xcc},
		{"group g any w0 w1\nquorum g\n", 0xee},
		{"group g all w0 w1\nquorum g\n", 0x88},
		{"group g 2 w0 w1 w2\nquorum g\n", 0xe8},
		{"group g any w0 w1\ngroup h all g w2\nquorum h\n", 0xe0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct logpolicy *policy = NULL;
		struct error err;
		assert_int_equal(parse(cases[i].lines, &policy, &err), 0);
		for (unsigned set = 0; set < 8; set++) {
			struct logpolicy_verdict verdict;
			int rc = check(policy, set, &verdict);
			assert_int_equal(rc, (cases[i].good >> set & 1) != 0 ? 0 : -ERR_INPUT);
			if (rc == 0) {
				assert_int_equal(verdict.witnesses, __builtin_popcount(set));
				assert_string_equal(verdict.key->name, "log.example");
				assert_int_equal(verdict.checkpoint.head.size, 7);
			}
		}
		logpolicy_free(policy);
	}
}

static void other_logs_are_not_trusted(void **state)
{
	/* a checkpoint of a log that the policy does not name is refused, and so is one signed by a key of another name alone */
	struct buf text;
	struct logpolicy *policy = NULL;
	struct logpolicy_verdict verdict;
	struct error err;
	(void)state;
	buf_init(&text, 0);
	buf_putf(&text, "log %.*s\nquorum none\n", STR_ARG(buf_str(&vkey_other)));
	assert_int_equal(logpolicy_parse(buf_str(&text), &policy, &err), 0);
	assert_int_equal(logpolicy_logs(policy), 1);
	assert_string_equal(logpolicy_log(policy, 0)->name, "other.example");
	assert_int_equal(check(policy, 0, &verdict), -ERR_INPUT);
	logpolicy_free(policy);
	buf_done(&text);
}

static void bad_lines_are_named(void **state)
{
	/* each error is told with its line */
	static const char *const wrong[] = {
		"",
		"quorum w9\n",
		"quorum none\nquorum none\n",
		"group g any w0 w9\nquorum g\n",
		"group g 0 w0\nquorum g\n",
		"group g 3 w0 w1\nquorum g\n",
		"group g any\nquorum g\n",
		"group w0 any w1\nquorum w0\n",
		"group none any w1\nquorum none\n",
		"group g any w1 w1\nquorum g\n",
		"log\nquorum none\n",
		"log nonsense\nquorum none\n",
		"witness w3\nquorum none\n",
		"watcher w3\nquorum none\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct logpolicy *policy = NULL;
		struct error err;
		assert_int_equal(parse(wrong[i], &policy, &err), -ERR_INPUT);
		assert_true(wrong[i][0] == 0 || strstr(err.text, "line ") != NULL);
	}
	struct buf text;
	struct logpolicy *policy = NULL;
	struct error err;
	buf_init(&text, 0);
	buf_putf(&text, "log %.*s\nquorum none\n", STR_ARG(buf_str(&vkey_witness[0])));
	assert_int_equal(logpolicy_parse(buf_str(&text), &policy, &err), -ERR_INPUT);
	assert_int_equal(logpolicy_parse(STR_LIT("quorum none\n"), &policy, &err), -ERR_INPUT);
	buf_put_fill(&text, '#', LOGPOLICY_MAX_BYTES);
	assert_int_equal(logpolicy_parse(buf_str(&text), &policy, &err), -ERR_INPUT);
	buf_done(&text);
}

static void one_key_is_one_witness(void **state)
{
	/* a key under a second name would let one witness count as two: refused */
	struct buf line;
	struct logpolicy *policy = NULL;
	struct error err;
	(void)state;
	buf_init(&line, 0);
	buf_putf(&line, "witness again %.*s\ngroup g 2 w0 again\nquorum g\n",
		 STR_ARG(buf_str(&vkey_witness[0])));
	assert_int_equal(parse(line.ptr, &policy, &err), -ERR_INPUT);
	assert_non_null(strstr(err.text, "line 7: another witness has this key"));
	buf_done(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quorums_are_counted),
		cmocka_unit_test(other_logs_are_not_trusted),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(one_key_is_one_witness),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
