#include "correlator/lifestate.h"

#include "base/wire.h"
#include "store/shelf.h"

#include <stdlib.h>

#define MASKED_KEY  "retention.masked" /* settings of the store: docs/format.md section 10.6 */
#define PARTLY_KEY  "retention.partly"
#define PENDING_KEY "retention.pending"
#define BLOCKS_MAX  (1u << 22)

void retaining_done(struct retaining *retaining)
{
	leafset_done(&retaining->masked);
	leafset_done(&retaining->partly);
	leafset_done(&retaining->alerts);
	leafset_done(&retaining->going);
	u64map_done(&retaining->newest);
	free(retaining->blocks.list);
	*retaining = (struct retaining){0};
}

static int read_numbers(struct store *store, const char *key, struct leafset *out,
			struct error *err)
{
	struct buf code;
	buf_init(&code, 0);
	int rc = store_meta_get(store, key, &code, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		rc = 0;
	} else if (rc == 0 && leafset_decode(buf_str(&code), out, err) < 0) {
		error_clear(err); /* what it knew is found out again */
	}
	buf_done(&code);
	return rc;
}

static int write_numbers(struct store *store, const char *key, const struct leafset *numbers,
			 struct error *err)
{
	struct buf code;
	buf_init(&code, 0);
	leafset_encode(numbers, &code);
	int rc = buf_check(&code, "the numbers of blocks", err);
	rc = rc < 0 ? rc : store_meta_put(store, key, buf_str(&code), err);
	buf_done(&code);
	return rc;
}

static void put_done(struct buf *out, const struct retaining_done *done)
{
	wire_put_varint(out, done->records);
	wire_put_varint(out, done->blocks);
	wire_put_varint(out, done->held);
	wire_put_u64(out, (uint64_t)done->from_ns);
	wire_put_u64(out, (uint64_t)done->to_ns);
}

static void read_done(struct wire_reader *reader, struct retaining_done *out)
{
	out->records = wire_varint(reader);
	out->blocks = wire_varint(reader);
	out->held = wire_varint(reader);
	out->from_ns = (int64_t)wire_u64(reader);
	out->to_ns = (int64_t)wire_u64(reader);
}

int retaining_write_pending(struct life *life, const struct life_block *intent, struct error *err)
{
	struct retaining *retaining = &life->retaining;
	struct buf out;
	buf_init(&out, 4096);
	retaining->intent = intent != NULL ? *intent : (struct life_block){0};
	for (int i = 0; i < RETAIN_CLASSES; i++) {
		put_done(&out, &retaining->done[i]);
	}
	wire_put_u64(&out, retaining->intent.number);
	wire_put_u64(&out, retaining->intent.rows);
	wire_put_u64(&out, (uint64_t)retaining->intent.newest_ns);
	wire_put_u8(&out, (uint8_t)retaining->intent.action);
	int rc = buf_check(&out, "what retention did", err);
	rc = rc < 0 ? rc : store_meta_put(life->store, PENDING_KEY, buf_str(&out), err);
	buf_done(&out);
	return rc;
}

void retaining_note(struct life *life, const struct life_block *block, uint64_t records,
		    uint64_t held)
{
	struct retaining_done *done = &life->retaining.done[block->action];
	bool first = done->records == 0;
	if (records == 0) {
		return;
	}
	done->from_ns =
		first || block->newest_ns < done->from_ns ? block->newest_ns : done->from_ns;
	done->to_ns = first || block->newest_ns > done->to_ns ? block->newest_ns : done->to_ns;
	done->records += records;
	done->held += held;
	done->blocks++;
}

/* What an earlier daemon did and could not tell: also with the block that it had begun, if that is gone. */
static int read_pending(struct life *life, struct error *err)
{
	struct retaining *retaining = &life->retaining;
	struct blocks_row row;
	struct buf bytes;
	buf_init(&bytes, 4096);
	int rc = store_meta_get(life->store, PENDING_KEY, &bytes, err);
	struct wire_reader reader = wire_reader(buf_str(&bytes));
	for (int i = 0; i < RETAIN_CLASSES && rc == 0; i++) {
		read_done(&reader, &retaining->done[i]);
	}
	struct life_block intent = {.number = wire_u64(&reader), .rows = wire_u64(&reader)};
	intent.newest_ns = (int64_t)wire_u64(&reader);
	intent.action = wire_u8(&reader);
	if (rc == -ERR_GONE || reader.failed || intent.action >= RETAIN_CLASSES) {
		memset(retaining->done, 0,
		       sizeof retaining->done); /* there was nothing to be told */
		intent.number = 0;
		rc = rc == -ERR_GONE ? 0 : rc;
	}
	if (rc == 0 && intent.number != 0 &&
	    shelf_row(life->store, intent.number, &row, err) == -ERR_GONE) {
		retaining_note(life, &intent, intent.rows, 0);
	}
	error_clear(err);
	buf_done(&bytes);
	return rc;
}

bool retaining_has_done(const struct retaining *retaining)
{
	uint64_t records = 0;
	for (int i = 0; i < RETAIN_CLASSES; i++) {
		records += retaining->done[i].records;
	}
	return records > 0;
}

int retaining_init(struct life *life, struct error *err)
{
	struct retaining *retaining = &life->retaining;
	u64map_init(&retaining->newest, BLOCKS_MAX);
	int rc = read_numbers(life->store, MASKED_KEY, &retaining->masked, err);
	rc = rc < 0 ? rc : read_numbers(life->store, PARTLY_KEY, &retaining->partly, err);
	return rc < 0 ? rc : read_pending(life, err);
}

int retaining_released(struct life *life, struct error *err)
{
	leafset_clear(&life->retaining.partly);
	return write_numbers(life->store, PARTLY_KEY, &life->retaining.partly, err);
}

int retaining_write_masked(struct life *life, struct error *err)
{
	struct retaining *retaining = &life->retaining;
	leafset_settle(&retaining->masked);
	leafset_settle(&retaining->partly);
	int rc = write_numbers(life->store, MASKED_KEY, &retaining->masked, err);
	return rc < 0 ? rc : write_numbers(life->store, PARTLY_KEY, &retaining->partly, err);
}
