/* life-view - what `querytrail status` says of the life of data: retention, legal holds, erasures, and the ledger of erasures.
 *
 * Threads: one per process. Blocking: disk. Tests: tests/unit/life-view.c, tests/golden/
 */
#ifndef QUERY_LIFE_VIEW_H
#define QUERY_LIFE_VIEW_H

#include "query/session.h"

/* Appends lines, none for what there is not. Returns 0, ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int life_view_put(struct session *session, struct error *err);

/* Appends members of an object. */
int life_view_put_json(struct session *session, bool *io_first, struct error *err);

#endif
