#include "query/group.h"

#include "base/clock.h"
#include "base/wire.h"
#include "query/group-blocks.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_MAX ((size_t)1 << 30)

static int unknown_field(struct str name, struct error *err)
{
	const char *refusal = word_refusal(name);
	const char *near = word_nearest(name);
	if (refusal != NULL) {
		return error_set(err, ERR_USAGE, "statements can't be grouped by \"%.*s\": %s",
				 STR_ARG(name), refusal);
	}
	if (near != NULL) {
		return error_set(err, ERR_USAGE, "unknown field \"%.*s\"; did you mean \"%s\"?",
				 STR_ARG(name), near);
	}
	return error_set(err, ERR_USAGE,
			 "unknown field \"%.*s\"; \"querytrail help filter\" lists them",
			 STR_ARG(name));
}

static int read_field(struct str name, struct group_field *out, struct error *err)
{
	struct word word;
	if (!word_find(name, &word)) {
		return unknown_field(name, err);
	}
	*out = (struct group_field){.column_count = word.place_count};
	(void)snprintf(out->name, sizeof(out->name), "%s", word.name); /* words are short */
	for (size_t i = 0; i < word.place_count; i++) {
		out->column[i] = (struct trail_column){.side = word.place[i].side,
						       .field = word.place[i].field};
	}
	return 0;
}

int group_fields_read(struct str text, struct group_field out_fields[GROUP_FIELDS_MAX],
		      size_t *out_count, struct error *err)
{
	size_t count = 0;
	for (struct str rest = text; rest.ptr != NULL && count <= GROUP_FIELDS_MAX;) {
		bool is_last = memchr(rest.ptr, ',', rest.len) == NULL;
		struct str name = str_trim(str_split(&rest, ','));
		if (count == GROUP_FIELDS_MAX) {
			return error_set(err, ERR_USAGE,
					 "statements can be grouped by at most %d fields",
					 GROUP_FIELDS_MAX);
		}
		int result = read_field(name, &out_fields[count], err);
		if (result != 0) {
			return result;
		}
		count++;
		if (is_last) {
			break;
		}
	}
	*out_count = count;
	return 0;
}

void group_set_init(struct group_set *groups, const struct group_field *fields, size_t field_count)
{
	*groups = (struct group_set){.fields = fields, .field_count = field_count};
	arena_init(&groups->arena, ARENA_MAX);
	strmap_init(&groups->index, GROUPS_MAX + 1);
	buf_init(&groups->key, 0);
}

void group_set_done(struct group_set *groups)
{
	arena_done(&groups->arena);
	strmap_done(&groups->index);
	buf_done(&groups->key);
	free(groups->group);
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for so many groups; narrow the question");
}

static int make_group(struct group_set *groups, const struct str *values, struct group **out,
		      struct error *err)
{
	if (groups->count == GROUPS_MAX) {
		return error_set(err, ERR_LIMIT,
				 "there are more than %u groups; narrow the question", GROUPS_MAX);
	}
	if (groups->count == groups->room) {
		size_t room = groups->room > 0 ? groups->room * 2 : 256;
		struct group *larger = realloc(groups->group, room * sizeof(*larger));
		if (larger == NULL) {
			return no_memory(err);
		}
		groups->group = larger;
		groups->room = room;
	}
	struct group *group = &groups->group[groups->count];
	*group = (struct group){0};
	for (size_t i = 0; i < groups->field_count; i++) {
		if (values[i].ptr != NULL &&
		    arena_str(&groups->arena, values[i], &group->value[i]) != 0) {
			return no_memory(err);
		}
	}
	if (strmap_put(&groups->index, buf_str(&groups->key), groups->count) != 0) {
		return no_memory(err);
	}
	groups->count++;
	*out = group;
	return 0;
}

int group_set_add(struct group_set *groups, const struct str *values, uint64_t statements,
		  struct error *err)
{
	buf_clear(&groups->key);
	for (size_t i = 0; i < groups->field_count; i++) {
		wire_put_u8(&groups->key, values[i].ptr != NULL ? 1 : 0);
		wire_put_block(&groups->key, values[i]);
	}
	if (groups->key.failed) {
		return no_memory(err);
	}
	const uint64_t *place = strmap_get(&groups->index, buf_str(&groups->key));
	struct group *group = NULL;
	if (place != NULL) {
		group = &groups->group[*place];
	} else {
		int result = make_group(groups, values, &group, err);
		if (result != 0) {
			return result;
		}
	}
	group->statements += statements;
	groups->statements += statements;
	return 0;
}

struct str group_value(const struct group_field *field, const struct trail *trail, struct buf *room)
{
	for (size_t i = 0; i < field->column_count; i++) {
		struct trail_value value = trail_value(trail, &field->column[i]);
		buf_clear(room);
		switch (value.type) {
		case TRAIL_ABSENT:
			continue;
		case TRAIL_TEXT:
		case TRAIL_BYTES:
			return value.text.ptr != NULL ? value.text : str_make("", 0);
		case TRAIL_NUMBER:
			buf_put_i64(room, value.number);
			return buf_str(room);
		case TRAIL_TIME:
			clock_put_rfc3339(room, value.number, 9);
			return buf_str(room);
		case TRAIL_BOOL:
			return value.number != 0 ? STR_LIT("true") : STR_LIT("false");
		}
	}
	return (struct str){NULL, 0};
}

/* Counts rows of `who`. */
static int add_rows(struct group_set *groups, struct store *store, struct run_result *found,
		    struct error *err)
{
	struct trail_reader reader;
	struct trail trail;
	struct buf room[GROUP_FIELDS_MAX];
	struct str values[GROUP_FIELDS_MAX];
	int result = trail_reader_open(&reader, store, err);
	if (result != 0) {
		return result;
	}
	for (size_t i = 0; i < GROUP_FIELDS_MAX; i++) {
		buf_init(&room[i], 0);
	}
	for (size_t i = 0; result == 0 && i < found->row_count; i++) {
		struct error local;
		result = trail_read(&reader, &found->rows[i], &trail, &local);
		if ((result == -ERR_CORRUPT || result == -ERR_GONE) && found->damage[0] == '\0') {
			memcpy(found->damage, local.text, sizeof(found->damage));
			found->stats.blocks_damaged++;
		}
		if (result == -ERR_GONE) {
			result = 0;
			continue;
		}
		if (result != 0 && result != -ERR_CORRUPT) {
			result = error_set(err, (enum error_code)local.code, "%s", local.text);
			break;
		}
		for (size_t f = 0; f < groups->field_count; f++) {
			values[f] = group_value(&groups->fields[f], &trail, &room[f]);
		}
		result = group_set_add(groups, values, 1, err);
	}
	for (size_t i = 0; i < GROUP_FIELDS_MAX; i++) {
		buf_done(&room[i]);
	}
	trail_reader_close(&reader);
	return result;
}

int group_set_run(struct group_set *groups, struct store *store, const struct plan *plan,
		  struct run_result *out_result, struct error *err)
{
	struct scan_fetch *snapshot = NULL; /* all parts see the same commits */
	struct buf apart;
	*out_result = (struct run_result){0};
	int result = scan_fetch_open(store, &snapshot, err);
	if (result != 0) {
		return result;
	}
	buf_init(&apart, 0);
	result = group_blocks_apart(store, plan->lone_requests, &apart, err);
	struct run_part part = {.blocks = SCAN_NOT_WHOLE,
				.apart = (const uint64_t *)(const void *)apart.ptr,
				.apart_count = apart.len / sizeof(uint64_t)};
	if (result == 0) {
		result = run_plan_part(store, plan, &part, out_result, err);
	}
	if (result == 0) {
		result = add_rows(groups, store, out_result, err);
	}
	if (result == 0) {
		struct group_ask ask = {store, plan, &part};
		result = group_blocks_run(groups, &ask, out_result, err);
	}
	if (result != 0) {
		run_result_clear(out_result);
	}
	buf_done(&apart);
	scan_fetch_close(snapshot);
	return result;
}

static int compare_values(const struct group *a, const struct group *b)
{
	for (size_t i = 0; i < GROUP_FIELDS_MAX; i++) {
		if (a->value[i].ptr == NULL || b->value[i].ptr == NULL) {
			if (a->value[i].ptr != b->value[i].ptr) {
				return a->value[i].ptr == NULL ? 1 : -1;
			}
			continue;
		}
		int order = str_compare(a->value[i], b->value[i]);
		if (order != 0) {
			return order;
		}
	}
	return 0;
}

static int compare_groups(const void *left, const void *right)
{
	const struct group *a = left;
	const struct group *b = right;
	if (a->statements != b->statements) {
		return a->statements > b->statements ? -1 : 1;
	}
	return compare_values(a, b);
}

void group_set_sort(struct group_set *groups)
{
	if (groups->count > 1) {
		qsort(groups->group, groups->count, sizeof(groups->group[0]), compare_groups);
	}
	strmap_done(&groups->index); /* places have changed */
	strmap_init(&groups->index, GROUPS_MAX + 1);
}
