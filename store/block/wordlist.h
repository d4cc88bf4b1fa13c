/* wordlist - the dictionary of a column: distinct texts, packed small.
 *
 * Shape:   texts in the order of their codes. Their bytes are packed so that sorted lists take little: common front with the text
 *          before, rest (docs/format.md section 9.4). wordlist_sort gives the order that packs best, for callers whose codes are free.
 * Parts:   WORDLIST_PARTS parts of the column from `part` on.
 * Threads: pure. Blocking: never. Tests: tests/unit/wordlist.c
 */
#ifndef STORE_BLOCK_WORDLIST_H
#define STORE_BLOCK_WORDLIST_H

#include "store/block/streams.h"

#define WORDLIST_PARTS 3

/* Writes texts[0..count). Returns 0, -ERR_LIMIT or -ERR_NOMEM. */
int wordlist_put(struct streams_writer *writer, uint16_t column, uint8_t part,
		 const struct str *texts, size_t count);

/* Sorts: out_new_code[i] is where texts[i] should stand. Returns 0 or -ERR_NOMEM. */
int wordlist_sort(const struct str *texts, size_t count, uint32_t *out_new_code);

/* Reads the list. The texts live in the wordlist. */
struct wordlist {
	struct str *texts;
	size_t count;
	struct buf bytes;
};
int wordlist_get(struct streams *streams, uint16_t column, uint8_t part, struct wordlist *out_list,
		 struct error *err);
void wordlist_done(struct wordlist *list);

#endif
