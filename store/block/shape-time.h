/* shape-time - the record's time as text.
 *
 * Threads: pure. Blocking: never. Tests: tests/unit/shape.c
 */
#ifndef STORE_BLOCK_SHAPE_TIME_H
#define STORE_BLOCK_SHAPE_TIME_H

#include "store/block/shape-recipe.h"

/* Whether a form is one of a time; only for these the functions below. */
bool time_is_form(unsigned form);

/* Appends the time, shifted by so many units of the form. False: out of range. */
bool time_put(const struct place *place, int64_t time_ns, int64_t shift, struct buf *out);

/* By how many units the time of a token differs from time_ns; false when it is no such time. */
bool time_shift(const struct place *place, int64_t time_ns, struct str token, int64_t *out_shift);

/* The form of a token that is a time near time_ns: form, width, flags of the place. False: it is none. */
bool time_form(struct str token, int64_t time_ns, struct place *out_place);

#endif
