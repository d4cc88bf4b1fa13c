#include "model/jsontext.h"

#include "base/json.h"

bool jsontext_get(struct str raw, bool has_escapes, struct arena *arena, struct str *out_text)
{
	struct buf text;

	if (!has_escapes) {
		*out_text = raw;
		return true;
	}
	/* no escape is shorter than what it stands for, so the buf never has to grow */
	text = (struct buf){.ptr = arena_alloc(arena, raw.len + 1),
			    .capacity = raw.len + 1,
			    .max_bytes = raw.len};
	if (text.ptr == NULL) {
		return false;
	}
	(void)json_unescape(raw, true,
			    &text); /* lone surrogates are kept, so their number does not matter */
	*out_text = buf_str(&text);
	return true;
}
