/* tap - a test program's results, one line each, in the Test Anything Protocol. */
#ifndef TESTS_STAGE_TAP_H
#define TESTS_STAGE_TAP_H

#include <stdbool.h>
#include <stdio.h>

struct tap {
	int count, failures;
};

/* Says whether something holds; returns it. */
static inline bool tap_check(struct tap *tap, bool good, const char *what)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++tap->count, what);
	(void)fflush(stdout); /* only for those who watch */
	tap->failures += !good;
	return good;
}

/* Ends the report; the program's exit status. */
static inline int tap_end(const struct tap *tap)
{
	printf("1..%d\n", tap->count);
	return tap->failures != 0;
}

#endif
