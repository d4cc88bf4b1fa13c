#include "store/seal-keys.h"

#include "model/carried.h"
#include "store/id-filter.h"

#include <stdlib.h>
#include <string.h>

int seal_keys_init(struct seal_keys *keys, size_t request_count)
{
	*keys = (struct seal_keys){.request_count = request_count};
	keys->own = calloc(request_count + 1, sizeof keys->own[0]);
	return keys->own != NULL ? 0 : -ERR_NOMEM;
}

void seal_keys_done(struct seal_keys *keys)
{
	free(keys->ids);
	free(keys->records);
	free(keys->own);
	*keys = (struct seal_keys){0};
}

static void put(struct seal_keys *keys, bool is_record, uint64_t key)
{
	uint64_t **list = is_record ? &keys->records : &keys->ids;
	size_t *count = is_record ? &keys->record_count : &keys->id_count;
	size_t *room = is_record ? &keys->record_room : &keys->id_room;
	if (*count == *room) {
		size_t larger = *room * 2 + 1024;
		uint64_t *moved = realloc(*list, larger * sizeof moved[0]);
		if (moved == NULL) {
			keys->failed = true;
			return;
		}
		*list = moved;
		*room = larger;
	}
	(*list)[(*count)++] = key;
}

static void put_request(struct seal_keys *keys, const struct record *record, uint32_t row)
{
	static const enum field fields[SEAL_KEYS_OWN] = {FIELD_request_id,
							 FIELD_extended_request_id,
							 FIELD_lambda_request_id, FIELD_trace_id};
	for (size_t i = 0; i < SEAL_KEYS_OWN; i++) {
		struct str id = record_text(record, fields[i]);
		if (id.len == 0) {
			continue;
		}
		uint64_t key = carried_key(id);
		put(keys, false, key);
		if (row < keys->request_count) {
			keys->own[row][i] = key;
		}
	}
}

static void put_carried(void *owner, struct str id)
{
	struct seal_keys *keys = owner;
	uint64_t key = carried_key(id);
	for (size_t i = 0; keys->parent_keys != NULL && i < SEAL_KEYS_OWN; i++) {
		if (keys->parent_keys[i] == key) {
			return;
		}
	}
	put(keys, false, carried_key_borne(key));
}

static void put_statement(struct seal_keys *keys, const struct record *record, uint32_t parent)
{
	uint64_t session = 0;
	struct str connection = record_text(record, FIELD_connection_id);
	if (connection.len > 0) {
		put(keys, false, carried_key(connection));
	}
	if (record_has(record, FIELD_statement_id)) {
		put(keys, true, carried_key(record_text(record, FIELD_statement_id)));
	}
	keys->parent_keys = parent < keys->request_count ? keys->own[parent] : NULL;
	carried_ids(record, put_carried, keys);
	unsigned marks = carried_marks(record);
	if (marks != 0 && carried_session(record, &session)) {
		for (unsigned mark = CARRIED_WRITES; mark <= CARRIED_RESETS; mark <<= 1) {
			if ((marks & mark) != 0) {
				put(keys, false,
				    carried_key_marks(session, (enum carried_mark)mark));
			}
		}
	}
}

/* The subject of a verdict or alert, by its stable id; that of a verdict on a request stands in its key: "r<id>.<revision>". */
static struct str subject_of(const struct record *record)
{
	if (record_has(record, FIELD_statement_id)) {
		return record_text(record, FIELD_statement_id);
	}
	bool on_request = record->kind == RECORD_VERDICT && record->key.len > RECORD_ID_DIGITS &&
			  record->key.ptr[0] == 'r';
	return on_request ? str_slice(record->key, 1, RECORD_ID_DIGITS) : (struct str){0};
}

void seal_keys_add(struct seal_keys *keys, const struct record *record, uint32_t row,
		   uint32_t parent)
{
	char id[RECORD_ID_DIGITS + 1];
	if (record->kind == RECORD_REQUEST) {
		put_request(keys, record, row);
	} else if (record->kind == RECORD_STATEMENT) {
		put_statement(keys, record, parent);
	}
	if (record->kind == RECORD_VERDICT || record->kind == RECORD_ALERT) {
		struct str subject = subject_of(record);
		if (parent == UINT32_MAX && subject.len > 0) {
			put(keys, false, carried_key_borne(carried_key(subject)));
			keys->has_strays = keys->has_strays || record->kind == RECORD_VERDICT;
		}
	}
	if (record->kind == RECORD_ALERT || record->kind == RECORD_LIFECYCLE) {
		struct str alert = record_text(record, FIELD_alert_id);
		if (alert.len > 0) {
			put(keys, false, carried_key(alert));
		}
	}
	if (record->kind != RECORD_VERDICT) {
		uint64_t stable = keys->stable != 0
					  ? keys->stable
					  : record_stable_number(record->source, record->key);
		record_stable_digits(stable, id);
		put(keys, true, carried_key(str_make(id, RECORD_ID_DIGITS)));
	}
	keys->stable = 0;
}

int seal_keys_finish(struct seal_keys *keys, struct buf *out_ids, struct buf *out_records)
{
	if (keys->failed) {
		return -ERR_NOMEM;
	}
	int rc = id_filter_build(keys->ids, keys->id_count, ID_FILTER_LARGE, out_ids);
	return rc < 0 ? rc
		      : id_filter_build(keys->records, keys->record_count, ID_FILTER_SMALL,
					out_records);
}
