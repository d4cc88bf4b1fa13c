/* Records of any content in any order, with restored verdicts, watermarks and takes between: the join keeps its promises on
 * what it hands out. Input: operations, each one byte, then for a record its length in two bytes and its canonical bytes. */
#include "correlator/join/join.h"

#include "base/wire.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_all(struct join *join)
{
	struct join_verdict verdict;
	while (join_take(join, &verdict)) {
		bool statement = verdict.statement_leaf != JOIN_NO_LEAF;
		bool request = verdict.request_leaf != JOIN_NO_LEAF;
		bool sure = verdict.grade[0] == 'A' || verdict.grade[0] == 'B' ||
			    verdict.grade[0] == 'C';
		assert(statement || verdict.grade[1] == '2');
		assert(!sure || (request && verdict.matched_by[0] != '\0'));
		assert(verdict.reason[0] != '\0');
	}
}

static void do_record(struct join *join, struct wire_reader *reader, bool restore, uint64_t *leaf)
{
	static struct record record;
	struct error err;
	struct str bytes = wire_bytes(reader, wire_u16(reader));
	if (reader->failed || record_decode(bytes, &record, &err) != 0) {
		return;
	}
	if (restore && record.kind == RECORD_VERDICT) {
		(void)join_restore(join, 0, &record, &err); /* a refusal is fine */
	} else {
		(void)join_add(join, (*leaf)++, &record, &err); /* so is a limit */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_reader reader = wire_reader(str_make(data, size));
	struct join_options options = {.tolerance_ns = 100000000,
				       .slack_ns = INT64_C(5000000000),
				       .provisional_ns = 1000,
				       .signing_key = STR_LIT("the key"),
				       .max_records = 64};
	struct join *join = NULL;
	struct error err;
	uint64_t leaf = 0;
	if (join_new(&options, &join, &err) != 0) {
		return 0;
	}
	while (!reader.failed && wire_left(&reader) > 0) {
		switch (wire_u8(&reader) % 6) {
		case 0:
			take_all(join);
			break;
		case 1:
			join_settle(join, (int64_t)wire_u64(&reader), (int64_t)wire_u64(&reader));
			break;
		case 2:
			do_record(join, &reader, true, &leaf);
			break;
		default:
			do_record(join, &reader, false, &leaf);
			break;
		}
	}
	join_settle(join, INT64_MAX, INT64_MAX);
	take_all(join);
	size_t statements, requests;
	join_pending(join, &statements, &requests);
	assert(statements == 0 && requests == 0);
	struct join_clock_estimate estimate[4];
	(void)join_clocks(join, estimate, 4); /* its count is not looked at */
	join_free(join);
	return 0;
}
