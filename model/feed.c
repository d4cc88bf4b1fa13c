#include "model/feed.h"

#include "base/io.h"
#include "base/note.h"
#include "base/wire.h"
#include "model/alert.h"
#include "model/record.h"

#define HEADER_BYTES 4
#define NAME_BYTES   64   /* program, source type */
#define TEXT_BYTES   4096 /* the sentence of STATUS and ERROR */
#define CODE_MAX     255
#define PROOF_BYTES  (MERKLE_PROOF_MAX * DIGEST_BYTES)

static void put_batch(const struct feed_frame *frame, struct buf *out)
{
	wire_put_u64(out, frame->sequence);
	wire_put_u64(out, (uint64_t)frame->watermark_ns);
	wire_put_u8(out, frame->caught_up ? 1 : 0);
	wire_put_block(out, frame->cursor);
	wire_put_varint(out, frame->record_count);
	for (size_t i = 0; i < frame->record_count; i++) {
		wire_put_block(out, frame->records[i]);
	}
}

static void put_deliveries(const struct feed_frame *frame, struct buf *out)
{
	wire_put_varint(out, frame->delivery_count);
	for (size_t i = 0; i < frame->delivery_count; i++) {
		wire_put_block(out, frame->deliveries[i].channel);
		wire_put_u32(out, frame->deliveries[i].attempts);
		wire_put_u64(out, (uint64_t)frame->deliveries[i].next_ns);
	}
}

static void put_payload(const struct feed_frame *frame, struct buf *out)
{
	switch (frame->type) {
	case FEED_HELLO:
		wire_put_u32(out, FEED_VERSION);
		wire_put_block(out, frame->program);
		wire_put_block(out, frame->source);
		wire_put_block(out, frame->source_type);
		wire_put_u32(out, frame->kinds);
		return;
	case FEED_WELCOME:
		wire_put_u32(out, FEED_VERSION);
		wire_put_block(out, frame->cursor);
		return;
	case FEED_BATCH:
		put_batch(frame, out);
		return;
	case FEED_COMMITTED:
		wire_put_u64(out, frame->sequence);
		wire_put_u64(out, frame->stored);
		wire_put_u64(out, frame->duplicate);
		wire_put_u64(out, frame->rejected);
		return;
	case FEED_STATUS:
		wire_put_u8(out, (uint8_t)frame->state);
		wire_put_block(out, frame->text);
		return;
	case FEED_ERROR:
		wire_put_u32(out, (uint32_t)frame->code);
		wire_put_block(out, frame->text);
		return;
	case FEED_ALERT:
		wire_put_u64(out, frame->sequence);
		wire_put_block(out, frame->alert);
		put_deliveries(frame, out);
		return;
	case FEED_RECEIPT:
		wire_put_u64(out, frame->sequence);
		wire_put_block(out, frame->alert);
		put_deliveries(frame, out);
		wire_put_u8(out, (uint8_t)frame->outcome);
		wire_put_block(out, frame->text);
		return;
	case FEED_CHECKPOINT:
		wire_put_block(out, frame->anchor);
		wire_put_u64(out, frame->size);
		wire_put_u64(out, frame->old_size);
		wire_put_block(out, frame->note);
		wire_put_block(out, frame->proof);
		return;
	case FEED_ANCHORED:
		wire_put_block(out, frame->anchor);
		wire_put_u64(out, frame->size);
		wire_put_u64(out, frame->old_size);
		wire_put_u8(out, (uint8_t)frame->anchored);
		wire_put_block(out, frame->receipt);
		wire_put_block(out, frame->text);
		return;
	}
}

/* What the other side would refuse is not sent. Returns NULL or the limit that is passed.
 * complexity: one case a type of frame */
static const char *passed_limit(const struct feed_frame *frame)
{
	switch (frame->type) {
	case FEED_HELLO:
		if (!record_source_is_allowed(frame->source)) {
			return "a source name that is allowed";
		}
		if (frame->program.len > NAME_BYTES || frame->source_type.len > NAME_BYTES) {
			return "names of 64 bytes";
		}
		break;
	case FEED_BATCH:
		if (frame->record_count > FEED_BATCH_RECORDS) {
			return "8192 records";
		}
		break;
	case FEED_STATUS:
	case FEED_ERROR:
		if (frame->text.len > TEXT_BYTES) {
			return "a sentence of 4096 bytes";
		}
		break;
	case FEED_ALERT:
		if (frame->alert.len > ALERT_MAX_BYTES ||
		    frame->delivery_count > FEED_DELIVERIES_MAX) {
			return "an alert of 1 MiB or 64 deliveries";
		}
		break;
	case FEED_RECEIPT:
		if (frame->text.len > TEXT_BYTES || frame->delivery_count != 1) {
			return "a sentence of 4096 bytes, or other than one delivery";
		}
		break;
	case FEED_CHECKPOINT:
		if (frame->anchor.len > NAME_BYTES || frame->note.len > NOTE_MAX_BYTES ||
		    frame->proof.len > PROOF_BYTES) {
			return "a name of 64 bytes, a checkpoint of 1 MiB or a proof of 63 hashes";
		}
		break;
	case FEED_ANCHORED:
		if (frame->anchor.len > NAME_BYTES || frame->receipt.len > FEED_RECEIPT_MAX ||
		    frame->text.len > TEXT_BYTES) {
			return "a name of 64 bytes, a receipt of 64 KiB or a sentence of 4096 "
			       "bytes";
		}
		break;
	case FEED_WELCOME:
	case FEED_COMMITTED:
		break;
	}
	return frame->cursor.len > FEED_CURSOR_MAX ? "a cursor of 4 MiB" : NULL;
}

int feed_encode(const struct feed_frame *frame, struct buf *out, struct error *err)
{
	const char *limit = passed_limit(frame);
	bool had_failed = out->failed;
	size_t start = out->len;
	size_t length;

	if (limit != NULL) {
		return error_set(err, ERR_LIMIT,
				 "a frame to be sent over the feed has more than %s", limit);
	}
	wire_put_u32(out, 0);
	wire_put_u8(out, (uint8_t)frame->type);
	put_payload(frame, out);
	length = out->len - start - HEADER_BYTES;
	if (out->failed || length > FEED_FRAME_MAX) {
		if (!had_failed) {
			buf_truncate(out, start);
			out->failed = false;
		}
		return error_set(err, ERR_LIMIT,
				 "a frame to be sent over the feed passes %u bytes, or its buffer",
				 FEED_FRAME_MAX);
	}
	for (unsigned i = 0; i < HEADER_BYTES; i++) {
		out->ptr[start + i] = (char)(length >> (8 * i) & 0xff);
	}
	return 0;
}

static const char *read_records(struct wire_reader *reader, struct arena *arena,
				struct feed_frame *frame)
{
	uint64_t count = wire_varint(reader);
	struct str *records;

	if (reader->failed || count > FEED_BATCH_RECORDS) {
		return "a batch with more records than a batch may have";
	}
	if (count > wire_left(reader)) {
		return "a batch that is cut off"; /* before memory is taken for it */
	}
	records = arena_calloc(arena, (size_t)count, sizeof(*records));
	if (records == NULL) {
		return "a batch for which there is no room";
	}
	for (size_t i = 0; i < count; i++) {
		records[i] = wire_block(reader, RECORD_MAX_BYTES);
		if (records[i].len == 0) {
			return "a batch with an empty record, one that is too large, or one cut "
			       "off";
		}
	}
	frame->records = records;
	frame->record_count = (size_t)count;
	return NULL;
}

static const char *read_batch(struct wire_reader *reader, struct arena *arena,
			      struct feed_frame *frame)
{
	uint8_t caught_up;

	frame->sequence = wire_u64(reader);
	frame->watermark_ns = (int64_t)wire_u64(reader);
	caught_up = wire_u8(reader);
	frame->caught_up = caught_up == 1;
	frame->cursor = wire_block(reader, FEED_CURSOR_MAX);
	if (caught_up > 1) {
		return "a yes or no that is neither";
	}
	return reader->failed ? "a batch that is cut off" : read_records(reader, arena, frame);
}

static const char *read_hello(struct wire_reader *reader, struct feed_frame *frame)
{
	if (wire_u32(reader) != FEED_VERSION && !reader->failed) {
		return "a version of the feed that is not spoken here";
	}
	frame->program = wire_block(reader, NAME_BYTES);
	frame->source = wire_block(reader, RECORD_SOURCE_MAX);
	frame->source_type = wire_block(reader, NAME_BYTES);
	frame->kinds = wire_u32(reader);
	return record_source_is_allowed(frame->source) || reader->failed
		       ? NULL
		       : "a source name that is not allowed";
}

static const char *read_deliveries(struct wire_reader *reader, struct arena *arena,
				   struct feed_frame *frame)
{
	uint64_t count = wire_varint(reader);

	if (reader->failed || count > FEED_DELIVERIES_MAX) {
		return "more deliveries than an alert may have";
	}
	struct feed_delivery *deliveries = arena_calloc(arena, (size_t)count, sizeof(*deliveries));
	if (deliveries == NULL && count > 0) {
		return "deliveries for which there is no room";
	}
	for (size_t i = 0; i < count; i++) {
		deliveries[i].channel = wire_block(reader, NAME_BYTES);
		deliveries[i].attempts = wire_u32(reader);
		deliveries[i].next_ns = (int64_t)wire_u64(reader);
	}
	frame->deliveries = deliveries;
	frame->delivery_count = (size_t)count;
	return NULL;
}

static const char *read_alert(struct wire_reader *reader, struct arena *arena,
			      struct feed_frame *frame)
{
	frame->sequence = wire_u64(reader);
	frame->alert = wire_block(reader, ALERT_MAX_BYTES);
	return read_deliveries(reader, arena, frame);
}

static const char *read_receipt(struct wire_reader *reader, struct arena *arena,
				struct feed_frame *frame)
{
	frame->sequence = wire_u64(reader);
	frame->alert = wire_block(reader, ALERT_ID_DIGITS);
	const char *wrong = read_deliveries(reader, arena, frame);
	frame->outcome = (enum feed_outcome)wire_u8(reader);
	frame->text = wire_block(reader, TEXT_BYTES);
	if (wrong != NULL || reader->failed) {
		return wrong;
	}
	bool known = frame->outcome >= FEED_DELIVERED && frame->outcome <= FEED_DEAD;
	return known && frame->delivery_count == 1 ? NULL
						   : "an unknown outcome or not one delivery";
}

static const char *read_checkpoint(struct wire_reader *reader, struct feed_frame *frame)
{
	frame->anchor = wire_block(reader, NAME_BYTES);
	frame->size = wire_u64(reader);
	frame->old_size = wire_u64(reader);
	frame->note = wire_block(reader, NOTE_MAX_BYTES);
	frame->proof = wire_block(reader, PROOF_BYTES);
	return frame->proof.len % DIGEST_BYTES == 0 ? NULL : "a proof that is not made of hashes";
}

static const char *read_anchored(struct wire_reader *reader, struct feed_frame *frame)
{
	frame->anchor = wire_block(reader, NAME_BYTES);
	frame->size = wire_u64(reader);
	frame->old_size = wire_u64(reader);
	frame->anchored = (enum feed_anchored)wire_u8(reader);
	frame->receipt = wire_block(reader, FEED_RECEIPT_MAX);
	frame->text = wire_block(reader, TEXT_BYTES);
	bool known = frame->anchored >= FEED_TAKEN && frame->anchored <= FEED_ANCHOR_FORK;
	return known || reader->failed ? NULL : "an unknown outcome";
}

/* Returns NULL or what is wrong with it. */
static const char *read_payload(struct wire_reader *reader, struct arena *arena,
				struct feed_frame *frame)
{
	uint32_t code;

	switch (frame->type) {
	case FEED_HELLO:
		return read_hello(reader, frame);
	case FEED_WELCOME:
		if (wire_u32(reader) != FEED_VERSION && !reader->failed) {
			return "a version of the feed that is not spoken here";
		}
		frame->cursor = wire_block(reader, FEED_CURSOR_MAX);
		return NULL;
	case FEED_BATCH:
		return read_batch(reader, arena, frame);
	case FEED_COMMITTED:
		frame->sequence = wire_u64(reader);
		frame->stored = wire_u64(reader);
		frame->duplicate = wire_u64(reader);
		frame->rejected = wire_u64(reader);
		return NULL;
	case FEED_STATUS:
		frame->state = (enum feed_state)wire_u8(reader);
		frame->text = wire_block(reader, TEXT_BYTES);
		return frame->state >= FEED_STATE_OK && frame->state <= FEED_STATE_DONE
			       ? NULL
			       : "an unknown state";
	case FEED_ERROR:
		code = wire_u32(reader);
		frame->code = code <= CODE_MAX ? (int)code : 0;
		frame->text = wire_block(reader, TEXT_BYTES);
		return frame->code != 0 ? NULL : "an unknown error code";
	case FEED_ALERT:
		return read_alert(reader, arena, frame);
	case FEED_RECEIPT:
		return read_receipt(reader, arena, frame);
	case FEED_CHECKPOINT:
		return read_checkpoint(reader, frame);
	case FEED_ANCHORED:
		return read_anchored(reader, frame);
	}
	return "an unknown type";
}

/* The length that a frame says it has; 0 and an error when that cannot be. */
static size_t read_length(struct wire_reader *reader, struct error *err)
{
	uint32_t length = wire_u32(reader);

	if (length == 0 || length > FEED_FRAME_MAX) {
		error_set(err, ERR_INPUT, "a frame from the feed says it has %u bytes, not 1 to %u",
			  length, FEED_FRAME_MAX);
		return 0;
	}
	return length;
}

int feed_decode(struct str bytes, struct arena *arena, struct feed_frame *out_frame,
		size_t *out_used, struct error *err)
{
	struct wire_reader reader = wire_reader(bytes);
	struct feed_frame frame = {.watermark_ns = FEED_WATERMARK_NONE};
	const char *wrong;
	size_t length;

	if (bytes.len < HEADER_BYTES) {
		return error_set(err, ERR_AGAIN, "only %zu bytes of a frame have come", bytes.len);
	}
	length = read_length(&reader, err);
	if (length == 0) {
		return -ERR_INPUT;
	}
	if (length > bytes.len - HEADER_BYTES) {
		return error_set(err, ERR_AGAIN, "only %zu of %zu bytes of a frame have come",
				 bytes.len - HEADER_BYTES, length);
	}
	reader = wire_reader(str_slice(bytes, HEADER_BYTES, length));
	frame.type = (enum feed_type)wire_u8(&reader);
	wrong = read_payload(&reader, arena, &frame);
	if (wrong == NULL && (reader.failed || wire_left(&reader) != 0)) {
		wrong = reader.failed ? "a payload that is cut off or not well formed"
				      : "more bytes than its payload";
	}
	if (wrong != NULL) {
		return error_set(err, ERR_INPUT,
				 "a frame from the feed has %s (type %d, byte %zu of %zu)", wrong,
				 (int)frame.type, reader.pos, length);
	}
	*out_frame = frame;
	*out_used = HEADER_BYTES + length;
	return 0;
}

int feed_send(int fd, const struct feed_frame *frame, struct buf *scratch, struct error *err)
{
	int code;

	buf_clear(scratch);
	code = feed_encode(frame, scratch, err);
	return code != 0 ? code : io_write_all(fd, buf_str(scratch), err);
}

int feed_receive(int fd, struct buf *buffer, struct arena *arena, struct feed_frame *out_frame,
		 struct error *err)
{
	char header[HEADER_BYTES];
	struct wire_reader reader = wire_reader(str_make(header, HEADER_BYTES));
	size_t length;
	size_t used;
	int code = io_read_exact(fd, header, HEADER_BYTES, err);

	if (code != 0) {
		return code;
	}
	length = read_length(&reader, err);
	if (length == 0) {
		return -ERR_INPUT;
	}
	buf_clear(buffer);
	buf_put(buffer, header, HEADER_BYTES);
	if (buf_reserve(buffer, length) != 0) {
		return error_set(err, ERR_INPUT, "a frame of %zu bytes is more than this end takes",
				 length);
	}
	code = io_read_exact(fd, buffer->ptr + HEADER_BYTES, length, err);
	if (code == -ERR_AGAIN) { /* the rest would be taken for a frame of its own */
		return error_set(err, ERR_IO, "the other side stopped in the middle of a frame");
	}
	if (code != 0) {
		return code;
	}
	buffer->len = HEADER_BYTES + length;
	buffer->ptr[buffer->len] = '\0';
	code = feed_decode(buf_str(buffer), arena, out_frame, &used, err);
	return code == -ERR_AGAIN ? -ERR_INPUT : code;
}
