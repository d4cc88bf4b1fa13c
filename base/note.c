#include "base/note.h"

#include "base/parse.h"
#include "base/utf8.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_BYTES 64
#define TIME_BYTES      8
#define ID_BYTES        4
#define ID_DIGITS       8
#define PRIVATE_PREFIX  "PRIVATE+KEY+"
#define DASH            "\xe2\x80\x94 "

static int wrong(struct error *err, const char *what)
{
	return error_set(err, ERR_INPUT, "%s", what);
}

static bool is_space(uint32_t cp)
{
	return (cp >= 0x09 && cp <= 0x0d) || cp == 0x20 || cp == 0x85 || cp == 0xa0 ||
	       cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 ||
	       cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

bool note_name_is_valid(struct str name)
{
	if (name.len == 0 || name.len > NOTE_NAME_MAX || utf8_invalid(name) >= 0) {
		return false;
	}
	for (size_t pos = 0; pos < name.len;) {
		uint32_t cp = utf8_next(name, &pos);
		if (is_space(cp) || cp == '+' || cp < 0x20 || cp == 0x7f) {
			return false;
		}
	}
	return true;
}

/* The first bytes of SHA-256(name, newline, type, key). */
static uint32_t key_id(struct str name, struct str typed_key)
{
	const struct str parts[] = {name, STR_LIT("\n"), typed_key};
	uint8_t digest[DIGEST_BYTES];
	digest_sha256_parts(parts, 3, digest);
	return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
	       digest[3];
}

static uint32_t id_of(const struct note_key *key)
{
	char typed[1 + NOTE_KEY_BYTES];
	typed[0] = (char)key->type;
	memcpy(typed + 1, key->public_key, NOTE_KEY_BYTES);
	return key_id(str_of(key->name), str_make(typed, sizeof typed));
}

/* NAME+KEYID+BASE64, where the first plus sign ends the name; Base64 may hold others. */
struct key_parts {
	struct str name;
	uint32_t id;
	struct str encoded;
};

static bool split_key(struct str text, struct key_parts *out)
{
	const char *plus = memchr(text.ptr, '+', text.len);
	size_t len = plus != NULL ? (size_t)(plus - text.ptr) : 0;
	if (plus == NULL || text.len < len + 1 + ID_DIGITS + 1 ||
	    text.ptr[len + 1 + ID_DIGITS] != '+') {
		return false;
	}
	struct buf id;
	buf_init(&id, ID_BYTES + 1);
	struct str digits = str_slice(text, len + 1, ID_DIGITS);
	bool fits = parse_hex(digits, &id) && id.len == ID_BYTES;
	out->id = 0;
	for (size_t i = 0; fits && i < ID_BYTES; i++) {
		out->id = out->id << 8 | (uint8_t)id.ptr[i];
	}
	buf_done(&id);
	out->name = str_slice(text, 0, len);
	out->encoded = str_slice(text, len + 2 + ID_DIGITS, text.len);
	return fits && note_name_is_valid(out->name);
}

static void put_name(struct str name, struct note_key *out)
{
	memcpy(out->name, name.ptr, name.len);
	out->name[name.len] = 0;
}

int note_key_parse(struct str text, struct note_key *out, struct error *err)
{
	struct key_parts parts;
	struct buf typed;
	if (text.len > NOTE_VKEY_MAX || !split_key(text, &parts)) {
		return wrong(err, "a public key is NAME+KEYID+BASE64");
	}
	buf_init(&typed, NOTE_VKEY_MAX);
	int rc = parse_base64(parts.encoded, &typed)
			 ? 0
			 : wrong(err, "the public key's last part is not Base64");
	if (rc == 0 && (typed.len != 1 + NOTE_KEY_BYTES ||
			(typed.ptr[0] != NOTE_ED25519 && typed.ptr[0] != NOTE_COSIGNATURE))) {
		rc = wrong(err, "the public key is of a type that is not known (Ed25519 is)");
	}
	if (rc == 0) {
		*out = (struct note_key){.id = parts.id, .type = (enum note_key_type)typed.ptr[0]};
		put_name(parts.name, out);
		memcpy(out->public_key, typed.ptr + 1, NOTE_KEY_BYTES);
		rc = id_of(out) == out->id
			     ? 0
			     : wrong(err, "the public key's id does not fit name and key");
	}
	buf_done(&typed);
	return rc;
}

static void put_id(struct buf *out, uint32_t id)
{
	buf_putf(out, "%08x", id);
}

void note_key_put(const struct note_key *key, struct buf *out)
{
	char typed[1 + NOTE_KEY_BYTES];
	typed[0] = (char)key->type;
	memcpy(typed + 1, key->public_key, NOTE_KEY_BYTES);
	buf_put_text(out, key->name);
	buf_put_byte(out, '+');
	put_id(out, key->id);
	buf_put_byte(out, '+');
	parse_put_base64(out, str_make(typed, sizeof typed));
}

void note_signer_done(struct note_signer *signer)
{
	secret_done(&signer->seed);
}

static EVP_PKEY *private_key(const struct secret *seed)
{
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
					    (const unsigned char *)seed->ptr, seed->len);
}

/* Fills the public half. */
static int complete(struct note_signer *signer, struct error *err)
{
	size_t len = NOTE_KEY_BYTES;
	EVP_PKEY *key = private_key(&signer->seed);
	bool made = key != NULL &&
		    EVP_PKEY_get_raw_public_key(key, signer->key.public_key, &len) == 1 &&
		    len == NOTE_KEY_BYTES;
	EVP_PKEY_free(key);
	signer->key.id = id_of(&signer->key);
	return made ? 0 : error_set(err, ERR_NOMEM, "no memory for a key");
}

int note_signer_make(struct note_signer *signer, struct str name, enum note_key_type type,
		     struct error *err)
{
	uint8_t seed[NOTE_KEY_BYTES];
	*signer = (struct note_signer){.key.type = type};
	secret_init(&signer->seed);
	if (!note_name_is_valid(name)) {
		return wrong(err, "a key's name has 1 to 255 bytes, no space and no plus sign");
	}
	put_name(name, &signer->key);
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	size_t len = sizeof seed;
	bool made = key != NULL && EVP_PKEY_get_raw_private_key(key, seed, &len) == 1;
	EVP_PKEY_free(key);
	int rc = made ? secret_set(&signer->seed, str_make((const char *)seed, len), err)
		      : error_set(err, ERR_IO, "the system gives no key");
	OPENSSL_cleanse(seed, sizeof seed);
	return rc < 0 ? rc : complete(signer, err);
}

static int take_seed(struct note_signer *signer, const struct key_parts *parts, struct error *err)
{
	struct buf typed;
	buf_init(&typed, NOTE_VKEY_MAX);
	int rc = parse_base64(parts->encoded, &typed) && typed.len == 1 + NOTE_KEY_BYTES
			 ? 0
			 : wrong(err, "the private key's last part is no key");
	if (rc == 0 && typed.ptr[0] != NOTE_ED25519 && typed.ptr[0] != NOTE_COSIGNATURE) {
		rc = wrong(err, "the private key is of a type that is not known (Ed25519 is)");
	}
	if (rc == 0) {
		signer->key.type = (enum note_key_type)typed.ptr[0];
		put_name(parts->name, &signer->key);
		rc = secret_set(&signer->seed, str_make(typed.ptr + 1, NOTE_KEY_BYTES), err);
	}
	if (typed.ptr != NULL) {
		OPENSSL_cleanse(typed.ptr, typed.len);
	}
	buf_done(&typed);
	return rc;
}

int note_signer_parse(struct note_signer *signer, struct str text, struct error *err)
{
	struct key_parts parts;
	const size_t prefix = sizeof PRIVATE_PREFIX - 1;
	*signer = (struct note_signer){.key.id = 0};
	secret_init(&signer->seed);
	text = str_trim(text);
	if (text.len < prefix || memcmp(text.ptr, PRIVATE_PREFIX, prefix) != 0 ||
	    !split_key(str_slice(text, prefix, text.len), &parts)) {
		return wrong(err, "a private key is PRIVATE+KEY+NAME+KEYID+BASE64");
	}
	int rc = take_seed(signer, &parts, err);
	rc = rc < 0 ? rc : complete(signer, err);
	if (rc == 0 && signer->key.id != parts.id) {
		rc = wrong(err, "the private key's id does not fit name and key");
	}
	if (rc < 0) {
		note_signer_done(signer);
	}
	return rc;
}

int note_signer_put(const struct note_signer *signer, struct secret *out, struct error *err)
{
	char typed[1 + NOTE_KEY_BYTES];
	struct buf text;
	buf_init(&text, NOTE_VKEY_MAX + 64);
	typed[0] = (char)signer->key.type;
	memcpy(typed + 1, signer->seed.ptr, NOTE_KEY_BYTES);
	buf_putf(&text, PRIVATE_PREFIX "%s+%08x+", signer->key.name, signer->key.id);
	parse_put_base64(&text, str_make(typed, sizeof typed));
	buf_put_byte(&text, '\n');
	int rc = text.failed ? error_set(err, ERR_NOMEM, "no memory for a key")
			     : secret_set(out, buf_str(&text), err);
	OPENSSL_cleanse(typed, sizeof typed);
	if (text.ptr != NULL) {
		OPENSSL_cleanse(text.ptr, text.len);
	}
	buf_done(&text);
	return rc;
}

/* The text of a note: UTF-8, its last byte a newline, no other control bytes. */
static int check_text(struct str text, struct error *err)
{
	if (text.len == 0 || text.ptr[text.len - 1] != '\n') {
		return wrong(err, "a note's text does not end with a newline");
	}
	if (text.len > NOTE_MAX_BYTES) {
		return wrong(err, "a note is too long");
	}
	if (utf8_invalid(text) >= 0) {
		return wrong(err, "a note's text is not UTF-8");
	}
	for (size_t i = 0; i < text.len; i++) {
		if ((uint8_t)text.ptr[i] < 0x20 && text.ptr[i] != '\n') {
			return wrong(err, "a note's text holds a control byte");
		}
	}
	return 0;
}

/* One line with its newline: dash, name, space, Base64. */
static int parse_line(struct str line, struct note_signature *out, struct error *err)
{
	const size_t dash = sizeof DASH - 1;
	const char *space = line.len > dash && memcmp(line.ptr, DASH, dash) == 0
				    ? memchr(line.ptr + dash, ' ', line.len - dash)
				    : NULL;
	if (space == NULL) {
		return wrong(err, "a note's signature line is not \"\xe2\x80\x94 NAME BASE64\"");
	}
	size_t at = (size_t)(space - line.ptr);
	*out = (struct note_signature){
		.name = str_slice(line, dash, at - dash),
		.encoded = str_slice(line, at + 1, line.len - at - 2),
		.line = line,
	};
	struct buf bytes;
	buf_init(&bytes, NOTE_MAX_BYTES);
	bool fits = note_name_is_valid(out->name) && parse_base64(out->encoded, &bytes) &&
		    bytes.len > ID_BYTES;
	for (size_t i = 0; fits && i < ID_BYTES; i++) {
		out->id = out->id << 8 | (uint8_t)bytes.ptr[i];
	}
	buf_done(&bytes);
	return fits ? 0 : wrong(err, "a note's signature line is not whole");
}

/* Where the signatures begin: behind the last empty line; 0: there is none. */
static size_t find_signatures(struct str bytes)
{
	for (size_t i = bytes.len; i-- > 1;) {
		if (bytes.ptr[i] == '\n' && bytes.ptr[i - 1] == '\n') {
			return i + 1;
		}
	}
	return 0;
}

int note_parse(struct str bytes, struct note *out, struct error *err)
{
	if (bytes.len > NOTE_MAX_BYTES) {
		return wrong(err, "a note is too long");
	}
	size_t start = find_signatures(bytes);
	if (start == 0 || start == bytes.len || bytes.ptr[bytes.len - 1] != '\n') {
		return wrong(err, "a note has no signatures behind an empty line");
	}
	out->text = str_slice(bytes, 0, start - 1);
	out->signature_count = 0;
	int rc = check_text(out->text, err);
	while (rc == 0 && start < bytes.len) {
		const char *end = memchr(bytes.ptr + start, '\n', bytes.len - start);
		size_t next = (size_t)(end - bytes.ptr) + 1; /* the last byte is one */
		if (out->signature_count == NOTE_SIGNATURES_MAX) {
			return wrong(err, "a note has too many signatures");
		}
		rc = parse_line(str_slice(bytes, start, next - start),
				&out->signatures[out->signature_count++], err);
		start = next;
	}
	return rc;
}

static bool ed25519_verify(const struct note_key *key, struct str message, const void *signature)
{
	EVP_PKEY *public_key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->public_key,
							   NOTE_KEY_BYTES);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool fits = public_key != NULL && ctx != NULL &&
		    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public_key) == 1 &&
		    EVP_DigestVerify(ctx, signature, SIGNATURE_BYTES,
				     (const unsigned char *)message.ptr, message.len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(public_key);
	return fits;
}

/* What a witness signs. */
static void put_cosigned(struct buf *out, uint64_t time_s, struct str text)
{
	buf_putf(out, "cosignature/v1\ntime %llu\n", (unsigned long long)time_s);
	buf_put_str(out, text);
}

static bool verify_one(const struct note_key *key, struct str text, struct str bytes,
		       int64_t *out_time_s)
{
	*out_time_s = 0;
	if (key->type == NOTE_ED25519) {
		return bytes.len == SIGNATURE_BYTES && ed25519_verify(key, text, bytes.ptr);
	}
	uint64_t time_s = 0;
	if (bytes.len != TIME_BYTES + SIGNATURE_BYTES) {
		return false;
	}
	for (size_t i = 0; i < TIME_BYTES; i++) {
		time_s = time_s << 8 | (uint8_t)bytes.ptr[i];
	}
	struct buf message;
	buf_init(&message, 2 * (size_t)NOTE_MAX_BYTES);
	put_cosigned(&message, time_s, text);
	bool fits = time_s <= INT64_MAX && !message.failed &&
		    ed25519_verify(key, buf_str(&message), bytes.ptr + TIME_BYTES);
	buf_done(&message);
	*out_time_s = fits ? (int64_t)time_s : 0;
	return fits;
}

int note_verify(const struct note *note, const struct note_key *key, int64_t *out_time_s,
		struct error *err)
{
	int64_t time_s = 0;
	bool found = false;
	for (size_t i = 0; i < note->signature_count; i++) {
		const struct note_signature *signature = &note->signatures[i];
		if (signature->id != key->id || !str_is(signature->name, key->name)) {
			continue;
		}
		struct buf bytes;
		buf_init(&bytes, NOTE_MAX_BYTES);
		bool fits = parse_base64(signature->encoded, &bytes) &&
			    verify_one(key, note->text,
				       str_slice(buf_str(&bytes), ID_BYTES, bytes.len), &time_s);
		buf_done(&bytes);
		if (!fits) {
			return error_set(err, ERR_INPUT, "the signature of %s is wrong", key->name);
		}
		found = true;
	}
	if (!found) {
		return error_set(err, ERR_GONE, "%s did not sign", key->name);
	}
	if (out_time_s != NULL) {
		*out_time_s = time_s;
	}
	return 0;
}

static bool ed25519_sign(const struct note_signer *signer, struct str message,
			 uint8_t out[SIGNATURE_BYTES])
{
	size_t len = SIGNATURE_BYTES;
	EVP_PKEY *key = private_key(&signer->seed);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool made =
		key != NULL && ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestSign(ctx, out, &len, (const unsigned char *)message.ptr, message.len) ==
			1 &&
		len == SIGNATURE_BYTES;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return made;
}

static void put_big_endian(uint8_t *out, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i) & 0xff);
	}
}

int note_sign(const struct note_signer *signer, struct str text, int64_t time_s, struct buf *out,
	      struct error *err)
{
	uint8_t bytes[ID_BYTES + TIME_BYTES + SIGNATURE_BYTES];
	size_t len = ID_BYTES;
	struct buf message;
	int rc = check_text(text, err);
	if (rc < 0) {
		return rc;
	}
	buf_init(&message, 2 * (size_t)NOTE_MAX_BYTES);
	put_big_endian(bytes, signer->key.id, ID_BYTES);
	if (signer->key.type == NOTE_COSIGNATURE) {
		put_cosigned(&message, (uint64_t)time_s, text);
		put_big_endian(bytes + len, (uint64_t)time_s, TIME_BYTES);
		len += TIME_BYTES;
	} else {
		buf_put_str(&message, text);
	}
	bool made = !message.failed && ed25519_sign(signer, buf_str(&message), bytes + len);
	buf_done(&message);
	if (!made) {
		return error_set(err, ERR_NOMEM, "no memory for a signature");
	}
	buf_put_text(out, DASH);
	buf_put_text(out, signer->key.name);
	buf_put_byte(out, ' ');
	parse_put_base64(out, str_make((const char *)bytes, len + SIGNATURE_BYTES));
	buf_put_byte(out, '\n');
	return 0;
}

/* The text up to the next newline, and moves behind it. */
static bool next_line(struct str *text, struct str *out)
{
	const char *end = text->len > 0 ? memchr(text->ptr, '\n', text->len) : NULL;
	if (end == NULL) {
		return false;
	}
	size_t len = (size_t)(end - text->ptr);
	*out = str_slice(*text, 0, len);
	*text = str_slice(*text, len + 1, text->len);
	return true;
}

int note_checkpoint_parse(struct str text, struct note_checkpoint *out, struct error *err)
{
	struct str size, root;
	struct buf bytes;
	int rc = check_text(text, err);
	if (rc < 0) {
		return rc;
	}
	if (!next_line(&text, &out->origin) || !next_line(&text, &size) ||
	    !next_line(&text, &root)) {
		return wrong(err, "a checkpoint has three lines or more");
	}
	if (out->origin.len == 0) {
		return wrong(err, "a checkpoint has no origin");
	}
	if (!parse_u64(size, &out->head.size) || out->head.size > INT64_MAX ||
	    (size.len > 1 && size.ptr[0] == '0')) {
		return wrong(err, "a checkpoint's size is no number");
	}
	buf_init(&bytes, 64);
	bool fits = parse_base64(root, &bytes) && bytes.len == DIGEST_BYTES;
	if (fits) {
		memcpy(out->head.root.bytes, bytes.ptr, DIGEST_BYTES);
	}
	buf_done(&bytes);
	out->extension = text;
	return fits ? 0 : wrong(err, "a checkpoint's root is no Base64 of 32 bytes");
}

void note_checkpoint_put(const struct note_checkpoint *checkpoint, struct buf *out)
{
	buf_put_str(out, checkpoint->origin);
	buf_putf(out, "\n%llu\n", (unsigned long long)checkpoint->head.size);
	parse_put_base64(out, str_make((const char *)checkpoint->head.root.bytes, DIGEST_BYTES));
	buf_put_byte(out, '\n');
	buf_put_str(out, checkpoint->extension);
}
