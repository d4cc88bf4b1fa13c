#include "store/holds.h"

#include "base/wire.h"

#include <stdlib.h>

#define KEY     "holds"
#define VERSION 1

void holds_init(struct holds *holds)
{
	*holds = (struct holds){0};
	buf_init(&holds->bytes, 0);
}

void holds_done(struct holds *holds)
{
	free(holds->list);
	buf_done(&holds->bytes);
	*holds = (struct holds){0};
}

static struct hold read_one(struct wire_reader *reader)
{
	struct hold hold;
	hold.name = wire_block(reader, HOLDS_NAME_MAX);
	hold.filter = wire_block(reader, HOLDS_FILTER_MAX);
	hold.note = wire_block(reader, HOLDS_NOTE_MAX);
	hold.by = wire_block(reader, HOLDS_NOTE_MAX);
	hold.since_ns = (int64_t)wire_u64(reader);
	return hold;
}

static int read_all(struct holds *holds, struct error *err)
{
	struct wire_reader reader = wire_reader(buf_str(&holds->bytes));
	uint8_t version = wire_u8(&reader);
	while (!reader.failed && wire_left(&reader) > 0 && holds->count < HOLDS_MAX) {
		holds->list[holds->count] = read_one(&reader);
		holds->count += reader.failed ? 0 : 1;
	}
	if (version != VERSION || reader.failed || wire_left(&reader) > 0) {
		holds->count = 0;
		return error_set(err, ERR_CORRUPT,
				 "the list of legal holds in the catalog is damaged at byte %zu",
				 reader.pos);
	}
	return 0;
}

int holds_read(struct store *store, struct holds *holds, struct error *err)
{
	holds->count = 0;
	buf_clear(&holds->bytes);
	if (holds->list == NULL) {
		holds->list = calloc(HOLDS_MAX, sizeof holds->list[0]);
	}
	if (holds->list == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the legal holds");
	}
	int rc = store_meta_get(store, KEY, &holds->bytes, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		return 0;
	}
	return rc < 0 ? rc : read_all(holds, err);
}

const struct hold *holds_find(const struct holds *holds, struct str name)
{
	for (size_t i = 0; i < holds->count; i++) {
		if (str_equal(holds->list[i].name, name)) {
			return &holds->list[i];
		}
	}
	return NULL;
}

static void put_one(struct buf *out, const struct hold *hold)
{
	wire_put_block(out, hold->name);
	wire_put_block(out, hold->filter);
	wire_put_block(out, hold->note);
	wire_put_block(out, hold->by);
	wire_put_u64(out, (uint64_t)hold->since_ns);
}

/* Writes the list without one hold (NULL: with all), and another at its end (NULL: none). */
static int write_all(struct store *store, const struct holds *holds, const struct hold *without,
		     const struct hold *with, struct error *err)
{
	struct buf bytes;
	buf_init(&bytes, 0);
	wire_put_u8(&bytes, VERSION);
	for (size_t i = 0; i < holds->count; i++) {
		if (&holds->list[i] != without) {
			put_one(&bytes, &holds->list[i]);
		}
	}
	if (with != NULL) {
		put_one(&bytes, with);
	}
	int rc = buf_check(&bytes, "the legal holds", err);
	rc = rc < 0 ? rc : store_meta_put(store, KEY, buf_str(&bytes), err);
	buf_done(&bytes);
	return rc;
}

int holds_add(struct store *store, const struct hold *hold, struct error *err)
{
	struct holds holds;
	holds_init(&holds);
	int rc = holds_read(store, &holds, err);
	if (rc == 0 && holds_find(&holds, hold->name) != NULL) {
		rc = error_set(err, ERR_INPUT, "there is a legal hold %.*s already",
			       STR_ARG(hold->name));
	} else if (rc == 0 && (holds.count == HOLDS_MAX || !record_source_is_allowed(hold->name) ||
			       hold->filter.len > HOLDS_FILTER_MAX ||
			       hold->note.len > HOLDS_NOTE_MAX || hold->by.len > HOLDS_NOTE_MAX)) {
		rc = error_set(err, ERR_LIMIT,
			       "a legal hold has a name of at most %d letters, digits, dots, "
			       "dashes and underscores, a filter and a note of at most %d bytes, "
			       "and there are at most %d",
			       HOLDS_NAME_MAX, HOLDS_NOTE_MAX, HOLDS_MAX);
	}
	rc = rc < 0 ? rc : write_all(store, &holds, NULL, hold, err);
	holds_done(&holds);
	return rc;
}

int holds_remove(struct store *store, struct str name, struct error *err)
{
	struct holds holds;
	holds_init(&holds);
	int rc = holds_read(store, &holds, err);
	const struct hold *hold = rc == 0 ? holds_find(&holds, name) : NULL;
	if (rc == 0 && hold == NULL) {
		rc = error_set(err, ERR_INPUT, "there is no legal hold %.*s", STR_ARG(name));
	}
	rc = rc < 0 ? rc : write_all(store, &holds, hold, NULL, err);
	holds_done(&holds);
	return rc;
}
