/* readings - all ways in which a line can be split by a template, at once.
 *
 * Shape:   a value's end can be wherever the literal behind it stands. Ends that no other end leads to, or that lead nowhere, fall
 *          away; when a value has one place left, it is sure.
 * Limits:  READINGS_ENDS_MAX places for one value; a line with more gives only what stands before.
 * Threads: pure. Blocking: never. Tests: tests/unit/accesslog-hostile.c
 */
#ifndef MODEL_ACCESSLOG_READINGS_H
#define MODEL_ACCESSLOG_READINGS_H

#include "model/accesslog/format.h"

#define READINGS_ENDS_MAX 256

/* Sets each value's text and whether it is sure, and damage to NONE (one reading) or AMBIGUOUS. */
enum split readings_find(const struct accesslog_format *format, struct str line,
			 struct reading *reading);

#endif
