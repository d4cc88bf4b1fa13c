/* family - what the texts of statements share with their request: its ids, and the number in its path.
 *
 * Rule:    the ids are the request's texts in family_fields, those that it has, in that order; the number is the last run of digits in its path.
 *          docs/format.md section 9.10.
 * Threads: pure. Tests: tests/unit/block.c
 */
#ifndef STORE_BLOCK_FAMILY_H
#define STORE_BLOCK_FAMILY_H

#include "model/record.h"

#define FAMILY_IDS 4

static const uint8_t family_fields[FAMILY_IDS] = {FIELD_request_id, FIELD_extended_request_id,
						  FIELD_lambda_request_id, FIELD_trace_id};

/* The last run of at most 18 digits in path, or INT64_MIN. */
static inline int64_t family_seed(struct str path)
{
	size_t end = path.len, start;
	int64_t number = 0;
	while (end > 0 && (path.ptr[end - 1] < '0' || path.ptr[end - 1] > '9')) {
		end--;
	}
	for (start = end; start > 0 && path.ptr[start - 1] >= '0' && path.ptr[start - 1] <= '9';) {
		start--;
	}
	if (start == end || end - start > 18) {
		return INT64_MIN;
	}
	for (size_t i = start; i < end; i++) {
		number = number * 10 + (path.ptr[i] - '0');
	}
	return number;
}

#endif
