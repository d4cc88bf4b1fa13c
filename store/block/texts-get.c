#include "store/block/texts-reader.h"

#include <stdlib.h>

int texts_blame(const struct texts *texts, const char *what, struct error *err)
{
	return streams_blame(texts->streams, texts->about.column, what, err);
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "There is no memory for a column of texts.");
}

/* Reads the templates; each is compiled. */
static int read_roots(struct texts *texts, struct error *err)
{
	size_t count;
	int result = wordlist_get(texts->streams, texts->about.column, TEXTS_PART_ROOTS,
				  &texts->roots, err);

	if (result != 0) {
		return result;
	}
	count = texts->roots.count;
	texts->root = calloc(count + 1, sizeof(*texts->root));
	texts->shown = calloc(count + 1, sizeof(*texts->shown));
	texts->counts = calloc(count + 1, sizeof(*texts->counts));
	if (texts->root == NULL || texts->shown == NULL || texts->counts == NULL) {
		return no_memory(err);
	}
	for (size_t i = 0; i < count; i++) {
		if (!texts_root_read(texts->roots.texts[i], &texts->arena, &texts->root[i])) {
			return texts_blame(texts, "a template is none", err);
		}
		texts->shown[i] = texts->root[i].shown;
	}
	return 0;
}

static int read_codes(struct texts *texts, struct error *err)
{
	size_t count = texts->about.count;
	struct ranks_column about = {.column = texts->about.column,
				     .part = TEXTS_PART_CODES,
				     .count = count,
				     .context = texts->about.context};
	int result;

	texts->codes = calloc(count + 1, sizeof(*texts->codes));
	texts->ordinals = calloc(count + 1, sizeof(*texts->ordinals));
	if (texts->codes == NULL || texts->ordinals == NULL) {
		return no_memory(err);
	}
	result = count > 0 ? ranks_get(texts->streams, &about, texts->codes, err) : 0;
	for (size_t row = 0; row < count && result == 0; row++) {
		uint32_t code = texts->codes[row]--;

		if (code > texts->roots.count) {
			return texts_blame(texts, "a text has a template that is not there", err);
		}
		texts->ordinals[row] = code > 0 ? texts->counts[code - 1]++ : 0;
	}
	return result;
}

int texts_open(struct streams *streams, const struct texts_column *about, struct texts **out_texts,
	       struct error *err)
{
	struct texts *texts = calloc(1, sizeof(*texts));
	int result;

	if (texts == NULL) {
		return no_memory(err);
	}
	texts->streams = streams;
	texts->about = *about;
	texts->pool_row = SIZE_MAX;
	texts->ids_family = TEXTS_NO_FAMILY;
	texts->seed = INT64_MIN;
	arena_init(&texts->arena, SIZE_MAX);
	buf_init(&texts->text, 0);
	result = read_roots(texts, err);
	if (result == 0) {
		result = read_codes(texts, err);
	}
	if (result != 0) {
		texts_close(texts);
		return result;
	}
	*out_texts = texts;
	return 0;
}

void texts_close(struct texts *texts)
{
	if (texts == NULL) {
		return;
	}
	wordlist_done(&texts->roots);
	wordlist_done(&texts->subs);
	wordlist_done(&texts->words);
	arena_done(&texts->arena);
	buf_done(&texts->text);
	for (size_t i = 0; i < TEXTS_INT_GROUPS; i++) {
		free(texts->values[i]);
	}
	free(texts->root);
	free(texts->shown);
	free(texts->codes);
	free(texts->ordinals);
	free(texts->counts);
	free(texts->rows);
	free(texts->row_starts);
	free(texts->sub_pattern);
	free(texts->places);
	free(texts->starts);
	free(texts->children);
	free(texts->entries);
	free(texts->runs);
	free(texts->refs);
	free(texts->numbers);
	free(texts);
}

bool texts_has(const struct texts *texts, size_t row)
{
	return texts->codes[row] != UINT32_MAX;
}

void texts_templates(const struct texts *texts, const uint32_t **out_codes,
		     const struct str **out_templates, size_t *out_count)
{
	*out_codes = texts->codes;
	*out_templates = texts->shown;
	*out_count = texts->roots.count;
}

int texts_read_ints(struct texts *texts, size_t part, size_t count, int64_t **out_values,
		    struct error *err)
{
	struct ints_column about = {.column = texts->about.column,
				    .part = (uint8_t)part,
				    .count = count,
				    .is_part = part >= TEXTS_PART_REFS};
	int64_t *values;
	int result;

	if (count > TEXTS_VALUES_MAX) {
		return texts_blame(texts, "its texts have too many values", err);
	}
	values = malloc((count + 1) * sizeof(*values));
	if (values == NULL) {
		return no_memory(err);
	}
	result = count > 0 ? ints_get(texts->streams, &about, values, err) : 0;
	if (result != 0) {
		free(values);
		return result;
	}
	*out_values = values;
	return 0;
}

static int read_bytes(struct texts *texts, enum texts_group group, struct error *err)
{
	int result = streams_get(texts->streams, texts->about.column,
				 group == TEXTS_UUIDS ? TEXTS_PART_UUIDS : TEXTS_PART_BYTES,
				 &texts->bytes[group], err);

	if (result == 0 && texts->bytes[group].len != texts->sizes[group]) {
		return texts_blame(texts, "its ids have another length than its templates say",
				   err);
	}
	return result;
}

int texts_load_words(struct texts *texts, struct error *err)
{
	int result;

	if (texts->has_words) {
		return 0;
	}
	result = wordlist_get(texts->streams, texts->about.column, TEXTS_PART_WORDS, &texts->words,
			      err);
	texts->has_words = result == 0;
	return result;
}

int texts_load_group(struct texts *texts, enum texts_group group, struct error *err)
{
	int result;

	if (group == TEXTS_NONE || texts->has_group[group]) {
		return 0;
	}
	if (texts->is_broken) {
		return texts_blame(texts, "it can't be read", err);
	}
	if (group == TEXTS_POOLED) {
		result = texts_load_numbers(texts, err);
	} else if (group >= TEXTS_INT_GROUPS) {
		result = read_bytes(texts, group, err);
	} else {
		result = texts_read_ints(texts, TEXTS_PART_GROUPS + (size_t)group * INTS_PARTS,
					 texts->sizes[group], &texts->values[group], err);
	}
	if (result == 0 && group == TEXTS_WORDS) {
		result = texts_load_words(texts, err);
	}
	texts->has_group[group] = result == 0;
	texts->is_broken = result != 0;
	return result;
}
