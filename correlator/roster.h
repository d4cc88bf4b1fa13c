/* roster - the sources that the daemon knows: what the store says of them, and what only lives while it runs.
 *
 * Shape:   a few dozen entries; one is never removed while the daemon runs, so that pointers to them stay valid.
 * Watermarks: that of all request sources is the smallest among the sources that may give requests; a finished source (one with an
 *          end, that reached it) counts as INT64_MAX; one that has not said anything yet as INT64_MIN. Likewise statements.
 * Silence: a source is silent when it has given neither a batch nor STATUS ok for longer than its limit.
 * Threads: one per thread. Blocking: never.
 * Tests:   tests/unit/roster.c
 */
#ifndef CORRELATOR_ROSTER_H
#define CORRELATOR_ROSTER_H

#include "store/store.h"

#define ROSTER_MAX 1024

struct roster_source {
	struct store_source about; /* about.cursor points into cursor */
	struct buf cursor;
	bool dirty;      /* differs from what is stored */
	bool configured; /* the configuration names it */
	void *peer;      /* the connection that speaks for it, or NULL */
	int64_t heard_ns; /* wall time; when it last gave a batch or said ok, or the daemon began to listen */
	bool silent; /* a gap record was made of its silence */
};

struct roster {
	struct roster_source **sources;
	size_t count, room;
};

/* Prepares an empty roster. */
void roster_init(struct roster *roster);
void roster_done(struct roster *roster);

/* The source of a name, or NULL. */
struct roster_source *roster_find(const struct roster *roster, struct str name);

/* The source of a name, made when it is new; name must be allowed for a record's source.
 * Returns 0, ERR_LIMIT past ROSTER_MAX, or ERR_NOMEM. */
int roster_add(struct roster *roster, struct str name, struct roster_source **out_source,
	       struct error *err);

/* Copies what the store says of a source. */
int roster_restore(struct roster *roster, const struct store_source *about, int64_t now_ns,
		   struct error *err);

/* Sets type and kinds; marks it dirty when they are new. */
void roster_set_type(struct roster_source *source, struct str type, unsigned kinds);

/* Sets the state and its sentence (cut to fit); a change of state sets its time. */
void roster_set_state(struct roster_source *source, const char *state, struct str text,
		      int64_t now_ns);

/* Sets the cursor. Returns 0 or ERR_NOMEM. */
int roster_set_cursor(struct roster_source *source, struct str cursor, struct error *err);

/* Notes that a source was heard of, which ends its silence. */
void roster_heard(struct roster_source *source, int64_t now_ns);

/* Whether the source has an end and reached it. */
bool roster_is_done(const struct roster_source *source);

/* Both watermarks; INT64_MIN for a kind that no source gives. */
void roster_watermarks(const struct roster *roster, int64_t *out_requests_ns,
		       int64_t *out_statements_ns);

/* The first source that is silent since before limit_ns ago and was not said to be, or NULL. */
struct roster_source *roster_silent(const struct roster *roster, int64_t now_ns, int64_t limit_ns);

#endif
