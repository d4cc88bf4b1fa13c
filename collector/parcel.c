#include "collector/parcel.h"

#include <stdlib.h>

#define REJECT_RAW_MAX 65536

int parcel_init(struct parcel *parcel, struct error *err)
{
	*parcel = (struct parcel){0};
	/* room for one record of the largest size behind a parcel that is nearly full */
	buf_init(&parcel->bytes, PARCEL_BYTES + RECORD_MAX_BYTES + 64);
	parcel->ends = calloc(FEED_BATCH_RECORDS, sizeof(*parcel->ends));
	parcel->records = calloc(FEED_BATCH_RECORDS, sizeof(*parcel->records));
	if (parcel->ends == NULL || parcel->records == NULL) {
		parcel_done(parcel);
		return error_set(err, ERR_NOMEM, "no memory for the batch of a source");
	}
	return 0;
}

void parcel_done(struct parcel *parcel)
{
	buf_done(&parcel->bytes);
	free(parcel->ends);
	free(parcel->records);
	*parcel = (struct parcel){0};
}

static int put_reject(struct parcel *parcel, const struct record *record, const struct error *why,
		      struct error *err)
{
	struct record reject;

	record_init(&reject, RECORD_REJECT);
	reject.source = record->source;
	reject.key = record->key;
	reject.time_ns = record->time_ns;
	record_set_text(&reject, FIELD_reason, str_of(why->text));
	if (record_has(record, FIELD_raw)) {
		struct str raw = record_text(record, FIELD_raw);
		record_set_text(&reject, FIELD_raw, str_slice(raw, 0, REJECT_RAW_MAX));
	}
	return record_encode(&reject, &parcel->bytes, err);
}

int parcel_fill(struct parcel *parcel, const struct record *records, size_t record_count,
		size_t *io_next, struct error *err)
{
	size_t next = *io_next;

	buf_clear(&parcel->bytes);
	parcel->count = 0;
	while (next < record_count && parcel->count < FEED_BATCH_RECORDS &&
	       parcel->bytes.len < PARCEL_BYTES) {
		struct error why;
		int rc = record_encode(&records[next], &parcel->bytes, &why);
		if (rc != 0) {
			rc = put_reject(parcel, &records[next], &why, err);
		}
		if (rc != 0) {
			return rc;
		}
		parcel->ends[parcel->count++] = parcel->bytes.len;
		next++;
	}
	/* only now: the buffer may have moved while it grew */
	size_t start = 0;
	for (size_t i = 0; i < parcel->count; i++) {
		parcel->records[i] = str_make(parcel->bytes.ptr + start, parcel->ends[i] - start);
		start = parcel->ends[i];
	}
	*io_next = next;
	return 0;
}
