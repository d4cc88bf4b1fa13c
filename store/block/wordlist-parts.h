/* wordlist-parts - where the parts of a wordlist stand, for its writer and its reader.
 *
 * Shape:   docs/format.md section 9.4.
 * Threads: constants. Blocking: never. Tests: tests/unit/wordlist.c
 */
#ifndef STORE_BLOCK_WORDLIST_PARTS_H
#define STORE_BLOCK_WORDLIST_PARTS_H

#include "store/block/wordlist.h"

#define WORDLIST_FRONTS    1
#define WORDLIST_RESTS     2
#define WORDLIST_SKELETONS 3
#define WORDLIST_NUMBERS   (WORDLIST_SKELETONS + INTS_PARTS)

struct wordlist_place {
	uint16_t column;
	uint8_t part;
};

/* The number of each text's skeleton, and how many there are. */
struct wordlist_skeletons {
	int64_t *skeleton;
	size_t count;
};

#endif
