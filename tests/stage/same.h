/* same - whether the store holds exactly what the simulated company wrote.
 *
 * Shape:   compares `querytrail export --raw` with a file of lines, in no order. Of audit rows only transaction and sequence number
 *          are compared: column order and spelling are the reader's own.
 * Errors:  none: what differs is told on stdout as TAP comments.
 */
#ifndef TESTS_STAGE_SAME_H
#define TESTS_STAGE_SAME_H

#include "tests/stage/stage.h"

struct same {
	size_t written, stored, missing, extra;
};

/* Compares what the store has of a source with FOLDER/truth. False when one of them cannot be read. */
bool same_count(struct stage *stage, const char *source, const char *truth, struct same *out_same);

/* Whether each line of FOLDER/truth is stored once and nothing else is. */
bool same_all(struct stage *stage, const char *source, const char *truth);

/* Waits until as many records are stored as the company has lines and statements (CloudWatch shows lines up to half a minute late), and
 * nothing more comes. False when that takes longer than a minute. */
bool same_catch_up(struct stage *stage);

/* Lines in FOLDER/name. */
size_t same_lines(const struct stage *stage, const char *name);

#endif
