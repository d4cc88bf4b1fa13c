#include "collector/sources/cloudwatch/eventid.h"

#include "base/digest.h"

#define TIMES_AGREE_MS 60000
#define DIGITS_MIN     50 /* fewer cannot hold a time of this century in the highest 8 bytes */

bool eventid_parse(struct str text, uint8_t out[EVENTID_BYTES])
{
	uint8_t bytes[EVENTID_BYTES] = {0};

	if (text.len < DIGITS_MIN || text.len > 63 || text.ptr[0] == '0') {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') {
			return false;
		}
		unsigned carry = (unsigned)(text.ptr[i] - '0');
		for (size_t k = EVENTID_BYTES; k-- > 0;) {
			carry += bytes[k] * 10u;
			bytes[k] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry != 0) {
			return false;
		}
	}
	memcpy(out, bytes, sizeof(bytes));
	return true;
}

static uint64_t read_u64(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++) {
		value = value << 8 | bytes[i];
	}
	return value;
}

size_t eventid_key(struct str text, int64_t timestamp_ms, uint8_t out[RECORD_KEY_MAX],
		   bool *out_exact)
{
	uint8_t bytes[EVENTID_BYTES];

	*out_exact = false;
	if (eventid_parse(text, bytes)) {
		uint64_t time_ms = read_u64(bytes);
		int64_t apart_ms;
		if (time_ms <= INT64_MAX &&
		    !__builtin_sub_overflow((int64_t)time_ms, timestamp_ms, &apart_ms) &&
		    apart_ms <= TIMES_AGREE_MS && apart_ms >= -TIMES_AGREE_MS) {
			memcpy(out, bytes, sizeof(bytes));
			*out_exact = true;
			return sizeof(bytes);
		}
	}
	if (text.len > RECORD_KEY_MAX) {
		digest_sha256(text, out);
		return DIGEST_BYTES;
	}
	if (text.len > 0) {
		memcpy(out, text.ptr, text.len);
	}
	return text.len;
}
