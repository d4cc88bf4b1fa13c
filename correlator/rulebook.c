#include "correlator/rulebook.h"

#include "base/parse.h"
#include "base/wire.h"

#define OFF         "off"
#define ID_MAX      1024
#define KNOWN_BYTES (64u << 20)
#define NOT_STORED  UINT64_MAX

void rulebook_init(struct rulebook *book)
{
	*book = (struct rulebook){.stored_position = NOT_STORED};
	strmap_init(&book->since, PACK_RULES_MAX);
}

void rulebook_done(struct rulebook *book)
{
	strmap_done(&book->since);
}

/* *out_found is false when the setting is not there. */
static int get(struct store *store, const char *key, struct buf *out, bool *out_found,
	       struct error *err)
{
	int rc = store_meta_get(store, key, out, err);
	*out_found = rc == 0;
	if (rc == -ERR_GONE) {
		error_clear(err);
		return 0;
	}
	return rc;
}

static int damaged(const char *key, struct error *err)
{
	return error_set(err, ERR_CORRUPT, "the store's setting %s is damaged", key);
}

/* *out_ran: rules looked at everything below *out_position. */
static int read_position(struct store *store, uint64_t *out_position, bool *out_ran,
			 struct error *err)
{
	struct buf text;
	buf_init(&text, 64);
	int rc = get(store, RULEBOOK_POSITION_KEY, &text, out_ran, err);
	if (rc == 0 && *out_ran && str_is(buf_str(&text), OFF)) {
		*out_ran = false;
	} else if (rc == 0 && *out_ran &&
		   (!parse_u64(buf_str(&text), out_position) ||
		    *out_position > store_leaf_count(store))) {
		rc = damaged(RULEBOOK_POSITION_KEY, err);
	}
	buf_done(&text);
	return rc;
}

static int read_known(struct store *store, struct buf *bytes, struct strmap *out, struct error *err)
{
	bool found = false;
	int rc = get(store, RULEBOOK_KNOWN_KEY, bytes, &found, err);
	struct wire_reader reader = wire_reader(buf_str(bytes));
	while (rc == 0 && found && wire_left(&reader) > 0) {
		struct str id = wire_block(&reader, ID_MAX);
		uint64_t since = wire_u64(&reader);
		if (reader.failed) {
			return damaged(RULEBOOK_KNOWN_KEY, err);
		}
		if (strmap_put(out, id, since) < 0) {
			return error_set(err, ERR_NOMEM, "no memory for the rules that are known");
		}
	}
	return rc;
}

struct change { /* from the rules before to those of the pack */
	const struct pack *pack;
	const struct strmap *before;
	struct strmap *after;
	bool ran;        /* rules ran until now */
	uint64_t leaves; /* where new ones begin */
};

static int work_out(const struct change *change, struct buf *out, struct error *err)
{
	int rc = 0;
	for (size_t i = 0; i < pack_rule_count(change->pack) && rc == 0; i++) {
		struct str id = pack_rule(change->pack, i)->id;
		const uint64_t *known = change->ran ? strmap_get(change->before, id) : NULL;
		uint64_t since = known != NULL ? *known : change->leaves;
		wire_put_block(out, id);
		wire_put_u64(out, since);
		rc = strmap_put(change->after, id, since);
	}
	if (rc < 0) {
		return error_set(err, ERR_NOMEM, "no memory for the rules that are known");
	}
	return buf_check(out, "the rules that are known", err);
}

int rulebook_use(struct rulebook *book, struct store *store, const struct pack *pack,
		 struct error *err)
{
	struct strmap before, after;
	struct buf stored, known;
	struct change change = {.pack = pack,
				.before = &before,
				.after = &after,
				.leaves = store_leaf_count(store)};
	uint64_t position = 0;
	strmap_init(&before, (size_t)PACK_RULES_MAX * 2);
	strmap_init(&after, PACK_RULES_MAX);
	buf_init(&stored, KNOWN_BYTES);
	buf_init(&known, KNOWN_BYTES);
	int rc = read_position(store, &position, &change.ran, err);
	rc = rc < 0 ? rc : read_known(store, &stored, &before, err);
	rc = rc < 0 ? rc : work_out(&change, &known, err);
	if (rc == 0 && !str_equal(buf_str(&stored), buf_str(&known))) {
		rc = store_meta_put(store, RULEBOOK_KNOWN_KEY, buf_str(&known), err);
	}
	if (rc == 0) {
		strmap_done(&book->since);
		book->since = after;
		book->position = change.ran ? position : change.leaves;
		book->stored_position = change.ran ? position : NOT_STORED;
	} else {
		strmap_done(&after);
	}
	strmap_done(&before);
	buf_done(&stored);
	buf_done(&known);
	return rc;
}

int rulebook_stop(struct store *store, struct error *err)
{
	struct buf text;
	bool found = false;
	buf_init(&text, 64);
	int rc = get(store, RULEBOOK_POSITION_KEY, &text, &found, err);
	if (rc == 0 && found && !str_is(buf_str(&text), OFF)) {
		rc = store_meta_put(store, RULEBOOK_POSITION_KEY, STR_LIT(OFF), err);
	}
	buf_done(&text);
	return rc;
}

uint64_t rulebook_since(const struct rulebook *book, struct str rule_id)
{
	const uint64_t *since = strmap_get(&book->since, rule_id);
	return since != NULL ? *since : UINT64_MAX;
}

int rulebook_put(struct rulebook *book, struct store *store, struct error *err)
{
	struct buf text;
	if (book->position == book->stored_position) {
		return 0;
	}
	buf_init(&text, 64);
	buf_put_u64(&text, book->position);
	int rc = buf_check(&text, "the position of the rules", err);
	rc = rc < 0 ? rc : store_meta_put(store, RULEBOOK_POSITION_KEY, buf_str(&text), err);
	buf_done(&text);
	if (rc == 0) {
		book->stored_position = book->position;
	}
	return rc;
}
