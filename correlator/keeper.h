/* keeper - makes durable what comes in, exactly once: dedupe, join, one transaction for all of it.
 *
 * Order:   keeper_take appends a batch to the open transaction (which it begins when there is none); keeper_commit adds the
 *          verdicts that follow and the state of all sources, and makes everything durable. Only then may batches be confirmed.
 * Counts:  for each source received = stored + duplicate holds after every commit. What the daemon itself adds (gaps of silence)
 *          counts as gaps only.
 * Errors:  ERR_INPUT from keeper_take: nothing of the batch was taken. Every other error is final: the keeper must be closed; what
 *          was committed stands.
 * Threads: one keeper per thread. Blocking: disk.
 * Tests:   tests/unit/keeper.c, tests/crash/
 */
#ifndef CORRELATOR_KEEPER_H
#define CORRELATOR_KEEPER_H

#include "base/clock.h"
#include "correlator/admission.h"
#include "correlator/alerting.h"
#include "correlator/join/join.h"
#include "correlator/roster.h"

#define KEEPER_BATCH_RECORDS 8192       /* a transaction of this many records is full */
#define KEEPER_BATCH_BYTES   (32 << 20) /* or of this many bytes */
#define KEEPER_VERDICTS      16384 /* the most verdicts in one transaction; the rest go with the next */

#define KEEPER_CLOCK_KEY \
	"clock." /* and the source: a setting of the store, docs/format.md section 5.1 */
#define KEEPER_CLOCKS    64
#define KEEPER_CLOCKS_NS (3 * NS_PER_SEC) /* the least between two looks at the clocks */

struct keeper;

struct keeper_options {
	const char *store_dir;
	struct str store_key; /* 64 hexadecimal digits; empty: blocks are not encrypted */
	const struct join_options *join; /* copied */
	bool records_only;               /* say no verdicts; the next keeper does */
	size_t max_keys;                 /* of the dedupe table */
	size_t visits; /* records that are given back from blocks before a seal is wanted; 0: JOINING_VISITED */
	int64_t now_ns;
};

/* Opens (makes) the store and takes in what its head holds: keys, records for the join, verdicts, sources. What is sealed is looked at when
 * it matters (correlator/joining.h).
 * Returns 0, or what store_open, store_walk and join_new say. */
int keeper_open(const struct keeper_options *options, struct keeper **out_keeper,
		struct error *err);

/* Closes; an open transaction is given up. NULL is fine. */
void keeper_close(struct keeper *keeper);

/* What the rules say; and the store, for those who only read. Both live as long as the keeper. */
struct alerting *keeper_alerting(struct keeper *keeper);
struct store *keeper_store(struct keeper *keeper);

/* The sources, which live as long as the keeper; what is dirty goes with the next commit. */
struct roster *keeper_roster(struct keeper *keeper);

struct keeper_batch {
	struct roster_source *source;
	unsigned kinds;            /* bit k: the source may give kind k */
	const struct str *records; /* canonical bytes */
	size_t record_count;
	struct str cursor;
	int64_t watermark_ns;
	bool caught_up;
	int64_t now_ns;
};

struct keeper_result {
	uint64_t stored, duplicate, rejected;
	uint64_t conflicting; /* among stored: known keys with other bytes */
};

/* Takes a batch into the open transaction. Returns 0, ERR_INPUT (a record is malformed, of another source or kind; nothing was
 * taken), or a final error. */
int keeper_take(struct keeper *keeper, const struct keeper_batch *batch,
		struct keeper_result *out_result, struct error *err);

/* Takes a record of the daemon's own (LIFECYCLE, GAP); a known key is passed over. */
int keeper_note(struct keeper *keeper, const struct record *record, int64_t now_ns,
		struct error *err);

/* What is not taken again; lives as long as the keeper. */
struct admission *keeper_admission(struct keeper *keeper);

/* Whether an order about holds or erasures was committed since the last call. */
bool keeper_take_orders(struct keeper *keeper);

/* What waits for the commit. */
uint64_t keeper_pending_records(const struct keeper *keeper);
uint64_t keeper_pending_bytes(const struct keeper *keeper);
bool keeper_has_pending(const struct keeper *keeper);

/* Whether a transaction is open: what is in it is not yet so. */
bool keeper_is_open(const struct keeper *keeper);

/* Whether the transaction must be committed before the next batch is taken. */
bool keeper_is_full(const struct keeper *keeper);

/* What became of a delivery of an alert; see alerting_receive. Goes with the next commit. */
int keeper_receive(struct keeper *keeper, const struct outbox_receipt *receipt, int64_t now_ns,
		   bool *out_known, struct error *err);

/* Ends alerts that have fired for as long as they may. *out_more: call again after the commit. */
int keeper_expire(struct keeper *keeper, int64_t now_ns, bool *out_more, struct error *err);

/* Makes everything durable, verdicts, alerts and estimates of clocks included. *out_more: verdicts or alerts are left over; call again soon (a transaction may be
 * empty). */
int keeper_commit(struct keeper *keeper, int64_t now_ns, bool *out_more, struct error *err);

/* Whether more is to be judged when what was said so far is sealed; keeper_commit then says *out_more. When nothing can be sealed,
 * keeper_go_on lets the next commit go on all the same. */
bool keeper_wants_seal(const struct keeper *keeper);
void keeper_go_on(struct keeper *keeper);

/* Gives memory back while blocks are made: what is open of sealed blocks, and with `all` the indexes over them too. No transaction may be open. */
void keeper_rest(struct keeper *keeper, bool all);

/* Judges the head again by other options, and from now on what comes back from sealed blocks: what differs is said as a revision with
 * the next commit. Final verdicts on sealed records stay. Nothing may be pending. On failure the old options stay. */
int keeper_rejoin(struct keeper *keeper, const struct join_options *options, struct error *err);

/* A sealed block that could not be read since the last call; what it held is judged and deduped without. */
bool keeper_damage(struct keeper *keeper, struct error *out_damage);

/* Figures for the status line. */
struct keeper_figures {
	uint64_t leaves;
	size_t keys, open_statements,
		open_requests; /* in memory; what is sealed and open is not among them */
	size_t in_memory;      /* records in the join */
	size_t most_visits; /* the most of them that were given back together to get their verdicts */
	bool other_options; /* the store was judged by other options of the join before this start or reload */
	bool join_full; /* the join holds as many records as it may: later ones are stored without verdicts */
};
struct keeper_figures keeper_figures(const struct keeper *keeper);

#endif
