#include "query/report/dataset.h"

#include "base/clock.h"
#include "base/parse.h"

#include <stdio.h>
#include <stdlib.h>

#define CLOCK_KEY_MAX 64 /* of the store's settings */

enum {
	SOURCE,
	TYPE,
	STATE,
	STATE_TEXT,
	CAUGHT_UP,
	WATERMARK,
	FIRST_TIME,
	LAST_TIME,
	RECEIVED,
	STORED,
	DUPLICATE,
	REJECTED,
	GAPS,
	ADDS_UP,
	COMPLETE,
	WHY,
	CLOCK_OFFSET,
	CLOCK_BOUND,
	SOURCE_FIELDS
};

static const struct {
	const char *name;
	enum trail_type type;
} fields[SOURCE_FIELDS] = {
	[SOURCE] = {"source", TRAIL_TEXT},
	[TYPE] = {"type", TRAIL_TEXT},
	[STATE] = {"state", TRAIL_TEXT},
	[STATE_TEXT] = {"state_text", TRAIL_TEXT},
	[CAUGHT_UP] = {"caught_up", TRAIL_BOOL},
	[WATERMARK] = {"watermark", TRAIL_TIME},
	[FIRST_TIME] = {"first_time", TRAIL_TIME},
	[LAST_TIME] = {"last_time", TRAIL_TIME},
	[RECEIVED] = {"received", TRAIL_NUMBER},
	[STORED] = {"stored", TRAIL_NUMBER},
	[DUPLICATE] = {"duplicate", TRAIL_NUMBER},
	[REJECTED] = {"rejected", TRAIL_NUMBER},
	[GAPS] = {"gaps", TRAIL_NUMBER},
	[ADDS_UP] = {"adds_up", TRAIL_BOOL},
	[COMPLETE] = {"complete", TRAIL_BOOL},
	[WHY] = {"why", TRAIL_TEXT},
	[CLOCK_OFFSET] = {"clock_offset_us", TRAIL_NUMBER},
	[CLOCK_BOUND] = {"clock_bound_us", TRAIL_NUMBER},
};

struct sources {
	struct store_source *list;
	int64_t offset_ns, bound_ns; /* of the row that was read */
	bool clock_known;
	size_t row;
};

static size_t sources_fields(const struct dataset_type *type, struct dataset_field *out)
{
	(void)type;
	for (size_t i = 0; i < SOURCE_FIELDS; i++) {
		out[i].type = fields[i].type;
		(void)snprintf(out[i].name, sizeof(out->name), "%s", fields[i].name); /* short */
	}
	return SOURCE_FIELDS;
}

static void sources_close(struct dataset *dataset)
{
	struct sources *sources = dataset->state;
	if (sources != NULL) {
		free(sources->list);
		free(sources);
	}
	dataset->state = NULL;
}

static int sources_open(struct dataset *dataset, struct error *err)
{
	const struct store_source *list;
	size_t count;
	int result = store_sources(dataset->question.store, &list, &count, err);
	if (result != 0) {
		return result;
	}
	struct sources *sources = calloc(1, sizeof(*sources));
	dataset->state = sources;
	if (sources != NULL) {
		sources->list = calloc(count + 1, sizeof(*sources->list));
	}
	if (sources == NULL || sources->list == NULL) {
		sources_close(dataset);
		return error_set(err, ERR_NOMEM, "no memory for a section of the report");
	}
	for (size_t i = 0; i < count; i++) { /* our own programs give no events */
		if (strcmp(list[i].type, "serve") != 0 &&
		    strcmp(list[i].name, "querytraild") != 0) {
			sources->list[dataset->row_count++] = list[i];
		}
	}
	return 0;
}

bool dataset_read_clock(struct store *store, const char *source, int64_t out_numbers[4])
{
	struct buf key, value;
	bool known = false;
	buf_init(&key, 128);
	buf_init(&value, 1024);
	buf_putf(&key, "clock.%s", source);
	if (!key.failed && key.len <= CLOCK_KEY_MAX &&
	    store_meta_get(store, key.ptr, &value, NULL) == 0) {
		struct str rest = buf_str(&value);
		known = true;
		for (size_t i = 0; i < 4; i++) {
			known = known && parse_i64(str_split(&rest, ' '), &out_numbers[i]);
		}
		known = known && rest.ptr == NULL && out_numbers[1] >= 0;
	}
	buf_done(&key);
	buf_done(&value);
	return known;
}

static int sources_read(struct dataset *dataset, size_t row, struct error *err)
{
	struct sources *sources = dataset->state;
	int64_t numbers[4];
	(void)err;
	sources->row = row;
	sources->clock_known =
		dataset_read_clock(dataset->question.store, sources->list[row].name, numbers);
	if (sources->clock_known) {
		sources->offset_ns = numbers[0];
		sources->bound_ns = numbers[1];
	}
	return 0;
}

static struct trail_value text(const char *value)
{
	return value == NULL || value[0] == '\0'
		       ? (struct trail_value){.type = TRAIL_ABSENT}
		       : (struct trail_value){.type = TRAIL_TEXT, .text = str_of(value)};
}

static struct trail_value instant(int64_t ns)
{
	return ns == INT64_MIN || ns == INT64_MAX
		       ? (struct trail_value){.type = TRAIL_ABSENT}
		       : (struct trail_value){.type = TRAIL_TIME, .number = ns};
}

static struct trail_value number(uint64_t value)
{
	return (struct trail_value){.type = TRAIL_NUMBER, .number = (int64_t)value};
}

static struct trail_value yes_no(bool value)
{
	return (struct trail_value){.type = TRAIL_BOOL, .number = value};
}

static const char *lack(const struct dataset *dataset, const struct store_source *source)
{
	static const struct run_result none;
	struct coverage coverage = {.result = &none,
				    .from_ns = dataset->question.plan->from_ns,
				    .to_ns = dataset->question.plan->to_ns,
				    .now_ns = INT64_MAX};
	const char *why = NULL;
	return coverage_source_lacks(&coverage, source, &why) ? why : NULL;
}

static struct trail_value clock_value(const struct sources *sources, int64_t ns)
{
	return sources->clock_known
		       ? (struct trail_value){.type = TRAIL_NUMBER, .number = ns / NS_PER_US}
		       : (struct trail_value){.type = TRAIL_ABSENT};
}

static struct trail_value count_value(const struct store_source *source, unsigned field)
{
	switch (field) {
	case RECEIVED:
		return number(source->received);
	case STORED:
		return number(source->stored);
	case DUPLICATE:
		return number(source->duplicate);
	case REJECTED:
		return number(source->rejected);
	case GAPS:
		return number(source->gaps);
	default:
		return yes_no(source->received == source->stored + source->duplicate);
	}
}

static struct trail_value sources_value(const struct dataset *dataset, unsigned field)
{
	const struct sources *sources = dataset->state;
	const struct store_source *source = &sources->list[sources->row];
	switch (field) {
	case SOURCE:
		return text(source->name);
	case TYPE:
		return text(source->type);
	case STATE:
		return text(source->state);
	case STATE_TEXT:
		return text(source->state_text);
	case CAUGHT_UP:
		return yes_no(source->caught_up);
	case WATERMARK:
		return instant(source->watermark_ns);
	case FIRST_TIME:
		return instant(source->first_time_ns);
	case LAST_TIME:
		return instant(source->last_time_ns);
	case COMPLETE:
		return yes_no(lack(dataset, source) == NULL);
	case WHY:
		return text(lack(dataset, source));
	case CLOCK_OFFSET:
		return clock_value(sources, sources->offset_ns);
	case CLOCK_BOUND:
		return clock_value(sources, sources->bound_ns);
	default:
		return count_value(source, field);
	}
}

const struct dataset_type dataset_sources = {
	.name = "sources",
	.rows = "sources",
	.fields = sources_fields,
	.open = sources_open,
	.read = sources_read,
	.value = sources_value,
	.close = sources_close,
};
