/* Whatever a TDS client sends is read or refused: PRELOGIN, LOGIN7, batches and calls. The first byte chooses which. */
#include "tests/sim/tds-request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0) {
		return 0;
	}
	struct str message = str_make(data + 1, size - 1);
	struct arena arena;
	struct error err;
	struct tds_prelogin prelogin;
	struct tds_login login;
	struct tds_rpc rpc;
	struct str text;
	arena_init(&arena, 1 << 20);
	switch (data[0] % 4) {
	case 0:
		(void)tds_parse_prelogin(message, &prelogin, &err); /* any answer is fine */
		break;
	case 1:
		(void)tds_parse_login(message, &arena, &login, &err); /* any answer is fine */
		break;
	case 2:
		(void)tds_parse_batch(message, &arena, &text, &err); /* any answer is fine */
		break;
	default:
		(void)tds_parse_rpc(message, &arena, &rpc, &err); /* any answer is fine */
		break;
	}
	arena_done(&arena);
	return 0;
}
