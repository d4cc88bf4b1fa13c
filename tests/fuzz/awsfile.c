/* Any bytes as a shared AWS file: values lie inside it, and a section that has a key exists. */
#include "collector/sources/cloudwatch/awsfile.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const profiles[] = {"default", "work", ""};
	static const char *const keys[] = {"aws_access_key_id", "region", ""};
	struct str text = str_make(data, size);

	for (int i = 0; i < 18; i++) {
		const char *profile = profiles[i % 3];
		bool prefixed = i >= 9;
		struct str value = {0};
		if (awsfile_get(text, profile, prefixed, keys[i / 3 % 3], &value)) {
			assert(awsfile_has(text, profile, prefixed));
			assert(value.len <= text.len);
			assert(str_find_byte(value, '\n', 0) < 0);
		}
	}
	return 0;
}
