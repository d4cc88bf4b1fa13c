/* source - what a kind of source must bring: four functions and a row in collector/sources.def.
 *
 * Contract: fetch pulls. It asks its source once (a page, a buffer range, a chunk of a file), gives the records and the next
 *           cursor, and returns. The runner decides when to call, waits, retries, logs, keeps nothing on disk, and moves on only
 *           when the daemon has committed batch and cursor together. Back-pressure is not calling fetch.
 *           fetch must not sleep, retry, log, start threads or write files.
 *           A bad record never stops a source: it comes as a REJECT record with its reason and raw bytes.
 *           What is known to be missing comes as a GAP record in the batch that moves the cursor over it.
 * Replay:   the same cursor must give the same records (or later versions with the same keys): a crash replays a batch.
 * Threads:  one source per process. Blocking: open and fetch, until deadline_ns (clock_monotonic_ns) at most.
 * Tests:    tests/contract/source.c runs every source through the same checks.
 */
#ifndef COLLECTOR_SOURCE_H
#define COLLECTOR_SOURCE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/config.h"
#include "model/record.h"

struct source;

struct source_open {
	const char *name;            /* "api" */
	const char *section;         /* "sources.api" */
	const struct config *config; /* borrowed for the life of the source */
	struct clock clock;          /* wall time */
	bool finite;                 /* end when the source has no more (import, --print --once) */
};

struct source_request {
	struct str cursor;   /* as committed; empty at the very first start */
	int64_t deadline_ns; /* monotonic */
	int stop_fd; /* readable once the program is asked to stop: then fetch may end early with ERR_CANCELLED; <= 0: none */
};

struct source_batch {
	struct arena *arena;    /* the records' memory; the runner clears it after the commit */
	struct record *records; /* set by fetch, in the arena; source and key filled in */
	size_t record_count;    /* <= FEED_BATCH_RECORDS */
	struct buf *cursor;     /* fetch writes the next cursor here (cleared before) */
	int64_t watermark_ns; /* no record with an earlier event time is still expected; FEED_WATERMARK_NONE at first */
	bool more;       /* call again at once; false: the source had no more just now */
	bool done;       /* a finite source has given everything */
	int64_t wait_ns; /* when !more: how long the source suggests to wait before the next fetch */
	int64_t pace_ns; /* when more: how long to wait all the same, for a source that may be asked only so often */
	const char *
		note; /* a condition worth telling the operator once (a refused metadata query), or NULL; in the arena */
	const char *
		counts; /* what the source counts, as one line for STATUS ("lines 12, found late 3"), or NULL; in the arena */
};

struct source_type {
	const char *name;    /* "cloudwatch": the value of `type` in the configuration */
	const char *summary; /* one sentence */
	unsigned kinds;      /* bit k: may give record kind k (GAP and REJECT need not be named) */
	/* Returns 0 and *out_source, or ERR_CONFIG, ERR_NOMEM. Makes no connection. */
	int (*open)(const struct source_open *how, struct source **out_source, struct error *err);
	/* Returns 0 and a batch (perhaps empty: then the cursor may still move, and is committed), or
	 *   ERR_AGAIN   the source is away or throttles; the runner backs off and calls again with the same cursor
	 *   ERR_AUTH    refused; the runner backs off longer and says so
	 *   ERR_GONE    what is read no longer exists (log group deleted); the runner keeps the cursor and alerts
	 *   ERR_CONFIG  can't work as configured; the runner reports FAILED and retries slowly
	 *   ERR_INPUT   the whole reply is unreadable; as AGAIN, counted
	 *   ERR_CANCELLED  stop_fd became readable; the runner ends
	 * On any error the batch is ignored. */
	int (*fetch)(struct source *source, const struct source_request *request,
		     struct source_batch *batch, struct error *err);
	void (*close)(struct source *source);
};

#define SOURCE(name) extern const struct source_type source_##name;
#include "collector/sources.def"
#undef SOURCE

/* All source types (collector/sources.def), ended by NULL; and the one of a name, or NULL. */
const struct source_type *const *source_types(void);
const struct source_type *source_type_by_name(const char *name);

#endif
