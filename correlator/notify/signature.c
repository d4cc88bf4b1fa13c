#include "correlator/notify/signature.h"

#include "base/digest.h"
#include "base/parse.h"

#include <openssl/evp.h>

#define SECRET_MIN   24
#define SECRET_LIMIT 64
#define SEED_BYTES   32
#define PAIR_BYTES   64

static void put_hmac(struct str key, struct str content, struct buf *out)
{
	uint8_t mac[DIGEST_BYTES];

	digest_hmac_sha256(key, content, mac);
	buf_put_text(out, "v1,");
	parse_put_base64(out, str_make(mac, sizeof(mac)));
}

static bool put_ed25519(struct str key, struct str content, struct buf *out)
{
	uint8_t signature[64];
	size_t len = sizeof(signature);
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
						      (const uint8_t *)key.ptr, SEED_BYTES);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool done = pair != NULL && context != NULL &&
		    EVP_DigestSignInit(context, NULL, NULL, NULL, pair) == 1 &&
		    EVP_DigestSign(context, signature, &len, (const uint8_t *)content.ptr,
				   content.len) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pair);
	if (done) {
		buf_put_text(out, "v1a,");
		parse_put_base64(out, str_make(signature, len));
	}
	return done;
}

/* Signs with the key of one line. false when it is none. */
static bool put_one(struct str line, struct str content, struct buf *out)
{
	const struct str secret_prefix = STR_LIT("whsec_");
	const struct str seed_prefix = STR_LIT("whsk_");
	bool is_secret = str_has_prefix(line, secret_prefix);
	struct buf key;
	bool done = false;

	if (!is_secret && !str_has_prefix(line, seed_prefix)) {
		return false;
	}
	size_t prefix_len = is_secret ? secret_prefix.len : seed_prefix.len;
	buf_init(&key, 0);
	if (parse_base64(str_slice(line, prefix_len, line.len), &key)) {
		if (is_secret && key.len >= SECRET_MIN && key.len <= SECRET_LIMIT) {
			put_hmac(buf_str(&key), content, out);
			done = true;
		} else if (!is_secret && (key.len == SEED_BYTES || key.len == PAIR_BYTES)) {
			done = put_ed25519(buf_str(&key), content, out);
		}
	}
	if (key.ptr != NULL) {
		explicit_bzero(key.ptr, key.capacity);
	}
	buf_done(&key);
	return done;
}

int signature_put(struct str keys, struct str content, struct buf *out, struct error *err)
{
	size_t before = out->len;
	unsigned number = 0;
	unsigned count = 0;

	for (struct str rest = keys; rest.ptr != NULL;) {
		struct str line = str_trim(str_split(&rest, '\n'));
		number++;
		if (line.len == 0 || line.ptr[0] == '#') {
			continue;
		}
		if (count > 0) {
			buf_put_byte(out, ' ');
		}
		if (++count > SIGNATURE_KEYS_MAX || !put_one(line, content, out)) {
			buf_truncate(out, before);
			return error_set(
				err, ERR_CONFIG,
				"line %u of the signing secrets is not whsec_ and 24 to 64 "
				"bytes, or whsk_ and 32 or 64 bytes, in Base64 (at most %d "
				"lines)",
				number, SIGNATURE_KEYS_MAX);
		}
	}
	return count > 0 ? 0
			 : error_set(err, ERR_CONFIG, "the file of signing secrets has none in it");
}
