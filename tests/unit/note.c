#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/note.h"

#include <string.h>

static struct str text_of(struct buf *buf)
{
	return buf_str(buf);
}

/* A note of two signers. */
struct signed_note {
	struct note_signer log, witness;
	struct buf bytes;
};

static void make(struct signed_note *made)
{
	struct error err;
	struct buf lines;
	struct note_checkpoint checkpoint = {.origin = STR_LIT("example.org/log"),
					     .head = {.size = 5, .root = {{9}}}};
	buf_init(&made->bytes, 0);
	buf_init(&lines, 0);
	assert_int_equal(
		note_signer_make(&made->log, STR_LIT("example.org/log"), NOTE_ED25519, &err), 0);
	assert_int_equal(note_signer_make(&made->witness, STR_LIT("w1"), NOTE_COSIGNATURE, &err),
			 0);
	note_checkpoint_put(&checkpoint, &made->bytes);
	assert_int_equal(note_sign(&made->log, text_of(&made->bytes), 0, &lines, &err), 0);
	assert_int_equal(note_sign(&made->witness, text_of(&made->bytes), 1700000000, &lines, &err),
			 0);
	buf_put_byte(&made->bytes, '\n');
	buf_put_str(&made->bytes, buf_str(&lines));
	assert_false(made->bytes.failed);
	buf_done(&lines);
}

static void unmake(struct signed_note *made)
{
	note_signer_done(&made->log);
	note_signer_done(&made->witness);
	buf_done(&made->bytes);
}

static void signatures_are_verified(void **state)
{
	/* both signers are found and right, with the witness' time; another key did not sign */
	struct signed_note made;
	struct note_signer other;
	struct note note;
	struct note_checkpoint back;
	struct error err;
	int64_t time_s = -1;
	(void)state;
	make(&made);
	assert_int_equal(note_parse(text_of(&made.bytes), &note, &err), 0);
	assert_int_equal(note.signature_count, 2);
	assert_int_equal(note_verify(&note, &made.log.key, &time_s, &err), 0);
	assert_int_equal(time_s, 0);
	assert_int_equal(note_verify(&note, &made.witness.key, &time_s, &err), 0);
	assert_int_equal(time_s, 1700000000);
	assert_int_equal(note_signer_make(&other, STR_LIT("example.org/log"), NOTE_ED25519, &err),
			 0);
	assert_int_equal(note_verify(&note, &other.key, NULL, &err), -ERR_GONE);
	assert_int_equal(note_checkpoint_parse(note.text, &back, &err), 0);
	assert_true(str_is(back.origin, "example.org/log") && back.head.size == 5 &&
		    back.head.root.bytes[0] == 9 && back.extension.len == 0);
	note_signer_done(&other);
	unmake(&made);
}

static void any_changed_byte_is_found(void **state)
{
	/* a note with one other byte is not parsed, not signed any more, or its signature is wrong: it never passes by both keys */
	struct signed_note made;
	struct note note;
	struct error err;
	(void)state;
	make(&made);
	for (size_t i = 0; i < made.bytes.len; i++) {
		made.bytes.ptr[i] ^= 1;
		int rc = note_parse(text_of(&made.bytes), &note, &err);
		rc = rc < 0 ? rc : note_verify(&note, &made.log.key, NULL, &err);
		rc = rc < 0 ? rc : note_verify(&note, &made.witness.key, NULL, &err);
		assert_true(rc == -ERR_INPUT || rc == -ERR_GONE);
		made.bytes.ptr[i] ^= 1;
	}
	for (size_t len = 0; len < made.bytes.len; len++) {
		int rc = note_parse(str_make(made.bytes.ptr, len), &note, &err);
		rc = rc < 0 ? rc : note_verify(&note, &made.log.key, NULL, &err);
		rc = rc < 0 ? rc : note_verify(&note, &made.witness.key, NULL, &err);
		assert_true(rc < 0);
	}
	unmake(&made);
}

static void keys_come_back(void **state)
{
	/* public and private keys are written and read; with another byte they are refused */
	struct signed_note made;
	struct note_signer again;
	struct note_key key;
	struct secret text;
	struct buf vkey;
	struct error err;
	(void)state;
	make(&made);
	secret_init(&text);
	buf_init(&vkey, 0);
	assert_int_equal(note_signer_put(&made.log, &text, &err), 0);
	assert_int_equal(note_signer_parse(&again, secret_peek(&text), &err), 0);
	assert_memory_equal(again.key.public_key, made.log.key.public_key, NOTE_KEY_BYTES);
	assert_int_equal(again.key.id, made.log.key.id);
	note_key_put(&made.witness.key, &vkey);
	assert_int_equal(note_key_parse(buf_str(&vkey), &key, &err), 0);
	assert_true(key.id == made.witness.key.id && key.type == NOTE_COSIGNATURE &&
		    strcmp(key.name, "w1") == 0);
	for (size_t i = 0; i < vkey.len; i++) {
		vkey.ptr[i] ^= 2;
		assert_true(note_key_parse(buf_str(&vkey), &key, &err) < 0 ||
			    (vkey.ptr[i] | 0x20) != 0);
		vkey.ptr[i] ^= 2;
	}
	note_signer_done(&again);
	secret_done(&text);
	buf_done(&vkey);
	unmake(&made);
}

static void known_key_is_read(void **state)
{
	/* a key of the documentation of signed notes: its id follows from name and key */
	struct note_key key;
	struct error err;
	static const char *const wrong[] = {
		"",
		"PeterNeumann",
		"PeterNeumann+c74f20a3",
		"PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
		"PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
	};
	(void)state;
	assert_int_equal(note_key_parse(STR_LIT("PeterNeumann+c74f20a3+"
						"ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
					&key, &err),
			 0);
	assert_int_equal(key.id, 0xc74f20a3);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(note_key_parse(str_of(wrong[i]), &key, &err), -ERR_INPUT);
	}
}

static void documented_example_comes_out(void **state)
{
	/* the keys of docs/format.md 11.6 sign its checkpoint with the very bytes that stand there */
	static const char *const keys[] = {
		"PRIVATE+KEY+example.org/log+98af023b+"
		"AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
		"PRIVATE+KEY+w1.example.org+3057caac+"
		"BCAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/",
	};
	static const char *const lines[] = {
		"\xe2\x80\x94 example.org/log "
		"mK8CO+BRZWsNbOSLZ6WX5b6XB6NSJreLGWgIvO9WSF9Xf30mGVOflBb+"
		"3wsZedooBn0s6XcTjNJr3TQZ4R1bK66pygY=\n",
		"\xe2\x80\x94 w1.example.org "
		"MFfKrAAAAABqsTuALrKuWWzaSoGU5gOBWWmbseJRLhkgcY867FpEcqNk"
		"thE9E8IhhTQObKg2PpoaRyLN47HEo3r2E3gyoUGAh3ABAw==\n",
	};
	const struct str text = STR_LIT("example.org/log\n3\n"
					"NmQuc8JUCrEh46a/lUWwokmCzYMOsT080Z3jzmwCHsE=\n");
	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct note_signer signer;
		struct error err;
		struct buf out;
		buf_init(&out, 0);
		assert_int_equal(note_signer_parse(&signer, str_of(keys[i]), &err), 0);
		assert_int_equal(note_sign(&signer, text, 1790000000, &out, &err), 0);
		assert_string_equal(out.ptr, lines[i]);
		note_signer_done(&signer);
		buf_done(&out);
	}
}

static void bad_notes_are_refused(void **state)
{
	/* texts that are no notes or no checkpoints */
	static const char *const notes[] = {
		"",
		"text\n",
		"text\n\n",
		"te\x01xt\n\n\xe2\x80\x94 a AAAAAAA=\n",
		"te\xfft\n\n\xe2\x80\x94 a AAAAAAA=\n",
		"text\n\n- a AAAAAAA=\n",
		"text\n\n\xe2\x80\x94 a\n",
		"text\n\n\xe2\x80\x94 a b+ AAAAAAA=\n",
		"text\n\n\xe2\x80\x94 a AAAA\n",
		"text\n\n\xe2\x80\x94 a AAAAAAA=",
	};
	static const char *const checkpoints[] = {
		"",
		"o\n",
		"o\n1\n",
		"\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"o\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"o\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"o\n9223372036854775808\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"o\n1\nAAAA\n",
	};
	struct note note;
	struct note_checkpoint checkpoint;
	struct error err;
	(void)state;
	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
		assert_int_equal(note_parse(str_of(notes[i]), &note, &err), -ERR_INPUT);
	}
	for (size_t i = 0; i < sizeof checkpoints / sizeof checkpoints[0]; i++) {
		assert_int_equal(note_checkpoint_parse(str_of(checkpoints[i]), &checkpoint, &err),
				 -ERR_INPUT);
	}
	static char many[NOTE_MAX_BYTES + 2];
	memset(many, 'a', sizeof many);
	assert_int_equal(note_parse(str_make(many, sizeof many), &note, &err), -ERR_INPUT);
}

static void names_follow_the_rule(void **state)
{
	/* no space of any kind, no plus sign, no control byte, not empty */
	static const char *const good[] = {"a", "example.org/log", "\xc3\xa9"};
	static const char *const bad[] = {"",          "a b",          "a+b", "a\tb",
					  "a\xc2\xa0", "\xe3\x80\x80", "\xff"};
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(note_name_is_valid(str_of(good[i])));
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(note_name_is_valid(str_of(bad[i])));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_verified),
		cmocka_unit_test(any_changed_byte_is_found),
		cmocka_unit_test(keys_come_back),
		cmocka_unit_test(known_key_is_read),
		cmocka_unit_test(documented_example_comes_out),
		cmocka_unit_test(bad_notes_are_refused),
		cmocka_unit_test(names_follow_the_rule),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
