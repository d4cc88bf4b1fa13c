/* report-sample - a document with everything that a report may hold, for the tests and the benchmark of the writers.
 *
 * Threads: pure. Blocking: writes to the output. Tests: it is part of tests.
 */
#ifndef TESTS_UNIT_REPORT_SAMPLE_H
#define TESTS_UNIT_REPORT_SAMPLE_H

#include "query/report/writer.h"

/* Writes it with a table of rows. hostile texts are among them. Returns 0 or what the writer said. */
int report_sample_write(const struct report_writer_type *type, struct output *out, size_t rows,
			struct error *err);

#endif
