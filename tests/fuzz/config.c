/* Any bytes as configuration: an answer or an error with a place, never a crash. */
#include "model/options.h"

#include <assert.h>
#include <stdint.h>

/* libfyaml 0.7 loses a buffer at some syntax errors; that is not ours to find. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_input input = {.name = "fuzz.yaml", .text = str_make(data, size)};
	struct config *config = NULL;
	struct error err = {0};
	struct buf out;
	buf_init(&out, 1 << 24);
	int result = config_parse(options_schema(), &input, &config, &out, &err);
	assert(result == 0 || (err.text[0] != '\0' && config == NULL));
	if (result == 0) {
		buf_clear(&out);
		config_dump(config, true, &out);
		assert(!out.failed);
	}
	config_free(config);
	buf_done(&out);
	return 0;
}
