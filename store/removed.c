#include "store/removed.h"

#include "base/parse.h"
#include "store/handle.h"

#include <assert.h>

#define RECORDS_KEY "removed.records"
#define FLOOR_KEY   "removed.floor"

static int damaged(const struct catalog *catalog, const char *key, struct error *err)
{
	return error_set(err, ERR_CORRUPT, "%s: the setting %s is damaged", catalog->path, key);
}

/* A setting; text is empty when there is none. */
static int read_setting(struct catalog *catalog, const char *key, struct buf *text,
			struct error *err)
{
	buf_clear(text);
	int rc = catalog_meta_get(catalog, key, text, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		rc = 0;
	}
	return rc;
}

int removed_read(struct catalog *catalog, struct store_removed *out, struct error *err)
{
	struct store_removed removed = {.floor_ns = INT64_MIN};
	struct buf text;
	buf_init(&text, 64);
	int rc = read_setting(catalog, RECORDS_KEY, &text, err);
	if (rc == 0 && text.len > 0 && !parse_u64(buf_str(&text), &removed.records)) {
		rc = damaged(catalog, RECORDS_KEY, err);
	}
	rc = rc < 0 ? rc : read_setting(catalog, FLOOR_KEY, &text, err);
	if (rc == 0 && text.len > 0 && !parse_i64(buf_str(&text), &removed.floor_ns)) {
		rc = damaged(catalog, FLOOR_KEY, err);
	}
	buf_done(&text);
	if (rc == 0) {
		*out = removed;
	}
	return rc;
}

int removed_add(struct catalog *catalog, uint64_t records, struct error *err)
{
	struct store_removed removed;
	struct buf text;
	int rc = records > 0 ? removed_read(catalog, &removed, err) : 0;
	if (rc < 0 || records == 0) {
		return rc;
	}
	buf_init(&text, 64);
	buf_put_u64(&text, removed.records + records);
	rc = catalog_meta_put(catalog, RECORDS_KEY, buf_str(&text), err);
	buf_done(&text);
	return rc;
}

int store_removed(struct store *store, struct store_removed *out, struct error *err)
{
	return removed_read(store->catalog, out, err);
}

int store_raise_floor(struct store *store, int64_t floor_ns, struct error *err)
{
	struct store_removed removed;
	struct buf text;
	assert(store->writable);
	int rc = removed_read(store->catalog, &removed, err);
	if (rc < 0 || floor_ns <= removed.floor_ns) {
		return rc;
	}
	buf_init(&text, 64);
	buf_put_i64(&text, floor_ns);
	rc = catalog_meta_put(store->catalog, FLOOR_KEY, buf_str(&text), err);
	buf_done(&text);
	return rc;
}
