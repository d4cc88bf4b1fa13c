#include "model/tsql/word.h"

#include <stdint.h>

#define LONGEST 24 /* bytes of a word in words.def, and one more */

static const struct entry {
	const char *text;
	unsigned properties;
} entries[] = {
	{"", 0},
#define WORD(name, properties) {#name, properties},
#include "model/tsql/words.def"
#undef WORD
};

/* Copies a word in upper case, with a NUL; false when a word of ours cannot look like that. */
static bool fold(struct str text, char out[LONGEST])
{
	if (text.len < 2 || text.len >= LONGEST) {
		return false;
	}
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c >= 'a' && c <= 'z') {
			c = (char)(c - 'a' + 'A');
		} else if ((c < 'A' || c > 'Z') && c != '_') {
			return false;
		}
		out[i] = c;
	}
	out[text.len] = '\0';
	return true;
}

enum tsql_word tsql_word_of(struct str text)
{
	char folded[LONGEST];
	size_t low = 1;
	size_t high = TSQL_W_COUNT_ALL;

	if (!fold(text, folded)) {
		return TSQL_W_NONE;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(folded, entries[middle].text);

		if (order == 0) {
			return (enum tsql_word)middle;
		}
		if (order < 0) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return TSQL_W_NONE;
}

unsigned tsql_word_properties(enum tsql_word word)
{
	return entries[word].properties;
}
