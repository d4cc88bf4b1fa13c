/* lifestate - what the parts of life share; for life.c, erasing.c, retaining.c, retainlog.c and lifenote.c only.
 *
 * Threads: the writer's. Tests: tests/unit/life.c
 */
#ifndef CORRELATOR_LIFESTATE_H
#define CORRELATOR_LIFESTATE_H

#include "base/hash.h"
#include "correlator/held.h"
#include "correlator/ledger.h"
#include "correlator/life.h"
#include "correlator/rewrite.h"
#include "store/erasures.h"

#define LIFE_SLICE_NS (50 * NS_PER_MS) /* of small work in one turn */
#define LIFE_CHILD_NS (20 * NS_PER_MS) /* between looks at the child that knows what holds cover */

enum erasing_stage {
	ERASING_FIND,    /* the records that the ledger names */
	ERASING_DIGESTS, /* the names of the records that the order means */
	ERASING_LEDGER,
	ERASING_HOLDS,
	ERASING_HEAD,
	ERASING_BLOCKS,
	ERASING_TIDY,
};

/* Sealed blocks that are to be looked at. */
struct life_block {
	uint64_t number, rows, file_bytes;
	int64_t newest_ns; /* retention: event time of its newest record that may go */
	bool is_settled;
	int action; /* retention */
};
struct life_blocks {
	struct life_block *list;
	size_t count, room, next;
};

struct erasing {
	struct erasure row;
	enum erasing_stage stage;
	struct leafset leaves;
	struct buf digests;
	size_t at;          /* in runs */
	uint64_t next_leaf; /* of the run, or of the store */
	struct life_blocks blocks;
	bool head_begun;
	uint64_t failed; /* blocks that could not be written anew */
	struct leafset *
		found; /* per entry of the ledger: its records; NULL: they were not looked for yet */
	size_t found_count;
	bool all_found;
};

enum retaining_class { RETAIN_RECORDS, RETAIN_SIZE, RETAIN_LITERALS, RETAIN_CLASSES };

struct retaining_done { /* of a class, in one run */
	uint64_t records, blocks, held;
	int64_t from_ns, to_ns;
};

struct retaining {
	bool holds_known, head_begun;
	int64_t now_ns; /* of the run */
	struct life_blocks blocks;
	struct retaining_done done[RETAIN_CLASSES];
	struct leafset masked;    /* numbers of blocks that hold no literals any more */
	struct leafset partly;    /* likewise, but for what holds cover */
	struct u64map newest;     /* number to newest_ns, as its bits, of blocks that were opened */
	struct life_block intent; /* the block in work; number 0: none */
	uint64_t last_number;     /* before the block in work was begun */
	struct leafset alerts;    /* leaves of ALERT records that went */
	struct leafset going;     /* those of the block in work */
};

enum life_work { LIFE_NOTHING, LIFE_ERASURE, LIFE_RETENTION };

struct life {
	struct keeper *keeper;
	struct store *store;
	const char *store_dir, *config_path;
	struct retention_settings settings;
	struct ledger *ledger;
	char store_id[ERASURES_ID_DIGITS + 1];
	bool ledger_inside; /* it stands in the store */
	struct held held;
	struct rewrite rewrite;
	enum life_work work;
	struct erasing erasing;
	struct retaining retaining;
	bool look_erasures;        /* one may be due */
	int64_t look_ns, retry_ns; /* monotonic */
	struct error problem;      /* the last failure; code 0: it is over */
};

/* life: asks what holds cover; *out_known: it is known now. */
int life_ask_holds(struct life *life, bool *out_known, struct error *err);

/* Adds a block to a list. Returns 0 or ERR_NOMEM. */
int life_blocks_add(struct life_blocks *blocks, const struct life_block *block, struct error *err);

/* erasing: begins with a row; one step of it. *out_over: it ended, perhaps with an open transaction. *io_next_ns is put off when it must wait. */
int erasing_begin(struct life *life, const struct erasure *row, struct error *err);
int erasing_step(struct life *life, bool *out_over, int64_t *io_next_ns, struct error *err);

/* Begins again behind the ledger: the holds have changed. */
void erasing_again(struct life *life);
void erasing_done(struct erasing *erasing);

/* retaining: reads what the store remembers of earlier runs. */
int retaining_init(struct life *life, struct error *err);
void retaining_done(struct retaining *retaining);

/* Whether anything is due now; then a run is begun. */
int retaining_begin(struct life *life, bool *out_due, struct error *err);
int retaining_step(struct life *life, bool *out_over, int64_t *io_next_ns, struct error *err);

/* retainlog: adds what was done with a block to its class; whether there is anything that was not told yet. */
void retaining_note(struct life *life, const struct life_block *block, uint64_t records,
		    uint64_t held);
bool retaining_has_done(const struct retaining *retaining);

/* Remembers what was done, and which block is begun (NULL: none): a crash must not lose that it is to be told. */
int retaining_write_pending(struct life *life, const struct life_block *intent, struct error *err);

/* Remembers which blocks were masked. */
int retaining_write_masked(struct life *life, struct error *err);

/* A hold was released: what it covered is looked at again. */
int retaining_released(struct life *life, struct error *err);

/* lifenote: lifecycle records, in the open transaction or one that is begun. */
int lifenote_erasure(struct life *life, const struct erasure *row, struct error *err);
int lifenote_retention(struct life *life, enum retaining_class which, struct error *err);

/* Remembers for `querytrail status` what a run did; in the open transaction. */
int lifenote_last(struct life *life, struct error *err);

/* What `querytrail status` shows; in a transaction of its own, if none is open. */
int lifenote_state(struct life *life, struct error *err);

#endif
