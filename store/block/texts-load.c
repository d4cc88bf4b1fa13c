#include "store/block/texts-reader.h"

#include <stdlib.h>

/* The numbers of all buckets from the streams of their classes. */

struct loading {
	struct texts *texts;
	int64_t *modes, *bases, *refs;
	int64_t *values[TEXTS_CLASSES + 1];
	size_t counts[TEXTS_CLASSES + 1];
	struct error *err;
};

static int read_modes(struct loading *loading)
{
	struct texts *texts = loading->texts;
	size_t ref_count = 0;
	int result = texts_read_ints(texts, TEXTS_PART_MODES, texts->run_count, &loading->modes,
				     loading->err);

	if (result == 0) {
		result = texts_read_ints(texts, TEXTS_PART_BASES, texts->run_count, &loading->bases,
					 loading->err);
	}
	for (size_t run = 0; run < texts->run_count && result == 0; run++) {
		int64_t mode = loading->modes[run];

		if (mode < 0 || (mode & TEXTS_MODE_CLASS) > TEXTS_CLASSES ||
		    mode > TEXTS_MODE_ALL + TEXTS_CLASSES) {
			return texts_blame(texts, "numbers are kept in no known way", loading->err);
		}
		ref_count += (mode & TEXTS_MODE_ALL) != 0 ? 0 : texts->runs[run].count;
	}
	return result != 0 ? result
			   : texts_read_ints(texts, TEXTS_PART_REFS, ref_count, &loading->refs,
					     loading->err);
}

/* Spreads the refs over the numbers and counts the values of each class. */
static int spread_refs(struct loading *loading)
{
	struct texts *texts = loading->texts;
	const int64_t *refs = loading->refs;

	for (size_t run = 0; run < texts->run_count; run++) {
		const struct texts_run *about = &texts->runs[run];
		size_t *count = &loading->counts[loading->modes[run] & TEXTS_MODE_CLASS];

		if ((loading->modes[run] & TEXTS_MODE_ALL) != 0) {
			memset(texts->refs + about->start, TEXTS_REF_NONE, about->count);
			*count += about->count;
			continue;
		}
		for (size_t i = about->start; i < about->start + about->count; i++) {
			if (*refs < 0 || *refs > TEXTS_POOL) {
				return texts_blame(texts, "a number repeats none", loading->err);
			}
			*count += *refs == 0;
			texts->refs[i] = (uint8_t)*refs++;
		}
	}
	return 0;
}

static void spread_values(struct loading *loading)
{
	struct texts *texts = loading->texts;
	const int64_t *next[TEXTS_CLASSES + 1];

	for (size_t class = 0; class <= TEXTS_CLASSES; class ++) {
		next[class] = loading->values[class];
	}
	for (size_t run = 0; run < texts->run_count; run++) {
		const struct texts_run *about = &texts->runs[run];
		int64_t class = loading->modes[run] & TEXTS_MODE_CLASS;
		uint64_t base = (uint64_t)loading->bases[run];

		for (size_t i = about->start; i < about->start + about->count; i++) {
			if (texts->refs[i] == 0 || texts->refs[i] == TEXTS_REF_NONE) {
				uint64_t rest = class > 0 ? (uint64_t)*next[class]++ : 0;

				texts->numbers[i] = (int64_t)(base + rest);
			}
		}
	}
}

static int load(struct loading *loading)
{
	struct texts *texts = loading->texts;
	size_t count = texts->sizes[TEXTS_POOLED];
	int result;

	if (count > TEXTS_VALUES_MAX) {
		return texts_blame(texts, "its texts have too many values", loading->err);
	}
	result = read_modes(loading);
	if (result != 0) {
		return result;
	}
	texts->refs = malloc(count + 1);
	texts->numbers = calloc(count + 1, sizeof(*texts->numbers));
	if (texts->refs == NULL || texts->numbers == NULL) {
		return error_set(loading->err, ERR_NOMEM,
				 "There is no memory for a column of texts.");
	}
	result = spread_refs(loading);
	for (size_t class = 1; class <= TEXTS_CLASSES && result == 0; class ++) {
		result = texts_read_ints(texts, TEXTS_PART_CLASSES + (class - 1) * INTS_PARTS,
					 loading->counts[class], &loading->values[class],
					 loading->err);
	}
	if (result == 0) {
		spread_values(loading);
	}
	return result;
}

int texts_load_numbers(struct texts *texts, struct error *err)
{
	struct loading loading = {.texts = texts, .err = err};
	int result = load(&loading);

	free(loading.modes);
	free(loading.bases);
	free(loading.refs);
	for (size_t class = 0; class <= TEXTS_CLASSES; class ++) {
		free(loading.values[class]);
	}
	return result;
}
