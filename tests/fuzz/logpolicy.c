/* Every policy is read or refused with a line; one that is read trusts no note that nobody signed. */
#include "base/logpolicy.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct note note;
	struct logpolicy *policy = NULL;
	struct logpolicy_verdict verdict;
	struct error err;
	if (logpolicy_parse(str_make(data, size), &policy, &err) != 0) {
		assert(err.text[0] != 0);
		return 0;
	}
	assert(logpolicy_logs(policy) > 0);
	static const char bytes[] = "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
				    "\xe2\x80\x94 o AAAAAAA=\n";
	assert(note_parse(str_of(bytes), &note, &err) == 0);
	assert(logpolicy_check(policy, &note, &verdict, &err) != 0);
	logpolicy_free(policy);
	return 0;
}
