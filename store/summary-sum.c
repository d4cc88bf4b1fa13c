#include "base/wire.h"
#include "store/summary-inner.h"

#include <stdlib.h>

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the summary of several blocks");
}

static int compare_values(const void *left, const void *right)
{
	const struct summary_value *a = left;
	const struct summary_value *b = right;
	return str_compare(a->value, b->value);
}

/* Adds up equal neighbours of sorted values; returns how many there are then. */
static size_t fold(struct summary_value *values, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && str_equal(values[kept - 1].value, values[i].value)) {
			values[kept - 1].rows += values[i].rows;
			values[kept - 1].statements += values[i].statements;
		} else {
			values[kept++] = values[i];
		}
	}
	return kept;
}

/* The values of a column in all summaries. */
struct sum {
	struct summary_value *values;
	size_t count;
	uint64_t absent_rows, absent_statements;
	bool is_known;
};

static int add_up(const struct summary_set *set, size_t index, struct sum *out, struct error *err)
{
	struct summary_column column = summary_column_at(index);
	struct summary_field field;
	size_t room = 0;
	*out = (struct sum){.is_known = true};
	for (size_t i = 0; i < set->count && out->is_known; i++) {
		out->is_known = summary_field(set->items[i], column.kind, column.field, &field);
		room += out->is_known ? field.count : 0;
	}
	out->values = calloc(room + 1, sizeof out->values[0]);
	if (out->values == NULL) {
		return no_memory(err);
	}
	for (size_t i = 0; i < set->count && out->is_known; i++) {
		(void)summary_field(set->items[i], column.kind, column.field, &field); /* it is */
		out->absent_rows += field.absent_rows;
		out->absent_statements += field.absent_statements;
		for (size_t v = 0; v < field.count; v++) {
			out->values[out->count++] = (struct summary_value){
				field.values[v], field.rows[v],
				field.statements != NULL ? field.statements[v] : 0};
		}
	}
	qsort(out->values, out->count, sizeof out->values[0], compare_values);
	out->count = fold(out->values, out->count);
	out->is_known = out->is_known && out->count <= SUMMARY_VALUES_MAX;
	return 0;
}

static int put_column(struct streams_writer *writer, const struct summary_set *set, size_t index,
		      struct buf *head, struct error *err)
{
	struct sum sum;
	int rc = add_up(set, index, &sum, err);
	if (rc == 0) {
		wire_put_u8(head, sum.is_known ? 1 : 0);
	}
	if (rc == 0 && sum.is_known) {
		wire_put_varint(head, sum.count);
		wire_put_varint(head, sum.absent_rows);
		wire_put_varint(head, sum.absent_statements);
		if (summary_put_column(writer, index, sum.values, sum.count) < 0) {
			rc = no_memory(err);
		}
	}
	free(sum.values);
	return rc;
}

static int put_all(struct streams_writer *writer, const struct summary_set *set, struct buf *head,
		   struct error *err)
{
	uint64_t lone = 0;
	bool whole = true;
	int rc = 0;
	for (size_t i = 0; i < set->count; i++) {
		lone += summary_lone_statements(set->items[i]);
		whole = whole && summary_is_whole(set->items[i]);
	}
	wire_put_u8(head, SUMMARY_VERSION);
	wire_put_u8(head, (uint8_t)(SUMMARY_IS_OF_MANY | (whole ? SUMMARY_IS_WHOLE : 0)));
	wire_put_varint(head, lone);
	wire_put_varint(head, SUMMARY_COLUMNS);
	for (size_t i = 0; rc == 0 && i < SUMMARY_COLUMNS; i++) {
		rc = put_column(writer, set, i, head, err);
	}
	return rc == 0 && head->failed ? no_memory(err) : rc;
}

int summary_add_up(const struct summary_set *set, struct buf *out, struct error *err)
{
	struct buf head;
	struct streams_writer *writer = streams_writer_new();
	if (writer == NULL) {
		return no_memory(err);
	}
	buf_init(&head, 4096);
	int rc = put_all(writer, set, &head, err);
	if (rc == 0) {
		streams_put(writer, 0, SUMMARY_PART_HEAD, buf_str(&head), 0);
		rc = streams_finish(writer, set->number, set->key, out, err);
	}
	buf_done(&head);
	streams_writer_free(writer);
	return rc;
}
