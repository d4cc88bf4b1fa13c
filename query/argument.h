/* argument - the words of a command line joined to one filter, as a person means them.
 *
 * Why:     the shell eats quotes: route:"GET /orders/x" arrives as one argument with a space in it.
 * Rules:   an argument with white space that holds one term only (FIELD:some words, or some words) is quoted again; one with
 *          quotes, parentheses, OR, AND, NOT, or more than one field is a filter already and stays as it is.
 * Threads: pure. Blocking: never. Source: docs/query.md. Tests: tests/unit/argument.c
 */
#ifndef QUERY_ARGUMENT_H
#define QUERY_ARGUMENT_H

#include "base/buf.h"

/* Appends the filter; arguments are separated by one space. */
void argument_join(char *const *arguments, size_t count, struct buf *out);

#endif
