/* bundle-view - what `querytrail verify --bundle` says of a folder of evidence.
 *
 * Threads: one per process. Blocking: reads files. Tests: tests/unit/cmd-prove.c
 */
#ifndef QUERY_BUNDLE_VIEW_H
#define QUERY_BUNDLE_VIEW_H

#include "query/session.h"

/* Checks the folder of --bundle by --policy and tells. Returns EXIT_FOUND, EXIT_NONE (something is wrong with it) or an error. */
int bundle_view(struct session *session, bool json, struct error *err);

#endif
