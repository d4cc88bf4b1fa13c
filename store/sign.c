#include "store/sign.h"

#include "base/io.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define HOST_MAX 64

struct sign {
	struct note_signer signers[SIGN_KEYS_MAX];
	size_t count;
	bool has_last;
	struct merkle_head last;
};

void sign_close(struct sign *sign)
{
	if (sign == NULL) {
		return;
	}
	for (size_t i = 0; i < sign->count; i++) {
		note_signer_done(&sign->signers[i]);
	}
	free(sign);
}

/* Errors of a key become errors of the configuration, with the file's name. */
static int blame(struct error *err, const char *path, int rc)
{
	error_prefix(err, "%s", path);
	if (rc != -ERR_INPUT) {
		return rc;
	}
	if (err != NULL) {
		err->code = ERR_CONFIG;
	}
	return -ERR_CONFIG;
}

static int open_key(struct sign *sign, const char *path, struct error *err)
{
	struct secret text;
	struct note_signer *signer = &sign->signers[sign->count];
	secret_init(&text);
	int rc = secret_read(&text, path, err);
	if (rc == 0) {
		rc = note_signer_parse(signer, secret_peek(&text), err);
		rc = rc < 0 ? blame(err, path, rc) : 0;
	}
	secret_done(&text);
	if (rc < 0) {
		return rc;
	}
	sign->count++;
	if (signer->key.type != NOTE_ED25519) {
		return error_set(err, ERR_CONFIG, "%s: a key of this type signs no log", path);
	}
	if (strcmp(signer->key.name, sign->signers[0].key.name) != 0) {
		return error_set(err, ERR_CONFIG,
				 "%s: the key is of the log %s, the first one of %s", path,
				 signer->key.name, sign->signers[0].key.name);
	}
	return 0;
}

int sign_open(const char *const *key_files, size_t count, struct sign **out_sign, struct error *err)
{
	if (count == 0 || count > SIGN_KEYS_MAX) {
		return error_set(err, ERR_CONFIG, "a log is signed by 1 to %d keys, not by %zu",
				 SIGN_KEYS_MAX, count);
	}
	struct sign *sign = calloc(1, sizeof *sign);
	int rc = sign != NULL ? 0 : error_set(err, ERR_NOMEM, "no memory for the log's keys");
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = open_key(sign, key_files[i], err);
	}
	if (rc < 0) {
		sign_close(sign);
		return rc;
	}
	*out_sign = sign;
	return 0;
}

size_t sign_key_count(const struct sign *sign)
{
	return sign->count;
}

const struct note_key *sign_key(const struct sign *sign, size_t index)
{
	assert(index < sign->count);
	return &sign->signers[index].key;
}

void sign_resume(struct sign *sign, const struct merkle_head *last)
{
	sign->last = *last;
	sign->has_last = true;
}

int sign_head(struct sign *sign, const struct merkle_head *head, const struct merkle_proof *proof,
	      struct buf *out_note, struct error *err)
{
	struct merkle_head nothing = {.size = 0};
	digest_sha256((struct str){0}, nothing.root.bytes);
	int rc = merkle_check_tree(sign->has_last ? &sign->last : &nothing, head, proof, err);
	if (rc < 0) {
		error_prefix(err, "the log is not signed");
		return rc;
	}
	const struct note_checkpoint checkpoint = {
		.origin = str_of(sign->signers[0].key.name),
		.head = *head,
	};
	size_t start = out_note->len;
	note_checkpoint_put(&checkpoint, out_note);
	struct buf lines;
	buf_init(&lines, 0);
	struct str text = str_make(out_note->ptr + start, out_note->len - start);
	for (size_t i = 0; i < sign->count && rc == 0; i++) {
		rc = note_sign(&sign->signers[i], text, 0, &lines, err);
	}
	buf_put_byte(out_note, '\n');
	buf_put_str(out_note, buf_str(&lines));
	if (rc == 0 && (out_note->failed || lines.failed)) {
		rc = error_set(err, ERR_NOMEM, "no memory for a checkpoint");
	}
	buf_done(&lines);
	if (rc == 0) {
		sign->last = *head;
		sign->has_last = true;
	}
	return rc;
}

/* HOST/querytrail-XXXXXXXX: no two stores have the same. */
static int make_name(char *out, size_t size, struct error *err)
{
	char host[HOST_MAX + 1] = "";
	uint8_t random[4];
	if (getrandom(random, sizeof random, 0) != sizeof random) {
		return error_errno(err, "the system gives no random bytes");
	}
	(void)gethostname(host, HOST_MAX); /* what fails leaves it empty */
	for (char *at = host; *at != 0; at++) {
		bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
			     (*at >= '0' && *at <= '9') || *at == '.' || *at == '-';
		*at = (char)(plain ? *at : '-');
	}
	(void)snprintf(out, size, "%s/querytrail-%02x%02x%02x%02x",
		       host[0] != 0 ? host : "localhost", random[0], random[1], random[2],
		       random[3]);
	return 0;
}

int sign_make_key(const char *path, const char *name, struct error *err)
{
	char made[HOST_MAX + 32];
	struct note_signer signer;
	struct secret text;
	secret_init(&text);
	int rc = name == NULL ? make_name(made, sizeof made, err) : 0;
	if (rc < 0) {
		return rc;
	}
	rc = note_signer_make(&signer, str_of(name != NULL ? name : made), NOTE_ED25519, err);
	if (rc < 0) {
		return rc;
	}
	rc = note_signer_put(&signer, &text, err);
	rc = rc < 0 ? rc : io_replace_file(path, secret_peek(&text), 0600, err);
	secret_done(&text);
	note_signer_done(&signer);
	return rc;
}
