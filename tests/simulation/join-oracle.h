/* join-oracle - the verdicts on a small world, worked out from all of it at once, without any index or state.
 *
 * Source:  docs/grades.md. Threads: pure. Tests: used by tests/simulation/join-property.c
 */
#ifndef TESTS_SIMULATION_JOIN_ORACLE_H
#define TESTS_SIMULATION_JOIN_ORACLE_H

#include "tests/simulation/join-world.h"

struct oracle_verdict {
	const char *grade, *carrier, *matched_by;
	int line; /* index of the request, or of one that is equal to it; -1 */
};

/* The final verdict on a row. */
struct oracle_verdict oracle_row(const struct small_world *world, int row);

/* Whether two lines are the same request logged twice. */
bool oracle_same(const struct small_world *world, int a, int b);

#endif
