/* auditevent - a statement as the events that SQL Server writes into the Windows application log.
 *
 * Shape:   33205, an audit row: "Audit event: " and lines "column:value"; 18456, a login that failed: "Login failed for user 'x'.
 *          Reason: .. [CLIENT: 10.0.0.1]". Columns that our record does not keep stand there as SQL Server shows them empty.
 * Threads: pure. Blocking: never.
 * Source:  Microsoft "MSSQLSERVER event 33205", "Event ID 18456". Tests: tests/unit/auditevent.c
 */
#ifndef CORRELATOR_RULES_AUDITEVENT_H
#define CORRELATOR_RULES_AUDITEVENT_H

#include "base/buf.h"
#include "model/record.h"

/* Appends the text of event 33205. */
void auditevent_put_row(const struct record *statement, struct buf *out);

/* Whether the row is a login that failed: then there is an event 18456 too. */
bool auditevent_is_failed_login(const struct record *statement);

/* Appends the text of event 18456. */
void auditevent_put_login(const struct record *statement, struct buf *out);

#endif
