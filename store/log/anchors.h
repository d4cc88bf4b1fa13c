/* anchors - what left the host: for each anchor what it has, since when and what went wrong; and the receipts that it gave.
 *
 * Shape:   tables anchors (a row an anchor) and receipts (a row an anchor and size; only those that prove something: cosignatures, time stamps).
 * Life:    receipts of the last ANCHORS_ALL_NS are kept, and of older ones the last of each hour.
 * Commit:  within the writer's open transaction, or by itself.
 * Errors:  ERR_GONE: there is none. ERR_CORRUPT, ERR_IO, ERR_NOMEM, ERR_LIMIT.
 * Threads: as the store. Blocking: disk. Source: docs/format.md section 11. Tests: tests/unit/anchors.c
 */
#ifndef STORE_LOG_ANCHORS_H
#define STORE_LOG_ANCHORS_H

#include "store/log/checkpoints.h"

#define ANCHORS_ALL_NS   (INT64_C(24) * 3600 * 1000000000)
#define ANCHORS_NAME_MAX 64
#define ANCHORS_TEXT_MAX 512

/* An anchor as it is. Sizes are numbers of leaves; times are wall times. */
struct anchor_state {
	char name[ANCHORS_NAME_MAX + 1];
	char type[16];
	uint64_t taken_size;            /* of the newest checkpoint that it has taken */
	int64_t taken_ns;               /* when; INT64_MIN: never */
	uint64_t known_size;            /* what a witness signed last, as it says */
	uint32_t failures;              /* in a row */
	int64_t next_ns;                /* not before */
	char origin[NOTE_NAME_MAX + 1]; /* the log that all this is of */
	char text[ANCHORS_TEXT_MAX];    /* what went wrong last; empty: nothing */
};

/* Returns 0, or ERR_GONE when there is none of the name. */
int anchors_get(struct store *store, const char *name, struct anchor_state *out, struct error *err);
int anchors_put(struct store *store, const struct anchor_state *state, struct error *err);

/* Forgets an anchor; its receipts stay. */
int anchors_drop(struct store *store, const char *name, struct error *err);

/* Calls back for each, by name. A callback result other than 0 ends the walk and is returned. */
typedef int anchors_fn(void *owner, const struct anchor_state *state, struct error *err);
int anchors_walk(struct store *store, anchors_fn *each, void *owner, struct error *err);

enum anchor_receipt_kind {                         /* stored; never changes */
			   ANCHOR_COSIGNATURE = 1, /* signature lines of a witness */
			   ANCHOR_TIMESTAMP =
				   2, /* a TimeStampResp over the bytes of the checkpoint's note */
};

struct anchor_receipt {
	struct str anchor; /* borrowed, all of them */
	uint64_t size;
	int64_t time_ns; /* when it came */
	enum anchor_receipt_kind kind;
	struct str note; /* put: the checkpoint that it is of; walk: empty */
	struct str bytes;
};

/* Stores one; one of the same anchor and size gives way. */
int anchors_put_receipt(struct store *store, const struct anchor_receipt *receipt,
			struct error *err);

/* Calls back for the receipts of one checkpoint, by anchor. */
typedef int anchors_receipt_fn(void *owner, const struct anchor_receipt *receipt,
			       struct error *err);
int anchors_receipts(struct store *store, const struct checkpoint *checkpoint,
		     anchors_receipt_fn *each, void *owner, struct error *err);

/* Appends the checkpoint's note with the cosignatures that it got. */
int anchors_note(struct store *store, const struct checkpoint *checkpoint, struct buf *out,
		 struct error *err);

#endif
