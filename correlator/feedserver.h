/* feedserver - feed.sock: who is connected, their frames, and what they are answered.
 *
 * Shape:   one peer a connection: HELLO, WELCOME, then BATCH and STATUS; a batch waits until feedserver_confirm.
 *          querytrail-notify is sent ALERT frames instead and gives RECEIPT frames. A peer that breaks
 *          the rules is told why in an ERROR frame and closed; nothing of the frame is taken.
 * Limits:  FEEDSERVER_PEERS connections; one batch in flight on each.
 * Handlers: they return 0; ERR_INPUT, ERR_CONFIG, ERR_AGAIN or ERR_LIMIT to have the peer told and closed; any other error ends
 *          the loop. A peer's pointer is good until `gone` was called with it.
 * Threads: one per loop. Blocking: never.
 * Source:  model/feed.h. Tests: tests/unit/feedserver.c
 */
#ifndef CORRELATOR_FEEDSERVER_H
#define CORRELATOR_FEEDSERVER_H

#include "base/loop.h"
#include "model/feed.h"

#define FEEDSERVER_PEERS 256

struct feedserver;
struct feedpeer;

struct feedserver_handlers {
	/* A peer says who it is. out_cursor: what WELCOME carries, borrowed until the handler's next call. */
	int (*hello)(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		     struct str *out_cursor, struct error *err);
	/* A batch; frame and records borrow until return. It is confirmed later. */
	int (*batch)(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		     struct error *err);
	int (*status)(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		      struct error *err);
	/* A receipt of querytrail-notify; the frame borrows until return. */
	int (*receipt)(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		       struct error *err);
	/* What an anchor said, by querytrail-notify; the frame borrows until return. */
	int (*anchored)(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
			struct error *err);
	/* What feedpeer_send could not send at once is sent. Errors end the loop. */
	int (*drained)(void *owner, struct feedpeer *peer, struct error *err);
	/* The connection ended. why is NULL when the peer closed it in order. */
	void (*gone)(void *owner, struct feedpeer *peer, const struct error *why);
};

/* Listens at path. loop, handlers and owner are borrowed until feedserver_close.
 * Returns 0, or ERR_CONFIG, ERR_IO (somebody listens there), ERR_NOMEM. */
struct feedserver_options {
	struct loop *loop;
	const char *path;
	const struct feedserver_handlers *handlers;
	void *owner;
};
int feedserver_open(const struct feedserver_options *options, struct feedserver **out_server,
		    struct error *err);

/* Tells every peer the reason (ERROR with code AGAIN), closes all and removes the socket file. NULL is fine. */
void feedserver_close(struct feedserver *server, const char *reason);

/* What the handlers attach to a peer. */
void feedpeer_set_data(struct feedpeer *peer, void *data);
void *feedpeer_data(const struct feedpeer *peer);

/* Whether the other side has hung up already, although that was not noticed yet. */
bool feedpeer_is_dead(const struct feedpeer *peer);

/* Sends a frame, or as much of it as the peer takes now; the rest goes when it takes more. Returns 0, ERR_LIMIT (far too much is
 * waiting already) or ERR_GONE: then its connection is to be ended. */
int feedpeer_send(struct feedpeer *peer, const struct feed_frame *frame, struct error *err);

/* Bytes that wait to be sent. */
size_t feedpeer_queued(const struct feedpeer *peer);

/* Ends a peer's connection with an ERROR frame. */
void feedpeer_refuse(struct feedpeer *peer, const struct error *why);

/* Sets what its batch became; it is sent by feedserver_confirm. */
struct feedpeer_counts {
	uint64_t stored, duplicate, rejected;
};
void feedpeer_set_counts(struct feedpeer *peer, const struct feedpeer_counts *counts);

/* Sends COMMITTED to every peer whose batch waits. */
void feedserver_confirm(struct feedserver *server);

/* How many batches wait for feedserver_confirm. */
size_t feedserver_waiting(const struct feedserver *server);

/* Takes in what lies in the sockets already, without waiting for more. */
int feedserver_drain(struct feedserver *server, struct error *err);

#endif
