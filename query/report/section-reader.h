/* section-reader - one section of a report.yaml: its dataset, filter, groups, columns, order and charts.
 *
 * Errors:  ERR_CONFIG with the place. Threads: pure. Blocking: never. Tests: tests/unit/definition.c
 */
#ifndef QUERY_REPORT_SECTION_READER_H
#define QUERY_REPORT_SECTION_READER_H

#include "query/report/definition.h"
#include "query/report/reader.h"

/* Reads the section; its name is checked for form only. Returns 0, ERR_CONFIG or ERR_NOMEM. */
int section_read(const struct reader *reader, const struct yaml_node *node,
		 struct definition_section *out_section);

#endif
