/* Bytes read as saved shapes give shapes or ERR_CORRUPT, which render or refuse; bytes read as canonical records, or as the raw line of
 * one, come back from what shapes keep of them. */
#include "tests/unit/shape-desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDS_MAX 64

static void check(bool is_so)
{
	if (!is_so) {
		__builtin_trap();
	}
}

/* Renders a record by each shape, with slots that have the right types. */
static void try_saved(struct desk *desk, struct str bytes)
{
	const struct shape_links links = DESK_NO_LINKS;
	uint32_t names[SHAPE_SLOTS_MAX];
	bool is_number[SHAPE_SLOTS_MAX];
	int rc = shapes_restore(desk->shapes, bytes, &desk->err);
	check(rc == 0 || rc == -ERR_CORRUPT);
	for (uint32_t shape = 0; rc == 0 && shape < shapes_count(desk->shapes); shape++) {
		for (unsigned kind = RECORD_REQUEST; kind < RECORD_KIND_COUNT; kind++) {
			struct record record;
			record_init(&record, (enum record_kind)kind);
			record.source = STR_LIT("s");
			record.key = STR_LIT("k");
			desk->fit.shape = shape;
			desk->fit.key_count = 1;
			desk->fit.slot_count = shape_slots(desk->shapes, shape, names, is_number);
			for (size_t i = 0; i < desk->fit.slot_count; i++) {
				desk->fit.slot[i].name = names[i];
				desk->fit.slot[i].is_number = is_number[i];
				desk->fit.slot[i].number = (int64_t)i - 1;
				desk->fit.slot[i].text = str_slice(bytes, i, i % 5);
			}
			int made = shapes_render(desk->shapes, &desk->fit, &links, &desk->arena,
						 &record);
			check(made == 0 || made == -ERR_CORRUPT || made == -ERR_NOMEM);
		}
	}
}

/* Records one behind the other, each behind a u16 length. */
static void try_records(struct desk *desk, const uint8_t *data, size_t size)
{
	const struct shape_links links = {.subject_id = "0123456789abcdef",
					  .subject_kind = RECORD_STATEMENT,
					  .subject_leaf = 1,
					  .request_leaf = 2};
	for (unsigned i = 0; i < RECORDS_MAX && size >= 2; i++) {
		struct record record;
		size_t len = (size_t)data[0] | (size_t)data[1] << 8;
		data += 2;
		size -= 2;
		len = len < size ? len : size;
		if (record_decode(str_make(data, len), &record, &desk->err) == 0) {
			check(desk_check(desk, &record, &links));
		}
		data += len;
		size -= len;
	}
}

/* Lines as an import takes them. */
static void try_lines(struct desk *desk, struct str rest, bool rows)
{
	const struct shape_links links = DESK_NO_LINKS;
	for (unsigned i = 0; i < RECORDS_MAX && rest.ptr != NULL; i++) {
		struct record record;
		struct str line = str_split(&rest, rows ? '\0' : '\n');
		if (line.len > 0 && (rows ? desk_statement(desk, line, i % 2, &record)
					  : desk_request(desk, line, i % 2, &record))) {
			check(desk_check(desk, &record, &links));
		}
	}
}

/* The first byte: what to read the rest as. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct desk desk;
	if (size == 0) {
		return 0;
	}
	desk_begin(&desk);
	switch (data[0] % 4) {
	case 0:
		try_saved(&desk, str_make(data + 1, size - 1));
		break;
	case 1:
		try_records(&desk, data + 1, size - 1);
		break;
	case 2:
		try_lines(&desk, str_make(data + 1, size - 1), false);
		break;
	default:
		try_lines(&desk, str_make(data + 1, size - 1), true);
	}
	desk_end(&desk);
	return 0;
}
