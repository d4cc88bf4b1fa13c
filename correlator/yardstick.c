#include "correlator/yardstick.h"

#include "base/digest.h"
#include "base/wire.h"

#define KEY_LABEL \
	STR_LIT("querytrail join.judged") /* the signing key itself is not hashed into what is stored */

static void put_options(const struct join_options *options, struct buf *out)
{
	wire_put_u64(out, (uint64_t)options->tolerance_ns);
	wire_put_u64(out, (uint64_t)options->slack_ns);
	wire_put_u64(out, (uint64_t)options->provisional_ns);
	wire_put_u8(out, options->require_signature ? 1 : 0);
	uint8_t key[DIGEST_BYTES] = {0};
	if (options->signing_key.len > 0) {
		digest_hmac_sha256(options->signing_key, KEY_LABEL, key);
	}
	wire_put_block(out, str_make(key, sizeof(key)));
	wire_put_varint(out, options->route_count);
	for (size_t i = 0; i < options->route_count; i++) {
		const struct join_route_rule *rule = &options->routes[i];
		wire_put_block(out, rule->route);
		wire_put_varint(out, rule->principal_count);
		for (size_t k = 0; k < rule->principal_count; k++) {
			wire_put_block(out, rule->principals[k]);
		}
	}
	for (size_t i = 0; i < options->clock_count; i++) {
		if (options->clocks[i].offset_ns !=
		    0) { /* else it says nothing, and an import does not name it */
			wire_put_block(out, options->clocks[i].source);
			wire_put_u64(out, (uint64_t)options->clocks[i].offset_ns);
		}
	}
}

int yardstick_take(struct yardstick *yardstick, struct store *store,
		   const struct join_options *options, struct error *err)
{
	static const char digits[] = "0123456789abcdef";
	struct buf text;
	uint8_t digest[DIGEST_BYTES];
	buf_init(&text, 0);
	put_options(options, &text);
	int rc = buf_check(&text, "the join's options", err);
	if (rc == 0) {
		digest_sha256(buf_str(&text), digest);
		for (size_t i = 0; i < YARDSTICK_DIGITS; i++) {
			yardstick->digest[i] = digits[digest[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xf];
		}
		yardstick->digest[YARDSTICK_DIGITS] = '\0';
		buf_clear(&text);
		rc = store_meta_get(store, YARDSTICK_KEY, &text, err);
		bool known = rc == 0;
		rc = rc == -ERR_GONE ? 0 : rc;
		yardstick->stored = known && str_is(buf_str(&text), yardstick->digest);
		yardstick->differs = known && !yardstick->stored;
	}
	buf_done(&text);
	return rc;
}

int yardstick_put(struct yardstick *yardstick, struct store *store, struct error *err)
{
	if (yardstick->stored) {
		return 0;
	}
	int rc = store_meta_put(store, YARDSTICK_KEY, str_of(yardstick->digest), err);
	yardstick->stored = rc == 0;
	return rc;
}
