#include "base/heap.h"

#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAPPED_MAX ((size_t)32 << 20) /* the C library takes no more */
#define LARGE_PAGE ((uintptr_t)2 << 20)

bool heap_prepare(size_t bytes)
{
	void *first = malloc(1); /* there is a heap from now on */
	size_t mapped = bytes / 2 < MAPPED_MAX ? bytes / 2 : MAPPED_MAX;
	bool set = first != NULL && bytes <= INT_MAX / 4 &&
		   mallopt(M_MMAP_THRESHOLD, (int)mapped) == 1 &&
		   mallopt(M_TRIM_THRESHOLD, (int)bytes * 4) == 1 &&
		   mallopt(M_TOP_PAD, (int)bytes) == 1;
	/* It does not fit what is there: the heap grows, and stays. The compiler must not see that nobody uses it. */
	void *volatile room = malloc(mapped - LARGE_PAGE);
	free(room);
	uintptr_t start = ((uintptr_t)first + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
	uintptr_t end = (uintptr_t)sbrk(0);
	free(first);
	/* The range is this process's own heap; advice that is not taken changes nothing. */
	return set && end > start && madvise((void *)start, end - start, MADV_HUGEPAGE) == 0;
}
