#include "store/checksum.h"

#define POLYNOMIAL 0x82f63b78u /* Castagnoli, reflected */

/* One step of the polynomial for each of 8 bits, by macro so that the table is made by the compiler. */
#define STEP(c)   (((c) >> 1) ^ (((c)&1) != 0 ? POLYNOMIAL : 0))
#define STEP2(c)  STEP(STEP(c))
#define NIBBLE(c) STEP2(STEP2((uint32_t)(c)))

static const uint32_t nibble_table[16] = {
	NIBBLE(0),  NIBBLE(1),  NIBBLE(2),  NIBBLE(3),  NIBBLE(4),  NIBBLE(5),
	NIBBLE(6),  NIBBLE(7),  NIBBLE(8),  NIBBLE(9),  NIBBLE(10), NIBBLE(11),
	NIBBLE(12), NIBBLE(13), NIBBLE(14), NIBBLE(15),
};

uint32_t checksum_crc32c_portable(struct str bytes)
{
	const uint8_t *at = (const uint8_t *)bytes.ptr;
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < bytes.len; i++) {
		crc ^= at[i];
		crc = (crc >> 4) ^ nibble_table[crc & 15];
		crc = (crc >> 4) ^ nibble_table[crc & 15];
	}
	return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc32c_instruction(struct str bytes)
{
	const char *at = bytes.ptr;
	size_t left = bytes.len;
	uint64_t crc = UINT32_MAX;
	for (; left >= 8; left -= 8, at += 8) {
		uint64_t word = 0;
		memcpy(&word, at, sizeof word);
		crc = __builtin_ia32_crc32di(crc, word);
	}
	uint32_t crc32 = (uint32_t)crc;
	for (; left > 0; left--, at++) {
		crc32 = __builtin_ia32_crc32qi(crc32, (unsigned char)*at);
	}
	return ~crc32;
}

uint32_t checksum_crc32c(struct str bytes)
{
	if (__builtin_cpu_supports("sse4.2")) {
		return crc32c_instruction(bytes);
	}
	return checksum_crc32c_portable(bytes);
}

#else

uint32_t checksum_crc32c(struct str bytes)
{
	return checksum_crc32c_portable(bytes);
}

#endif
