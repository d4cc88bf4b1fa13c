/* arguments - the command line of querytrail-sim.
 *
 * Threads: one. Blocking: never. Tests: tests/integration/cloudwatch-aws.sh
 */
#ifndef TESTS_SIM_ARGUMENTS_H
#define TESTS_SIM_ARGUMENTS_H

#include "tests/sim/scene.h"

/* Reads the command line into the options of a scene; texts are borrowed from argv. Ends the program with a usage message when
 * the line is wrong or asks for help. */
void arguments_read(int argc, char **argv, struct scene_options *out_options);

#endif
