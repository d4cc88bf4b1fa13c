/* form - the forms that a column of a report can have, by name; and shares.
 *
 * Threads: pure. Blocking: never. Tests: tests/unit/form.c
 */
#ifndef QUERY_REPORT_FORM_H
#define QUERY_REPORT_FORM_H

#include "query/report/writer.h"

/* Whether cells of this form are texts, which may come from a log. */
bool report_form_is_text(enum report_form form);

/* "text", "number"; and back, false when there is no such form. */
const char *report_form_name(enum report_form form);
bool report_form_find(struct str name, enum report_form *out_form);

/* The share of part in whole per mille, rounded half up; 0 when whole is 0. */
int64_t report_share(uint64_t part, uint64_t whole);

#endif
