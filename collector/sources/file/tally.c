#include "collector/sources/file/tally.h"

void tally_init(struct tally *tally, size_t max_lines)
{
	tally->max_lines = max_lines;
	u64map_init(&tally->seen, max_lines + 1);
}

void tally_done(struct tally *tally)
{
	u64map_done(&tally->seen);
}

void tally_clear(struct tally *tally)
{
	u64map_done(&tally->seen);
	u64map_init(&tally->seen, tally->max_lines + 1);
}

int tally_add(struct tally *tally, struct str line, uint32_t *out_ordinal,
	      uint8_t out_key[TALLY_KEY_BYTES], struct error *err)
{
	uint64_t short_key;
	uint32_t ordinal = 0;

	digest_sha256(line, tally->digest);
	memcpy(&short_key, tally->digest, sizeof(short_key));
	uint64_t *count = u64map_get(&tally->seen, short_key);
	if (count != NULL) {
		ordinal = (uint32_t)*count;
		*count = (*count + 1) & UINT32_MAX;
	} else {
		if (tally->seen.entry_count >= tally->max_lines) {
			tally_clear(tally);
		}
		if (u64map_put(&tally->seen, short_key, 1) != 0) {
			return error_set(err, ERR_NOMEM, "no memory to count equal lines");
		}
	}
	memcpy(out_key, tally->digest, 16);
	for (int i = 0; i < 4; i++) {
		out_key[16 + i] = (uint8_t)(ordinal >> (8 * i));
	}
	*out_ordinal = ordinal;
	return 0;
}
