/* wordlist - the dictionary of a column: distinct texts, packed small.
 *
 * Shape:   texts in the order of their codes. Each is a skeleton, in which runs of digits are places, and the numbers in them; distinct
 *          skeletons are written once, without the front that they share with the one before; the numbers of one place are an ints
 *          column, so that a sorted list of like names takes a few bits each. docs/format.md section 9.4. wordlist_sort gives the order that
 *          packs best, for callers whose codes are free.
 * Parts:   WORDLIST_PARTS parts of the column from `part` on.
 * Limits:  WORDLIST_TEXTS_MAX texts, STREAM_BYTES_MAX bytes in all.
 * Threads: pure. Blocking: never. Tests: tests/unit/wordlist.c
 */
#ifndef STORE_BLOCK_WORDLIST_H
#define STORE_BLOCK_WORDLIST_H

#include "store/block/ints.h"

#define WORDLIST_PARTS       (3 + 2 * INTS_PARTS) /* description, fronts, rests, skeletons, numbers */
#define WORDLIST_TEXTS_MAX   (1u << 22)
#define WORDLIST_NUMBERS_MAX (1u << 23) /* cut out of all texts; with more they stay whole */

/* Writes texts[0..count). Returns 0, -ERR_LIMIT or -ERR_NOMEM. */
int wordlist_put(struct streams_writer *writer, uint16_t column, uint8_t part,
		 const struct str *texts, size_t count);

/* Sorts: out_new_code[i] is where texts[i] should stand; equal texts keep their order. Returns 0 or -ERR_NOMEM. */
int wordlist_sort(const struct str *texts, size_t count, uint32_t *out_new_code);

/* Reads the list; one that was never written is empty. The texts live in the wordlist. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM; then
 * the list is empty. */
struct wordlist {
	struct str *texts;
	size_t count;
	struct buf bytes;
};
int wordlist_get(struct streams *streams, uint16_t column, uint8_t part, struct wordlist *out_list,
		 struct error *err);
void wordlist_done(struct wordlist *list);

#endif
