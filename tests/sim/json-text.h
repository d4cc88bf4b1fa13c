/* json-text - base/json.h's string writer for files that include jansson, whose names collide with base/json.h.
 *
 * Threads: pure. Blocking: never. Tests: tests/unit/cloudwatch.c
 */
#ifndef TESTS_SIM_JSON_TEXT_H
#define TESTS_SIM_JSON_TEXT_H

#include "base/buf.h"

/* Appends s as a JSON string with its quotes, as json_put_string does. */
void json_text_put(struct buf *out, struct str s);

#endif
