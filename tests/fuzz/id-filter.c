/* Any bytes opened as a filter give a filter whose every question has an answer, or an error. */
#include "store/id-filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct id_filter filter;
	struct error err;
	uint64_t key = 0;
	for (size_t i = 0; i < size && i < sizeof(key); i++) {
		key = key << 8 | data[i];
	}
	if (id_filter_open(str_make((const char *)data, size), &filter, &err) == 0) {
		(void)id_filter_may_hold(&filter, key);
		(void)id_filter_may_hold(&filter, ~key);
	}
	uint64_t keys[16];
	size_t count = size / sizeof(keys[0]) < 16 ? size / sizeof(keys[0]) : 16;
	memcpy(keys, data, count * sizeof(keys[0]));
	struct buf built;
	buf_init(&built, 1 << 16);
	enum id_filter_bits bits = size % 2 == 0 ? ID_FILTER_SMALL : ID_FILTER_LARGE;
	if (id_filter_build(keys, count, bits, &built) == 0) {
		if (id_filter_open(buf_str(&built), &filter, &err) != 0) {
			__builtin_trap();
		}
		for (size_t i = 0; i < count; i++) { /* sorted; the first ones, each once */
			memcpy(&key, data + i * sizeof(key), sizeof(key));
			if (!id_filter_may_hold(&filter, key)) {
				__builtin_trap();
			}
		}
	}
	buf_done(&built);
	return 0;
}
