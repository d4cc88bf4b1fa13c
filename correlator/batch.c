#include "correlator/batch.h"

#include "correlator/orders.h"

#define LINE_BYTES 64
#define AHEAD_BYTES \
	4096 /* of one record; a larger one is read long enough for the processor to see it coming */

void batch_read_ahead(const struct keeper_batch *batch, size_t current)
{
	if (current + 2 >= batch->record_count) {
		return;
	}
	struct str bytes = batch->records[current + 2];
	size_t end = bytes.len < AHEAD_BYTES ? bytes.len : AHEAD_BYTES;
	for (size_t at = 0; at < end; at += LINE_BYTES) {
		__builtin_prefetch(bytes.ptr + at);
	}
}

int batch_check(const struct keeper_batch *batch, struct error *err)
{
	const unsigned always = 1u << RECORD_GAP | 1u << RECORD_REJECT;
	const char *name = batch->source->about.name;
	struct record record;
	for (size_t i = 0; i < batch->record_count; i++) {
		batch_read_ahead(batch, i);
		int rc = record_decode(batch->records[i], &record, err);
		if (rc < 0) {
			error_prefix(err, "record %zu of a batch", i);
			if (err != NULL) {
				err->code = ERR_INPUT;
			}
			return -ERR_INPUT;
		}
		if (!str_is(record.source, name)) {
			return error_set(err, ERR_INPUT,
					 "record %zu of a batch is of source %.*s, not %s", i,
					 STR_ARG(record.source), name);
		}
		if (((batch->kinds | always) >> record.kind & 1) == 0) {
			return error_set(err, ERR_INPUT, "record %zu of a batch of %s is a %s", i,
					 name, record_kind_name(record.kind));
		}
		if (record.kind == RECORD_LIFECYCLE && !orders_is_allowed(&record)) {
			return error_set(
				err, ERR_INPUT,
				"record %zu of a batch of %s is no order that a person may "
				"give",
				i, name);
		}
	}
	return 0;
}
