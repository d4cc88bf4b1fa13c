/* heap - how this process takes memory from the kernel.
 *
 * Threads: before others are started. Blocking: never. Tests: tests/unit/heap.c
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* For a program that takes many megabytes once, fills them and ends: the heap grows by `bytes` at a time, is kept when it is freed, and stands
 * in large pages where the kernel lets who asks for them have some. Without it a quarter to a half of the time of such a program goes into
 * the kernel, page by page. Memory that is not touched is not resident.
 * Returns whether the kernel was asked for large pages; all else works the same either way. */
bool heap_prepare(size_t bytes);

#endif
