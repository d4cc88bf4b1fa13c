#include "store/erasures.h"

#include "base/wire.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY       "erasures"
#define KEY_BYTES 64
#define VERSION   1

#define FLAG_LITERALS 1u
#define FLAG_AGAIN    2u

void erasures_init(struct erasures *erasures)
{
	*erasures = (struct erasures){0};
}

void erasures_done(struct erasures *erasures)
{
	free(erasures->list);
	*erasures = (struct erasures){0};
}

static void read_text(struct wire_reader *reader, char *out, size_t size)
{
	struct str text = wire_block(reader, size - 1);
	memcpy(out, text.len > 0 ? text.ptr : "", text.len);
	out[text.len] = 0;
}

static void read_one(struct wire_reader *reader, struct erasure *out)
{
	read_text(reader, out->id, sizeof out->id);
	uint8_t state = wire_u8(reader);
	uint8_t flags = wire_u8(reader);
	reader->failed = reader->failed || state < ERASURE_ORDERED || state > ERASURE_DONE;
	out->state = (enum erasure_state)state;
	out->only_literals = (flags & FLAG_LITERALS) != 0;
	out->again = (flags & FLAG_AGAIN) != 0;
	out->ordered_ns = (int64_t)wire_u64(reader);
	out->done_ns = (int64_t)wire_u64(reader);
	uint64_t *const numbers[] = {&out->asked, &out->records, &out->blocks,
				     &out->held,  &out->steps,   &out->steps_done};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		*numbers[i] = wire_varint(reader);
	}
	read_text(reader, out->filter_digest, sizeof out->filter_digest);
	read_text(reader, out->by, sizeof out->by);
	read_text(reader, out->held_by, sizeof out->held_by);
	read_text(reader, out->reason, sizeof out->reason);
}

static void put_one(struct buf *out, const struct erasure *erasure)
{
	wire_put_block(out, str_of(erasure->id));
	wire_put_u8(out, (uint8_t)erasure->state);
	wire_put_u8(out, (uint8_t)((erasure->only_literals ? FLAG_LITERALS : 0) |
				   (erasure->again ? FLAG_AGAIN : 0)));
	wire_put_u64(out, (uint64_t)erasure->ordered_ns);
	wire_put_u64(out, (uint64_t)erasure->done_ns);
	wire_put_varint(out, erasure->asked);
	wire_put_varint(out, erasure->records);
	wire_put_varint(out, erasure->blocks);
	wire_put_varint(out, erasure->held);
	wire_put_varint(out, erasure->steps);
	wire_put_varint(out, erasure->steps_done);
	wire_put_block(out, str_of(erasure->filter_digest));
	wire_put_block(out, str_of(erasure->by));
	wire_put_block(out, str_of(erasure->held_by));
	wire_put_block(out, str_of(erasure->reason));
}

/* Makes room for one more. */
static int grow(struct erasures *erasures, struct error *err)
{
	if (erasures->count < erasures->room) {
		return 0;
	}
	if (erasures->count == ERASURES_MAX) {
		return error_set(err, ERR_LIMIT, "a store remembers at most %d erasures",
				 ERASURES_MAX);
	}
	size_t room = erasures->room > 0 ? erasures->room * 2 : 8;
	struct erasure *larger = realloc(erasures->list, room * sizeof *larger);
	if (larger == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the list of erasures");
	}
	erasures->list = larger;
	erasures->room = room;
	return 0;
}

static int read_all(struct erasures *erasures, struct str bytes, struct error *err)
{
	struct wire_reader reader = wire_reader(bytes);
	uint8_t version = wire_u8(&reader);
	int rc = 0;
	while (rc == 0 && !reader.failed && wire_left(&reader) > 0) {
		rc = grow(erasures, err);
		if (rc == 0) {
			read_one(&reader, &erasures->list[erasures->count]);
			erasures->count += reader.failed ? 0 : 1;
		}
	}
	if (rc == 0 && (version != VERSION || reader.failed)) {
		rc = error_set(err, ERR_CORRUPT,
			       "the list of erasures in the catalog is damaged at byte %zu",
			       reader.pos);
	}
	return rc;
}

int erasures_read(struct store *store, struct erasures *erasures, struct error *err)
{
	struct buf bytes;
	buf_init(&bytes, 0);
	erasures->count = 0;
	int rc = store_meta_get(store, KEY, &bytes, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		rc = 0;
	} else if (rc == 0) {
		rc = read_all(erasures, buf_str(&bytes), err);
	}
	buf_done(&bytes);
	return rc;
}

struct erasure *erasures_find(const struct erasures *erasures, struct str id)
{
	for (size_t i = 0; i < erasures->count; i++) {
		if (str_is(id, erasures->list[i].id)) {
			return &erasures->list[i];
		}
	}
	return NULL;
}

int erasures_put(struct store *store, const struct erasure *erasure, struct error *err)
{
	struct erasures all;
	struct buf bytes;
	erasures_init(&all);
	buf_init(&bytes, 0);
	int rc = erasures_read(store, &all, err);
	struct erasure *row = rc == 0 ? erasures_find(&all, str_of(erasure->id)) : NULL;
	if (rc == 0 && row == NULL) {
		rc = grow(&all, err);
		row = rc == 0 ? &all.list[all.count++] : NULL;
	}
	if (row != NULL) {
		*row = *erasure;
		wire_put_u8(&bytes, VERSION);
		for (size_t i = 0; i < all.count; i++) {
			put_one(&bytes, &all.list[i]);
		}
		rc = buf_check(&bytes, "the list of erasures", err);
		rc = rc < 0 ? rc : store_meta_put(store, KEY, buf_str(&bytes), err);
	}
	buf_done(&bytes);
	erasures_done(&all);
	return rc;
}

int erasures_wake(struct store *store, bool only_damaged, struct error *err)
{
	struct erasures all;
	erasures_init(&all);
	int rc = erasures_read(store, &all, err);
	for (size_t i = 0; rc == 0 && i < all.count; i++) {
		struct erasure *row = &all.list[i];
		if (row->state == ERASURE_HELD && (!only_damaged || row->held == 0)) {
			row->state = ERASURE_ORDERED;
			rc = erasures_put(store, row, err);
		}
	}
	erasures_done(&all);
	return rc;
}

static void key_of(const char *id, char out[KEY_BYTES])
{
	(void)snprintf(out, KEY_BYTES, "erasure.%s", id); /* ids have 16 digits */
}

int erasures_put_leaves(struct store *store, const char *id, const struct leafset *leaves,
			struct error *err)
{
	struct buf code;
	char key[KEY_BYTES];
	key_of(id, key);
	buf_init(&code, 0);
	leafset_encode(leaves, &code);
	int rc = buf_check(&code, "the records of an erasure", err);
	rc = rc < 0 ? rc : store_meta_put(store, key, buf_str(&code), err);
	buf_done(&code);
	return rc;
}

int erasures_get_leaves(struct store *store, const char *id, struct leafset *out_leaves,
			struct error *err)
{
	struct buf code;
	char key[KEY_BYTES];
	key_of(id, key);
	buf_init(&code, 0);
	leafset_clear(out_leaves);
	int rc = store_meta_get(store, key, &code, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		rc = 0;
	} else if (rc == 0) {
		rc = leafset_decode(buf_str(&code), out_leaves, err);
	}
	buf_done(&code);
	return rc;
}
