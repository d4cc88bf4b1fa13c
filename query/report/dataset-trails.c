#include "query/report/dataset.h"

#include <stdio.h>
#include <stdlib.h>

struct trails {
	struct run_result found;
	struct trail_reader reader;
	struct trail trail;
	struct trail_column column[TRAIL_COLUMNS_MAX];
};

static enum trail_type type_of(const struct trail_column *column)
{
	static const enum trail_type types[] = {
		[FIELD_TYPE_TEXT] = TRAIL_TEXT,  [FIELD_TYPE_BYTES] = TRAIL_BYTES,
		[FIELD_TYPE_INT] = TRAIL_NUMBER, [FIELD_TYPE_TIME] = TRAIL_TIME,
		[FIELD_TYPE_BOOL] = TRAIL_BOOL,
	};
	if (column->field < FIELD_LIMIT) {
		return types[field_info(column->field)->type];
	}
	if (column->field == PART_SOURCE) {
		return TRAIL_TEXT;
	}
	struct str name = str_of(column->name);
	return str_has_suffix(name, STR_LIT("time")) ? TRAIL_TIME : TRAIL_NUMBER;
}

static size_t trails_fields(const struct dataset_type *type, struct dataset_field *out)
{
	struct trail_column columns[TRAIL_COLUMNS_MAX];
	size_t count = trail_columns(columns);
	(void)type;
	for (size_t i = 0; i < count; i++) {
		out[i].type = type_of(&columns[i]);
		memcpy(out[i].name, columns[i].name, sizeof(out[i].name));
	}
	return count;
}

static void trails_close(struct dataset *dataset)
{
	struct trails *trails = dataset->state;
	if (trails != NULL) {
		trail_reader_close(&trails->reader);
		run_result_clear(&trails->found);
		free(trails);
	}
	dataset->state = NULL;
}

static int trails_open(struct dataset *dataset, struct error *err)
{
	struct trails *trails = calloc(1, sizeof(*trails));
	if (trails == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a section of the report");
	}
	dataset->state = trails;
	(void)trail_columns(trails->column); /* their count is known */
	int result = run_plan(dataset->question.store, dataset->question.plan, &trails->found, err);
	if (result == 0) {
		result = trail_reader_open(&trails->reader, dataset->question.store, err);
	}
	if (result != 0) {
		trails_close(dataset);
		return result;
	}
	dataset->row_count = trails->found.row_count;
	dataset->damaged = trails->found.stats.blocks_damaged;
	return 0;
}

/* What could be read of a damaged row is shown; it counts as unread all the same. */
static int trails_read(struct dataset *dataset, size_t row, struct error *err)
{
	struct trails *trails = dataset->state;
	int result = trail_read(&trails->reader, &trails->found.rows[row], &trails->trail, err);
	dataset->time_ns = trails->trail.time_ns;
	if (result == -ERR_CORRUPT) {
		dataset->unread++;
		return 0;
	}
	return result;
}

static struct trail_value trails_value(const struct dataset *dataset, unsigned field)
{
	const struct trails *trails = dataset->state;
	return trail_value(&trails->trail, &trails->column[field]);
}

const struct dataset_type dataset_trails = {
	.name = "trails",
	.rows = "statements",
	.takes_filter = true,
	.follows_filter = true,
	.has_time = true,
	.times = "time",
	.fields = trails_fields,
	.open = trails_open,
	.read = trails_read,
	.value = trails_value,
	.close = trails_close,
};
