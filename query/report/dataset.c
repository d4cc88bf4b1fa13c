#include "query/report/dataset.h"

#include "base/clock.h"

#include <assert.h>
#include <stdio.h>

static const struct dataset_type *const types[] = {
	&dataset_trails, &dataset_alerts,  &dataset_deliveries, &dataset_sources,
	&dataset_gaps,   &dataset_rejects, &dataset_accesses,   &dataset_lifecycle,
};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

static const char *const periods[] = {
	[DATASET_HOUR] = "hour", [DATASET_DAY] = "day", [DATASET_MONTH] = "month"};

#define PERIOD_COUNT (sizeof(periods) / sizeof(periods[0]))

const struct dataset_type *const *dataset_types(size_t *out_count)
{
	*out_count = TYPE_COUNT;
	return types;
}

const struct dataset_type *dataset_type_find(struct str name)
{
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (str_is(name, types[i]->name)) {
			return types[i];
		}
	}
	return NULL;
}

static size_t own_fields(const struct dataset_type *type, struct dataset_field *out)
{
	size_t count = type->fields(type, out);
	assert(count + PERIOD_COUNT <= DATASET_FIELDS_MAX);
	return count;
}

size_t dataset_fields(const struct dataset_type *type, struct dataset_field *out)
{
	size_t count = own_fields(type, out);
	for (size_t i = 0; type->has_time && i < PERIOD_COUNT; i++) {
		out[count].type = TRAIL_TEXT;
		(void)snprintf(out[count++].name, sizeof(out->name), "%s",
			       periods[i]); /* they are short */
	}
	return count;
}

size_t dataset_period_text(const struct zone *zone, int64_t ns, enum dataset_period period,
			   char out[DATASET_PERIOD_BYTES])
{
	struct civil civil;
	int len = 0;
	clock_to_civil(ns + (int64_t)zone_offset_s(zone, ns) * NS_PER_SEC, &civil);
	switch (period) {
	case DATASET_HOUR:
		len = snprintf(out, DATASET_PERIOD_BYTES, "%04d-%02d-%02d %02d:00", civil.year,
			       civil.month, civil.day, civil.hour);
		break;
	case DATASET_DAY:
		len = snprintf(out, DATASET_PERIOD_BYTES, "%04d-%02d-%02d", civil.year, civil.month,
			       civil.day);
		break;
	case DATASET_MONTH:
		len = snprintf(out, DATASET_PERIOD_BYTES, "%04d-%02d", civil.year, civil.month);
		break;
	}
	assert(len > 0 && len < DATASET_PERIOD_BYTES);
	return (size_t)len;
}

int dataset_open(const struct dataset_type *type, const struct dataset_question *question,
		 struct dataset *out_dataset, struct error *err)
{
	struct dataset_field fields[DATASET_FIELDS_MAX];
	struct dataset dataset = {
		.type = type, .question = *question, .own_count = own_fields(type, fields)};
	int result = type->open(&dataset, err);
	if (result == 0) {
		*out_dataset = dataset;
	}
	return result;
}

void dataset_close(struct dataset *dataset)
{
	if (dataset->type != NULL) {
		dataset->type->close(dataset);
	}
	*dataset = (struct dataset){0};
}

int dataset_read(struct dataset *dataset, size_t row, struct error *err)
{
	assert(row < dataset->row_count);
	int result = dataset->type->read(dataset, row, err);
	if (result == -ERR_CORRUPT || result == -ERR_GONE) {
		dataset->unread++;
		result = -ERR_GONE;
	}
	return result;
}

struct trail_value dataset_value(struct dataset *dataset, unsigned field)
{
	if (field < dataset->own_count) {
		return dataset->type->value(dataset, field);
	}
	unsigned period = field - (unsigned)dataset->own_count;
	assert(dataset->type->has_time && period < PERIOD_COUNT);
	char *out = dataset->period[period];
	size_t len = dataset_period_text(dataset->question.zone, dataset->time_ns,
					 (enum dataset_period)period, out);
	return (struct trail_value){.type = TRAIL_TEXT, .text = str_make(out, len)};
}
