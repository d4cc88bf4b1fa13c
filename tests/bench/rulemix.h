/* rulemix - generated Sigma rules of the mix that the public ones have, for our log sources.
 *
 * Shape:   per 3,780 public rules: contains 4,892, endswith 3,655, all 1,255, startswith 604, re 216, windash 110, cidr 40, base64offset 9,
 *          fieldref 5; 12 values a rule of 23 bytes on average; half of the conditions are one selection, 26 % "1 of", 23 % each with
 *          "all of" and "not". Values are words of statements and addresses, some of which every event holds.
 * Life:    the same seed, the same rules.
 */
#ifndef TESTS_BENCH_RULEMIX_H
#define TESTS_BENCH_RULEMIX_H

#include "correlator/rules/pack.h"

/* Writes count rules into a new folder, one file a rule; out_folder has room for 256 bytes. */
int rulemix_write(size_t count, uint64_t seed, char out_folder[256], struct error *err);

/* Removes the folder with its files. */
void rulemix_remove(const char *folder, size_t count);

/* The text of one rule. */
void rulemix_put(size_t number, uint64_t *random, struct buf *out);

#endif
