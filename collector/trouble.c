#include "collector/trouble.h"

#include "base/clock.h"

#include <string.h>

bool trouble_add(struct trouble *trouble, const struct error *err, int64_t now_ns)
{
	bool tell = trouble->last.code != err->code;

	if (!tell && strcmp(trouble->last.text, err->text) != 0) {
		/* the old text stays, so that a text that goes on changing is told again a minute later */
		tell = now_ns - trouble->told_ns >= NS_PER_MIN;
	}
	trouble->count++;
	if (tell) {
		trouble->last = *err;
		trouble->told_ns = now_ns;
	}
	return tell;
}

bool trouble_end(struct trouble *trouble, uint64_t *out_count)
{
	bool was = trouble->last.code != 0;

	*out_count = trouble->count;
	error_clear(&trouble->last);
	trouble->count = 0;
	return was;
}
