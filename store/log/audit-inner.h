/* audit-inner - what the parts of an audit share; for store/log/audit*.c only.
 *
 * Threads: the shared part is locked where it says so. Tests: tests/unit/audit.c
 */
#ifndef STORE_LOG_AUDIT_INNER_H
#define STORE_LOG_AUDIT_INNER_H

#include "store/handle.h"
#include "store/log/audit.h"
#include "store/log/group.h"
#include "store/log/leaf.h"

#include <pthread.h>
#include <stdatomic.h>

/* A finding that waits to be told. */
struct audit_note {
	struct audit_finding finding; /* its text is ours */
	size_t order;                 /* in which it was found, for findings of one leaf */
};

struct audit {
	const struct audit_options *options;
	struct merkle_range range; /* as the state says */
	struct locator open;
	uint64_t first_group, end_group;
	pthread_mutex_t lock; /* of what follows */
	struct audit_note *notes;
	size_t note_count, note_room;
	bool lost; /* no memory for a note */
	struct audit_result result;
	atomic_bool stop;
};

/* One thread's part: groups from first to end. */
struct audit_part {
	struct audit *audit;
	uint64_t first, end;
	size_t claim; /* the next one to compare */
	struct store *store;
	struct salts *salts;
	struct tree_tile tile; /* of level 1; count 0: none */
	struct tree_tile high; /* of another level */
	unsigned high_level;
	struct log_group group;
	bool seen[LOCATOR_GROUP]; /* leaves of the group that have a record */
	uint64_t present;         /* how many have one */
	atomic_uint_fast64_t at;  /* leaves looked at */
	atomic_bool over;
	uint64_t next;                        /* leaf that may come next */
	uint64_t missing_first, missing_last; /* a run that was not told yet; first > last: none */
	uint64_t records, removed, redacted;
	int64_t oldest_ns, newest_ns;
	struct error err;
	int rc;
};

/* Notes a finding; one that goes on where the last one of the same text ended makes it longer. They are told at the end, by leaf. */
void audit_tell(struct audit *audit, const struct audit_finding *finding, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Looks at the tiles above level 1 and at the state. */
int audit_tree(struct audit_part *part, struct error *err);

/* A group is complete: compares it, and the claims that end in it. */
int audit_group(struct audit_part *part, struct error *err);

/* Tells the run of missing leaves that was gathered. */
void audit_tell_missing(struct audit_part *part);

#endif
