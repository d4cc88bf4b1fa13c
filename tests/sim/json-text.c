#include "tests/sim/json-text.h"

#include "base/json.h"

void json_text_put(struct buf *out, struct str s)
{
	json_put_string(out, s);
}
