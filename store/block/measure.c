#include "store/block/gauge.h"
#include "store/block/opened.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What each column takes, and what it needs at least. */

#define NAME_BYTES 160
#define SAMPLE_RUN \
	64 /* rows of texts that are read one behind the other, and how many pass from one such run to the next */
#define SAMPLE_STEP 512

static const char *const frame_names[LAYOUT_FIRST] = {
	[LAYOUT_FRAME] = "about",         [LAYOUT_RECIPES] = "recipes",
	[LAYOUT_LEAVES] = "leaves",       [LAYOUT_HINTS] = "hints",
	[LAYOUT_TIMES] = "times",         [LAYOUT_PARENTS] = "parents",
	[LAYOUT_INGEST] = "ingest times",
};

static void put_name(const struct block *block, size_t number, char name[NAME_BYTES])
{
	const struct layout_column *column = &block->layout.columns[number];
	const char *kind = record_kind_name((enum record_kind)column->kind);
	if (column->what == LAYOUT_WHAT_SLOT) {
		struct str slot = recipes_name(block->recipes, column->name);
		slot = str_slice(slot, 2, 60);
		(void)snprintf(name, NAME_BYTES, "%s (%.*s)", kind, STR_ARG(slot)); /* fits */
	} else {
		(void)snprintf(name, NAME_BYTES, "%s %s", kind, /* fits */
			       column->what == LAYOUT_WHAT_KEY ? "key"
							       : field_info(column->what)->name);
	}
}

void block_columns(struct block *block, block_column_fn *each, void *owner)
{
	char name[NAME_BYTES];
	uint64_t stored, unpacked;
	for (uint16_t i = 0; i < LAYOUT_FIRST; i++) {
		streams_size(block->streams, i, &stored, &unpacked);
		if (stored > 0) {
			each(owner, frame_names[i] != NULL ? frame_names[i] : "other", stored,
			     block->layout.row_count);
		}
	}
	for (size_t c = 0; c < block->layout.count; c++) {
		streams_size(block->streams, (uint16_t)(LAYOUT_FIRST + c), &stored, &unpacked);
		if (stored > 0) {
			put_name(block, c, name);
			each(owner, name, stored, block->layout.row_count);
		}
	}
}

struct measuring {
	struct block *block;
	struct gauge *gauge;
	block_measured_fn *each;
	void *owner;
	struct error *err;
	char name[NAME_BYTES], given[NAME_BYTES];
};

static uint16_t stream_of(size_t column)
{
	return (uint16_t)(LAYOUT_FIRST + column);
}

static void judge_words(struct measuring *measuring, size_t number)
{
	const struct wordlist *words = &measuring->block->columns[number].words;
	uint64_t stored = streams_part_size(measuring->block->streams, stream_of(number),
					    LAYOUT_WORDS, WORDLIST_PARTS);
	if (words->count > 0) {
		size_t fresh = gauge_words(measuring->gauge, str_of(measuring->name), words->texts,
					   words->count);
		gauge_add(measuring->gauge, stream_of(number),
			  8 * (double)stored * (double)fresh / (double)words->count, stored);
	}
}

static int judge_codes(struct measuring *measuring, size_t number)
{
	const struct opened_column *opened = &measuring->block->columns[number];
	const uint32_t *code = measuring->block->layout.columns[number].code;
	uint32_t *codes = malloc((opened->count + 1) * sizeof codes[0]);
	if (codes == NULL) {
		return opened_no_memory(measuring->block, measuring->err);
	}
	for (size_t i = 0; i < opened->count; i++) {
		codes[i] = code[opened->rows[i]];
	}
	gauge_add(measuring->gauge, stream_of(number),
		  gauge_codes(measuring->gauge, codes, opened->context, opened->count),
		  streams_part_size(measuring->block->streams, stream_of(number), LAYOUT_RANKS,
				    RANKS_PARTS));
	free(codes);
	return 0;
}

static int judge(struct measuring *measuring, size_t number)
{
	switch ((enum layout_coding)measuring->block->layout.columns[number].coding) {
	case LAYOUT_WORDS_RANKS:
		judge_words(measuring, number);
		return judge_codes(measuring, number);
	case LAYOUT_LIST_RANKS:
		return judge_codes(measuring, number);
	case LAYOUT_INTS: /* told while they were read */
		return 0;
	case LAYOUT_TEXTS:
	case LAYOUT_TSQL:
		return texts_gauge(measuring->block->columns[number].texts, measuring->gauge,
				   str_of(measuring->name), measuring->err);
	}
	return 0;
}

static uint64_t digits(int64_t number)
{
	uint64_t count = number < 0 ? 2 : 1;
	for (number /= 10; number != 0; number /= 10) {
		count++;
	}
	return count;
}

/* Some of the texts are put together, and the others taken to be like them. */
static int sample_texts(struct measuring *measuring, size_t number, uint64_t *out_bytes)
{
	const struct opened_column *opened = &measuring->block->columns[number];
	struct buf text;
	uint64_t bytes = 0;
	size_t seen = 0;
	int rc = 0;
	buf_init(&text, RECORD_MAX_BYTES);
	for (size_t i = 0; rc == 0 && i < opened->count; i++) {
		if (i % SAMPLE_STEP >= SAMPLE_RUN) {
			continue;
		}
		buf_clear(&text);
		rc = texts_put_text(opened->texts, i, &text, measuring->err);
		rc = rc == -ERR_GONE ? 0 : rc;
		bytes += text.len;
		seen++;
	}
	buf_done(&text);
	*out_bytes = seen > 0 ? bytes * opened->count / seen : 0;
	return rc;
}

static int count_text(struct measuring *measuring, size_t number, uint64_t *out_bytes)
{
	const struct layout_column *column = &measuring->block->layout.columns[number];
	const struct opened_column *opened = &measuring->block->columns[number];
	uint64_t bytes = 0;
	if (opened->texts != NULL) {
		return sample_texts(measuring, number, out_bytes);
	}
	for (size_t i = 0; i < opened->count; i++) {
		uint32_t row = opened->rows[i];
		if (column->number != NULL) {
			bytes += digits(column->number[row]);
		} else if (column->code[row] < opened->words.count) {
			bytes += opened->words.texts[column->code[row]].len;
		}
	}
	*out_bytes = bytes;
	return 0;
}

static void put_given(struct measuring *measuring, size_t number)
{
	const struct layout_column *column = &measuring->block->layout.columns[number];
	char *given = measuring->given;
	given[0] = '\0';
	if (column->given < measuring->block->layout.count) {
		put_name(measuring->block, column->given, given);
	}
	switch ((enum layout_context)column->context) {
	case LAYOUT_GIVEN_NOTHING:
	case LAYOUT_BY_LEAF:
		given[0] = '\0';
		return;
	case LAYOUT_GIVEN_PARENT:
		(void)snprintf(given, NAME_BYTES, "its parent"); /* fits */
		return;
	case LAYOUT_GIVEN_PLACE:
		(void)snprintf(given + strlen(given), NAME_BYTES - strlen(given),
			       " and place"); /* fits */
		return;
	case LAYOUT_GIVEN_COLUMN:
	case LAYOUT_GIVEN_PARENT_COLUMN:
		return;
	}
}

static void tell(struct measuring *measuring, uint16_t stream, struct block_measured measured)
{
	uint64_t unpacked;
	streams_size(measuring->block->streams, stream, &measured.stored_bytes, &unpacked);
	measured.floor_bits = gauge_take(measuring->gauge, stream);
	if (measured.stored_bytes > 0) {
		measuring->each(measuring->owner, &measured);
	}
}

static void measure_recipes(struct measuring *measuring)
{
	const struct layout *layout = &measuring->block->layout;
	for (uint8_t kind = 1; kind < RECORD_KIND_COUNT; kind++) {
		struct block_run run = layout->runs[kind];
		double bits = gauge_codes(measuring->gauge, layout->recipe_of + run.first, NULL,
					  run.count);
		gauge_add(measuring->gauge, LAYOUT_RECIPES, bits,
			  streams_part_size(measuring->block->streams, LAYOUT_RECIPES,
					    (uint8_t)(LAYOUT_PART * kind), RANKS_PARTS));
	}
}

static int measure_column(struct measuring *measuring, size_t number)
{
	struct block_measured measured = {.column = measuring->name, .given = measuring->given};
	measured.kind = measuring->block->layout.columns[number].kind;
	put_name(measuring->block, number, measuring->name);
	put_given(measuring, number);
	int rc = opened_load(measuring->block, (uint16_t)number, measuring->err);
	rc = rc < 0 ? rc : judge(measuring, number);
	rc = rc < 0 ? rc : count_text(measuring, number, &measured.text_bytes);
	if (rc == 0) {
		measured.value_count = measuring->block->columns[number].count;
		tell(measuring, stream_of(number), measured);
	}
	return rc;
}

int block_measure(struct block *block, block_measured_fn *each, void *owner, struct error *err)
{
	struct measuring measuring = {.block = block,
				      .gauge = streams_gauge(block->streams),
				      .each = each,
				      .owner = owner,
				      .err = err};
	const int64_t *ingest_ns;
	assert(measuring.gauge != NULL);
	int rc = block_ingest_times(block, &ingest_ns, err);
	if (rc == 0) {
		measure_recipes(&measuring);
	}
	for (uint16_t i = 0; rc == 0 && i < LAYOUT_FIRST; i++) {
		const struct block_measured measured = {
			.column = frame_names[i] != NULL ? frame_names[i] : "other",
			.given = "",
			.value_count = block->layout.row_count};
		tell(&measuring, i, measured);
	}
	for (size_t c = 0; rc == 0 && c < block->layout.count; c++) {
		rc = measure_column(&measuring, c);
	}
	return rc == 0 && gauge_failed(measuring.gauge) ? opened_no_memory(block, err) : rc;
}
