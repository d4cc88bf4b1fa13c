/* checksum - CRC-32C, to tell damaged stored bytes from whole ones.
 *
 * Rules:   finds accidents (bit flips, torn or misplaced pages), not forgers: proofs stand on SHA-256 (base/digest.h).
 * Threads: pure. Blocking: never. Errors: none.
 * Source:  RFC 3720 appendix B.4 (test vectors). Tests: tests/unit/checksum.c
 */
#ifndef STORE_CHECKSUM_H
#define STORE_CHECKSUM_H

#include "base/str.h"

#include <stdint.h>

/* CRC-32C (Castagnoli) of bytes. */
uint32_t checksum_crc32c(struct str bytes);

/* The same by table alone, as a processor without the instruction has it; for the test that compares the two. */
uint32_t checksum_crc32c_portable(struct str bytes);

#endif
