#include "model/context.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "model/context-part.h"

#include <stdint.h>

#define MAGIC         "qt1 "
#define PAIR_KEY_MAX  16
#define SIGNATURE_MAX 64

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The bytes of a pair's value: printable, and none that ends the text around it in JSON, XML, SQL or key=value lists. */
static bool is_value_byte(char c)
{
	return c > ' ' && c < 0x7f && strchr("\"'<>\\,;{}&", c) == NULL;
}

/* The offset of the first "qt1 " that is not the end of a longer word, or -1. */
static ptrdiff_t find_magic(struct str text)
{
	ptrdiff_t at = str_find(text, STR_LIT(MAGIC), 0);

	while (at > 0 && is_alphanumeric(text.ptr[at - 1])) {
		at = str_find(text, STR_LIT(MAGIC), (size_t)at + 1);
	}
	return at;
}

struct pair {
	struct str key, value;
	size_t end;
};

/* Reads "key=value" at pos; false when there is none. */
static bool read_pair(struct str text, size_t pos, struct pair *out_pair)
{
	size_t equals = pos;
	size_t end;

	while (equals < text.len && is_alphanumeric(text.ptr[equals])) {
		equals++;
	}
	if (equals == pos || equals - pos > PAIR_KEY_MAX || equals == text.len ||
	    text.ptr[equals] != '=') {
		return false;
	}
	for (end = equals + 1; end < text.len && is_value_byte(text.ptr[end]);) {
		end++;
	}
	*out_pair = (struct pair){.key = str_slice(text, pos, equals - pos),
				  .value = str_slice(text, equals + 1, end - equals - 1),
				  .end = end};
	return true;
}

bool context_is_id(struct str text)
{
	if (text.len == 0 || text.len > CONTEXT_ID_MAX) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f) {
			return false;
		}
	}
	return true;
}

/* Sets an id that must not be there yet. An empty one counts as absent. */
static bool set_id(struct str *id, struct str value)
{
	if (value.len == 0) {
		return true;
	}
	if (id->len != 0 || !context_is_id(value)) {
		return false;
	}
	*id = value;
	return true;
}

static bool set_principal(struct context *context, struct str value)
{
	struct buf decoded;
	bool ok;

	buf_init(&decoded, CONTEXT_PRINCIPAL_MAX);
	ok = context->principal_len == 0 && parse_percent(value, &decoded) && !decoded.failed &&
	     decoded.len <= CONTEXT_PRINCIPAL_MAX && utf8_invalid(buf_str(&decoded)) < 0;
	if (ok && decoded.len > 0) {
		memcpy(context->principal, decoded.ptr, decoded.len);
		context->principal_len = decoded.len;
	}
	buf_done(&decoded);
	return ok;
}

static bool set_time(struct context *context, struct str value)
{
	int64_t time_ms;

	if (context->time_ms != 0 || !parse_i64(value, &time_ms) || time_ms <= 0) {
		return false;
	}
	context->time_ms = time_ms;
	return true;
}

static enum context_signature check_signature(struct str key, struct str body, struct str value)
{
	uint8_t expected[DIGEST_BYTES];
	struct buf given;
	bool equal;

	if (key.len == 0) {
		return CONTEXT_SIGNED;
	}
	digest_hmac_sha256(key, body, expected);
	buf_init(&given, SIGNATURE_MAX);
	equal = parse_base64url(value, &given) && !given.failed &&
		digest_equal(buf_str(&given), str_make(expected, DIGEST_BYTES));
	buf_done(&given);
	return equal ? CONTEXT_SIGNATURE_OK : CONTEXT_SIGNATURE_BAD;
}

/* False when the pair makes the value malformed. */
static bool take_pair(struct context *context, const struct pair *pair)
{
	switch (pair->key.len == 1 ? pair->key.ptr[0] : '\0') {
	case 'x':
		return set_id(&context->extended_request_id, pair->value);
	case 'l':
		return set_id(&context->lambda_request_id, pair->value);
	case 'r':
		return set_id(&context->request_id, pair->value);
	case 'p':
		return set_principal(context, pair->value);
	case 't':
		return set_time(context, pair->value);
	default:
		return true;
	}
}

bool context_parse(struct str text, struct str key, struct context *out_context)
{
	struct context context = {.signature = CONTEXT_UNSIGNED};
	ptrdiff_t start = find_magic(text);
	size_t pos;
	struct pair pair;

	if (start < 0) {
		return false;
	}
	text = str_slice(text, (size_t)start, CONTEXT_MAX + 1);
	for (pos = strlen(MAGIC) - 1; pos < text.len && text.ptr[pos] == ' '; pos = pair.end) {
		if (!read_pair(text, pos + 1, &pair)) {
			break;
		}
		if (pair.end > CONTEXT_MAX) {
			return false;
		}
		if (str_is(pair.key, "s")) { /* nothing behind it is covered, so nothing is read */
			context.signature =
				check_signature(key, str_slice(text, 0, pos), pair.value);
			break;
		}
		if (!take_pair(&context, &pair)) {
			return false;
		}
	}
	if (context.extended_request_id.len + context.lambda_request_id.len +
		    context.request_id.len ==
	    0) {
		return false;
	}
	context_publish(&context, out_context);
	return true;
}

void context_publish(const struct context *from, struct context *out_context)
{
	struct str *ids[] = {&out_context->extended_request_id, &out_context->lambda_request_id,
			     &out_context->request_id, &out_context->trace_id};

	*out_context = *from;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		uintptr_t offset = (uintptr_t)ids[i]->ptr - (uintptr_t)from->decoded;

		if (ids[i]->len != 0 && offset < CONTEXT_DECODED_MAX) {
			ids[i]->ptr = out_context->decoded + offset;
		}
	}
}

bool context_keep(struct context *context, struct str *id)
{
	if (id->len > CONTEXT_DECODED_MAX - context->decoded_len) {
		return false;
	}
	if (id->len != 0) {
		memcpy(context->decoded + context->decoded_len, id->ptr, id->len);
		id->ptr = context->decoded + context->decoded_len;
		context->decoded_len += id->len;
	}
	return true;
}

bool context_parse_decoded(struct str text, struct str key, struct context *out_context)
{
	struct context context;

	if (!context_parse(text, key, &context)) {
		return false;
	}
	context.decoded_len = 0;
	if (!context_keep(&context, &context.extended_request_id) ||
	    !context_keep(&context, &context.lambda_request_id) ||
	    !context_keep(&context, &context.request_id)) {
		return false;
	}
	context_publish(&context, out_context);
	return true;
}

static void put_pair(struct buf *out, const char *key, struct str value)
{
	if (value.len != 0) {
		buf_put_text(out, key);
		buf_put_str(out, value);
	}
}

void context_put(const struct context *context, struct str key, struct buf *out)
{
	size_t start = out->len;

	buf_put_text(out, "qt1");
	put_pair(out, " x=", context->extended_request_id);
	put_pair(out, " l=", context->lambda_request_id);
	put_pair(out, " r=", context->request_id);
	if (context->principal_len != 0) {
		buf_put_text(out, " p=");
		parse_put_percent(out, str_make(context->principal, context->principal_len));
	}
	if (context->time_ms != 0) {
		buf_put_text(out, " t=");
		buf_put_i64(out, context->time_ms);
	}
	if (key.len != 0 && !out->failed) {
		uint8_t digest[DIGEST_BYTES];

		digest_hmac_sha256(key, str_slice(buf_str(out), start, out->len - start), digest);
		buf_put_text(out, " s=");
		parse_put_base64url(out, str_make(digest, DIGEST_BYTES));
	}
}
