#include "correlator/lifeorders.h"

#include "base/log.h"
#include "store/erasures.h"
#include "store/holds.h"

#include <stdio.h>

bool lifeorders_is_one(const struct record *record)
{
	struct str event = record_text(record, FIELD_event);
	return record->kind == RECORD_LIFECYCLE &&
	       (str_is(event, LIFEORDERS_HOLD) || str_is(event, LIFEORDERS_RELEASE) ||
		str_is(event, LIFEORDERS_ERASE));
}

static bool has_note(const struct record *record, size_t max)
{
	struct str note = record_text(record, FIELD_note);
	return note.len <= max && str_trim(note).len > 0;
}

static bool is_id(struct str id)
{
	for (size_t i = 0; i < id.len; i++) {
		if ((id.ptr[i] < '0' || id.ptr[i] > '9') && (id.ptr[i] < 'a' || id.ptr[i] > 'f')) {
			return false;
		}
	}
	return id.len == ERASURES_ID_DIGITS;
}

static bool may_erase(const struct record *record)
{
	struct leafset leaves;
	struct str what = record_text(record, FIELD_data_class);
	leafset_init(&leaves);
	bool good = is_id(record_text(record, FIELD_erasure)) &&
		    (str_is(what, "records") || str_is(what, "literals")) &&
		    has_note(record, ERASURES_TEXT_MAX) &&
		    record_text(record, FIELD_filter_digest).len <= ERASURES_HASH_DIGITS &&
		    record_text(record, FIELD_user).len < sizeof((struct erasure *)0)->by &&
		    leafset_decode(record_text(record, FIELD_leaves), &leaves, NULL) == 0 &&
		    leaves.run_count > 0;
	leafset_done(&leaves);
	return good;
}

bool lifeorders_is_allowed(const struct record *record)
{
	struct str event = record_text(record, FIELD_event);
	struct str filter = record_text(record, FIELD_filter);
	if (!lifeorders_is_one(record)) {
		return false;
	}
	if (str_is(event, LIFEORDERS_ERASE)) {
		return may_erase(record);
	}
	bool named = record_source_is_allowed(record_text(record, FIELD_hold)) &&
		     has_note(record, HOLDS_NOTE_MAX) &&
		     record_text(record, FIELD_user).len <= HOLDS_NOTE_MAX;
	return named && (str_is(event, LIFEORDERS_RELEASE) ||
			 (filter.len <= HOLDS_FILTER_MAX && str_trim(filter).len > 0));
}

void lifeorders_strip(struct record *record)
{
	record_unset(record, FIELD_filter);
	record_unset(record, FIELD_leaves);
}

/* What the list of holds does not allow is no fault of the daemon. */
static int tell(int rc, struct error *err)
{
	if (rc == -ERR_INPUT || rc == -ERR_LIMIT) {
		log_error(LOG_LEVEL_WARNING, "order-refused", err);
		error_clear(err);
		return 0;
	}
	return rc;
}

static void copy(struct str text, char *out, size_t size)
{
	(void)snprintf(out, size, "%.*s", STR_ARG(text)); /* is_allowed saw to the length */
}

static int order_erasure(struct store *store, const struct record *order, int64_t now_ns,
			 struct error *err)
{
	struct leafset leaves;
	struct erasure erasure = {.state = ERASURE_ORDERED, .ordered_ns = now_ns};
	struct erasures all;
	leafset_init(&leaves);
	erasures_init(&all);
	erasure.only_literals = str_is(record_text(order, FIELD_data_class), "literals");
	copy(record_text(order, FIELD_erasure), erasure.id, sizeof erasure.id);
	copy(record_text(order, FIELD_filter_digest), erasure.filter_digest,
	     sizeof erasure.filter_digest);
	copy(record_text(order, FIELD_user), erasure.by, sizeof erasure.by);
	copy(record_text(order, FIELD_note), erasure.reason, sizeof erasure.reason);
	int rc = erasures_read(store, &all, err);
	if (rc == 0 && erasures_find(&all, str_of(erasure.id)) != NULL) {
		log_write(LOG_LEVEL_WARNING, "order-refused", "there is an erasure %s already",
			  erasure.id);
	} else if (rc == 0) {
		rc = leafset_decode(record_text(order, FIELD_leaves), &leaves, err);
		erasure.asked = rc == 0 ? leafset_count(&leaves) : 0;
		rc = rc < 0 ? rc : erasures_put_leaves(store, erasure.id, &leaves, err);
		rc = rc < 0 ? rc : erasures_put(store, &erasure, err);
	}
	leafset_done(&leaves);
	erasures_done(&all);
	return rc;
}

int lifeorders_obey(struct store *store, const struct record *order, int64_t now_ns,
		    struct error *err)
{
	struct str event = record_text(order, FIELD_event);
	if (str_is(event, LIFEORDERS_RELEASE)) {
		int rc = holds_remove(store, record_text(order, FIELD_hold), err);
		rc = rc < 0 ? rc : erasures_wake(store, false, err); /* what waited for it */
		return tell(rc, err);
	}
	if (str_is(event, LIFEORDERS_ERASE)) {
		return tell(order_erasure(store, order, now_ns, err), err);
	}
	const struct hold hold = {.name = record_text(order, FIELD_hold),
				  .filter = record_text(order, FIELD_filter),
				  .note = record_text(order, FIELD_note),
				  .by = record_text(order, FIELD_user),
				  .since_ns = order->time_ns};
	return tell(holds_add(store, &hold, err), err);
}
