/* feed - the frames between collectors (and serve) and the daemon, over feed.sock.
 *
 * Shape:   u32 length (of what follows), u8 type, payload. Integers little-endian, texts as wire blocks.
 * Order:   client: HELLO; daemon: WELCOME with the committed cursor; then client: BATCH / STATUS, daemon: COMMITTED per BATCH in
 *          order. One BATCH may be in flight. Either side may send ERROR, then closes.
 *          querytrail-notify says HELLO without kinds, as source "notify"; after WELCOME the daemon sends ALERT frames: each alert
 *          with the deliveries that wait, and once per connection each other alert that fires, with no delivery, because
 *          Alertmanager must hear of it for as long as it fires. A delivery is in notify's hands until its RECEIPT, which come in
 *          any order. RETRY gives it back with the attempts that failed so far and when it is due: the daemon sends it again
 *          then, not before. Deliveries without a receipt when a connection ends are sent again on the next one.
 *          CHECKPOINT frames go to notify too, at most one an anchor at a time; each is answered by ANCHORED.
 * Limits:  a frame <= FEED_FRAME_MAX; a batch <= FEED_BATCH_RECORDS records; a cursor <= FEED_CURSOR_MAX bytes.
 * Errors:  a malformed frame ends the connection; nothing of it is taken.
 * Threads: pure. Blocking: never (feed_send and feed_receive block on their descriptor).
 * Source:  docs/format.md section 2. Tests: tests/unit/feed.c, tests/fuzz/feed.c
 */
#ifndef MODEL_FEED_H
#define MODEL_FEED_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

#include <stdint.h>

#define FEED_VERSION        1
#define FEED_FRAME_MAX      (24u << 20)
#define FEED_BATCH_RECORDS  8192
#define FEED_CURSOR_MAX     (4u << 20) /* a statement that still waits for parts travels in it */
#define FEED_WATERMARK_NONE INT64_MIN

enum feed_type { /* sent; never changes */
		 FEED_HELLO = 1,
		 FEED_WELCOME = 2,
		 FEED_BATCH = 3,
		 FEED_COMMITTED = 4,
		 FEED_STATUS = 5,
		 FEED_ERROR = 6,
		 FEED_ALERT = 7,
		 FEED_RECEIPT = 8,
		 FEED_CHECKPOINT = 9,
		 FEED_ANCHORED = 10,
};

enum feed_state {                          /* STATUS */
		  FEED_STATE_OK = 1,       /* talking to the source */
		  FEED_STATE_RETRYING = 2, /* a passing fault; text says which */
		  FEED_STATE_FAILED = 3,   /* will not get better by itself; text says what to do */
		  FEED_STATE_DONE =
			  4, /* a source with an end (files) has reached it and all is committed */
};

enum feed_outcome {                     /* RECEIPT */
		    FEED_DELIVERED = 1, /* the channel has taken it */
		    FEED_RETRY = 2,     /* it has not; it is tried again at next_ns */
		    FEED_DEAD = 3,      /* it will not be tried again by itself; text says why */
};

enum feed_anchored { /* ANCHORED */
		     FEED_TAKEN =
			     1, /* the anchor has the checkpoint; receipt proves it, where there is one */
		     FEED_NOT_TAKEN = 2, /* it has not; text says why; it is tried again */
		     FEED_OTHER_SIZE =
			     3, /* a witness that signed old_size records last: a proof from there is asked for */
		     FEED_ANCHOR_AHEAD =
			     4, /* it has a checkpoint of old_size records, which are more than these */
		     FEED_ANCHOR_FORK = 5, /* it has seen another tree */
};

#define FEED_DELIVERIES_MAX 64
#define FEED_RECEIPT_MAX    65536 /* bytes of an anchor's receipt */

struct feed_delivery { /* of an alert to a channel, as the outbox has it */
	struct str channel;
	uint32_t attempts; /* that failed so far */
	int64_t next_ns;   /* not before this wall time; 0: now */
};

struct feed_frame {
	enum feed_type type;
	struct str program;     /* HELLO: "querytrail-collect" */
	struct str source;      /* HELLO: the source's name */
	struct str source_type; /* HELLO: "cloudwatch" */
	uint32_t kinds;         /* HELLO: bit k, record kind k */
	struct str cursor;      /* WELCOME: as committed, empty at first; BATCH: the next one */
	uint64_t
		sequence; /* BATCH, COMMITTED: counted up from 1 on each connection; ALERT, RECEIPT: the alert's revision */
	int64_t watermark_ns; /* BATCH: no record with an earlier event time is still to come; FEED_WATERMARK_NONE */
	bool caught_up;            /* BATCH: the source had no more at the time */
	const struct str *records; /* BATCH: encoded records, borrowed */
	size_t record_count;
	uint64_t stored, duplicate, rejected; /* COMMITTED: what became of the batch's records */
	enum feed_state state;                /* STATUS */
	int code;                             /* ERROR: an ERR_* */
	struct str text;                      /* STATUS, ERROR, RECEIPT, ANCHORED: a sentence */
	struct str alert; /* ALERT: encoded (model/alert.h); RECEIPT: the alert's id */
	const struct feed_delivery
		*deliveries; /* ALERT: those that wait; RECEIPT: exactly one. Borrowed */
	size_t delivery_count;
	enum feed_outcome outcome; /* RECEIPT */
	struct str anchor;         /* CHECKPOINT, ANCHORED: its name in the configuration */
	uint64_t size;             /* CHECKPOINT, ANCHORED: leaves in the tree */
	uint64_t old_size; /* CHECKPOINT: where the proof begins; ANCHORED: what the anchor has */
	struct str note;   /* CHECKPOINT: as it was signed */
	struct str
		proof; /* CHECKPOINT: hashes of 32 bytes each; none for an anchor that needs none */
	enum feed_anchored anchored; /* ANCHORED; text is a sentence */
	struct str receipt;          /* ANCHORED: cosignature lines, or a time stamp reply (DER) */
};

/* Appends the frame with its length to out. Returns 0 or ERR_LIMIT; then out is as before. */
int feed_encode(const struct feed_frame *frame, struct buf *out, struct error *err);

/* Reads one frame from the front of bytes.
 *   arena       holds the record list of a BATCH and the deliveries; everything else borrows from bytes
 *   out_used    bytes that the frame took
 * Returns 0, ERR_AGAIN when bytes hold only the start of a frame, or ERR_INPUT for a malformed one. */
int feed_decode(struct str bytes, struct arena *arena, struct feed_frame *out_frame,
		size_t *out_used, struct error *err);

/* Sends one frame over a blocking descriptor. Returns 0, ERR_GONE, ERR_IO or ERR_LIMIT. */
int feed_send(int fd, const struct feed_frame *frame, struct buf *scratch, struct error *err);

/* Receives one frame from a blocking descriptor; the frame borrows from buffer (cleared first) and arena.
 * Returns 0, ERR_GONE, ERR_AGAIN (receive timeout), ERR_IO or ERR_INPUT. */
int feed_receive(int fd, struct buf *buffer, struct arena *arena, struct feed_frame *out_frame,
		 struct error *err);

#endif
