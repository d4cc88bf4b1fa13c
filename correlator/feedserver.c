#include "correlator/feedserver.h"

#include "base/io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define READ_BYTES   (256 << 10)
#define KEEP_BYTES   (16 << 20) /* a larger buffer is given back once it is empty */
#define DRAIN_ROUNDS 64

struct feedpeer {
	struct feedserver *server;
	struct feedpeer *next;
	int fd;
	struct loop_event *event;
	struct buf in, out;
	bool greeted;
	bool waiting; /* a batch that is not confirmed yet */
	bool busy;    /* its frames are being handled: not to be freed now */
	bool dead;
	bool broken; /* why says how it ended */
	struct error why;
	uint64_t sequence;
	struct feedpeer_counts counts;
	void *data;
};

struct feedserver {
	struct feedserver_options options;
	char *path;
	int fd;
	struct loop_event *event;
	struct feedpeer *peers;
	size_t peer_count;
	struct arena arena; /* record lists of batches */
};

void feedpeer_set_data(struct feedpeer *peer, void *data)
{
	peer->data = data;
}

void *feedpeer_data(const struct feedpeer *peer)
{
	return peer->data;
}

void feedpeer_set_counts(struct feedpeer *peer, const struct feedpeer_counts *counts)
{
	peer->counts = *counts;
}

bool feedpeer_is_dead(const struct feedpeer *peer)
{
	struct pollfd poll_fd = {.fd = peer->fd, .events = POLLRDHUP};
	return peer->dead || (poll(&poll_fd, 1, 0) > 0 &&
			      (poll_fd.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0);
}

static void free_peer(struct feedpeer *peer)
{
	struct feedserver *server = peer->server;
	struct feedpeer **link = &server->peers;
	while (*link != peer) {
		link = &(*link)->next;
	}
	*link = peer->next;
	server->peer_count--;
	server->options.handlers->gone(server->options.owner, peer,
				       peer->broken ? &peer->why : NULL);
	loop_remove(peer->event);
	(void)close(peer->fd); /* all that matters was sent */
	buf_done(&peer->in);
	buf_done(&peer->out);
	free(peer);
}

static void mark_dead(struct feedpeer *peer, const struct error *why)
{
	if (!peer->dead) {
		peer->dead = true;
		peer->waiting = false;
		peer->broken = why != NULL;
		if (why != NULL) {
			peer->why = *why;
		}
	}
}

/* Ends a connection now, or as soon as its frames are dealt with. */
static void end_peer(struct feedpeer *peer, const struct error *why)
{
	mark_dead(peer, why);
	if (!peer->busy) {
		free_peer(peer);
	}
}

/* Sends what is in out as far as the socket takes it. */
static int flush_peer(struct feedpeer *peer, struct error *err)
{
	while (peer->out.len > 0) {
		ssize_t sent =
			send(peer->fd, peer->out.ptr, peer->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR) {
			continue;
		}
		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			break;
		}
		if (sent < 0) {
			return error_errno(err, "a peer of feed.sock can't be answered");
		}
		buf_consume(&peer->out, (size_t)sent);
	}
	loop_want(peer->event, LOOP_READ | (peer->out.len > 0 ? LOOP_WRITE : 0));
	return 0;
}

static int send_frame(struct feedpeer *peer, const struct feed_frame *frame, struct error *err)
{
	int rc = feed_encode(frame, &peer->out, err);
	return rc < 0 ? rc : flush_peer(peer, err);
}

int feedpeer_send(struct feedpeer *peer, const struct feed_frame *frame, struct error *err)
{
	if (peer->dead) {
		return error_set(err, ERR_GONE, "the connection ended");
	}
	return send_frame(peer, frame, err);
}

size_t feedpeer_queued(const struct feedpeer *peer)
{
	return peer->out.len;
}

/* Throws away what the peer sent on, or the system would answer our close with a reset that overtakes the ERROR frame. */
static void discard_input(int fd)
{
	char bytes[16384];
	for (int round = 0; round < 4096; round++) {
		if (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) <= 0) {
			return;
		}
	}
}

void feedpeer_refuse(struct feedpeer *peer, const struct error *why)
{
	struct feed_frame frame = {
		.type = FEED_ERROR, .code = why->code, .text = str_of(why->text)};
	if (!peer->dead) {
		(void)send_frame(peer, &frame, NULL); /* the connection ends either way */
		(void)shutdown(peer->fd, SHUT_WR);    /* as above */
		discard_input(peer->fd);
	}
	end_peer(peer, why);
}

static int on_hello(struct feedpeer *peer, const struct feed_frame *frame, struct error *err)
{
	struct feedserver *server = peer->server;
	struct feed_frame welcome = {.type = FEED_WELCOME};
	if (peer->greeted) {
		return error_set(err, ERR_INPUT, "a second HELLO on one connection");
	}
	int rc = server->options.handlers->hello(server->options.owner, peer, frame,
						 &welcome.cursor, err);
	if (rc < 0) {
		return rc;
	}
	peer->greeted = true;
	return send_frame(peer, &welcome, err) < 0 ? -ERR_AGAIN : 0;
}

static int on_batch(struct feedpeer *peer, const struct feed_frame *frame, struct error *err)
{
	struct feedserver *server = peer->server;
	if (!peer->greeted || peer->waiting) {
		return error_set(err, ERR_INPUT, "a BATCH before %s",
				 peer->greeted ? "the last one was confirmed" : "HELLO");
	}
	if (frame->sequence != peer->sequence + 1) {
		return error_set(err, ERR_INPUT, "batch %llu came after batch %llu",
				 (unsigned long long)frame->sequence,
				 (unsigned long long)peer->sequence);
	}
	int rc = server->options.handlers->batch(server->options.owner, peer, frame, err);
	if (rc == 0) {
		peer->sequence = frame->sequence;
		peer->waiting = true;
	}
	return rc;
}

static int on_frame(struct feedpeer *peer, const struct feed_frame *frame, struct error *err)
{
	struct feedserver *server = peer->server;
	switch (frame->type) {
	case FEED_HELLO:
		return on_hello(peer, frame, err);
	case FEED_BATCH:
		return on_batch(peer, frame, err);
	case FEED_STATUS:
		if (!peer->greeted) {
			return error_set(err, ERR_INPUT, "STATUS before HELLO");
		}
		return server->options.handlers->status(server->options.owner, peer, frame, err);
	case FEED_ERROR:
		return error_set(err, ERR_AGAIN, "the peer gave up: %.*s", STR_ARG(frame->text));
	case FEED_RECEIPT:
		if (!peer->greeted) {
			return error_set(err, ERR_INPUT, "RECEIPT before HELLO");
		}
		return server->options.handlers->receipt(server->options.owner, peer, frame, err);
	case FEED_ANCHORED:
		if (!peer->greeted) {
			return error_set(err, ERR_INPUT, "ANCHORED before HELLO");
		}
		return server->options.handlers->anchored(server->options.owner, peer, frame, err);
	case FEED_WELCOME:
	case FEED_COMMITTED:
	case FEED_ALERT:
	case FEED_CHECKPOINT:
		break;
	}
	return error_set(err, ERR_INPUT, "frame %d does not come from a client", (int)frame->type);
}

/* Whether an error concerns this peer alone. */
static bool is_peers_fault(int rc)
{
	return rc == -ERR_INPUT || rc == -ERR_CONFIG || rc == -ERR_AGAIN || rc == -ERR_LIMIT;
}

/* Handles all frames that are whole. Returns 0, or an error that ends the loop. */
static int handle_input(struct feedpeer *peer)
{
	struct feedserver *server = peer->server;
	struct error err;
	size_t used = 0;
	int rc = 0;
	error_clear(&err);
	while (rc == 0 && !peer->dead && used < peer->in.len) {
		struct feed_frame frame;
		size_t size = 0;
		arena_clear(&server->arena);
		rc = feed_decode(str_slice(buf_str(&peer->in), used, peer->in.len), &server->arena,
				 &frame, &size, &err);
		if (rc == -ERR_AGAIN) {
			rc = 0;
			break;
		}
		rc = rc < 0 ? rc : on_frame(peer, &frame, &err);
		used += size;
	}
	buf_consume(&peer->in, used);
	if (peer->in.len == 0 && peer->in.capacity > KEEP_BYTES) {
		buf_done(&peer->in);
		buf_init(&peer->in, FEED_FRAME_MAX + 2 * READ_BYTES);
	}
	if (rc < 0 && (is_peers_fault(rc) || peer->dead)) {
		feedpeer_refuse(peer, &err);
		rc = 0;
	}
	peer->why = rc < 0 ? err : peer->why;
	return rc;
}

/* Reads once. *out_more: there may be more to read. */
static int read_peer(struct feedpeer *peer, bool *out_more, struct error *err)
{
	*out_more = false;
	if (buf_reserve(&peer->in, READ_BYTES) < 0) {
		(void)error_set(err, ERR_LIMIT, "no memory for what a peer of feed.sock sends");
		end_peer(peer, err);
		return 0;
	}
	ssize_t got = recv(peer->fd, peer->in.ptr + peer->in.len, READ_BYTES, MSG_DONTWAIT);
	if (got > 0) {
		peer->in.len += (size_t)got;
		peer->in.ptr[peer->in.len] = 0;
		*out_more = got == READ_BYTES;
		int rc = handle_input(peer);
		if (rc < 0) {
			*err = peer->why;
		}
		return rc;
	}
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
		return 0;
	}
	if (got == 0 && peer->in.len == 0) {
		end_peer(peer, NULL);
		return 0;
	}
	struct error why;
	(void)error_set(&why, ERR_GONE, "the connection ended %s", /* only kept */
			got == 0 ? "in the middle of a frame" : "with an error");
	end_peer(peer, &why);
	return 0;
}

static int on_peer(void *owner, unsigned ready, struct error *err)
{
	struct feedpeer *peer = owner;
	bool more = false;
	struct error local;
	struct error *out = err != NULL ? err : &local;
	int rc = 0;
	peer->busy = true;
	if ((ready & LOOP_WRITE) != 0 && flush_peer(peer, out) < 0) {
		mark_dead(peer, out);
	}
	if (!peer->dead && (ready & LOOP_WRITE) != 0 && peer->out.len == 0) {
		const struct feedserver_options *options = &peer->server->options;
		rc = options->handlers->drained(options->owner, peer, out);
	}
	if (rc == 0 && !peer->dead) {
		rc = read_peer(peer, &more, out);
	}
	peer->busy = false;
	if (peer->dead) {
		free_peer(peer);
	}
	return rc;
}

static int add_peer(struct feedserver *server, int fd, struct error *err)
{
	struct feedpeer *peer = calloc(1, sizeof *peer);
	if (peer == NULL) {
		(void)close(fd); /* nothing was said yet */
		return error_set(err, ERR_NOMEM, "no memory for a peer of feed.sock");
	}
	int rc = loop_add_fd(server->options.loop, fd,
			     (struct loop_fd_call){on_peer, peer, LOOP_READ}, &peer->event, err);
	if (rc < 0) {
		(void)close(fd); /* nothing was said yet */
		free(peer);
		return rc;
	}
	peer->server = server;
	peer->fd = fd;
	buf_init(&peer->in, FEED_FRAME_MAX + 2 * READ_BYTES);
	buf_init(&peer->out, FEED_FRAME_MAX);
	peer->next = server->peers;
	server->peers = peer;
	server->peer_count++;
	return 0;
}

static int on_listen(void *owner, unsigned ready, struct error *err)
{
	struct feedserver *server = owner;
	(void)ready;
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		return 0; /* it went away again, or descriptors are out: the next one may do better */
	}
	if (server->peer_count == FEEDSERVER_PEERS) {
		(void)close(fd); /* it will try again */
		return 0;
	}
	return add_peer(server, fd, err);
}

int feedserver_open(const struct feedserver_options *options, struct feedserver **out_server,
		    struct error *err)
{
	struct feedserver *server = calloc(1, sizeof *server);
	if (server == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for feed.sock");
	}
	server->options = *options;
	server->fd = -1;
	arena_init(&server->arena, FEED_FRAME_MAX);
	server->path = strdup(options->path);
	int rc = server->path == NULL ? error_set(err, ERR_NOMEM, "no memory for feed.sock")
				      : io_unix_listen(options->path, 0660, &server->fd, err);
	if (rc == 0) {
		/* accept must not wait for a connection that was taken back */
		(void)fcntl(server->fd, F_SETFL, O_NONBLOCK);
		rc = loop_add_fd(options->loop, server->fd,
				 (struct loop_fd_call){on_listen, server, LOOP_READ},
				 &server->event, err);
	}
	if (rc < 0) {
		feedserver_close(server, "");
		return rc;
	}
	*out_server = server;
	return 0;
}

void feedserver_close(struct feedserver *server, const char *reason)
{
	if (server == NULL) {
		return;
	}
	struct error why;
	(void)error_set(&why, ERR_AGAIN, "%s", reason); /* only sent */
	while (server->peers != NULL) {
		feedpeer_refuse(server->peers, &why);
	}
	loop_remove(server->event);
	if (server->fd >= 0) {
		(void)close(server->fd);    /* nobody is connected */
		(void)unlink(server->path); /* a stale socket file is replaced at the next start */
	}
	arena_done(&server->arena);
	free(server->path);
	free(server);
}

size_t feedserver_waiting(const struct feedserver *server)
{
	size_t count = 0;
	for (const struct feedpeer *peer = server->peers; peer != NULL; peer = peer->next) {
		count += peer->waiting ? 1 : 0;
	}
	return count;
}

void feedserver_confirm(struct feedserver *server)
{
	struct feedpeer *next = NULL;
	for (struct feedpeer *peer = server->peers; peer != NULL; peer = next) {
		next = peer->next;
		if (!peer->waiting) {
			continue;
		}
		struct feed_frame frame = {.type = FEED_COMMITTED,
					   .sequence = peer->sequence,
					   .stored = peer->counts.stored,
					   .duplicate = peer->counts.duplicate,
					   .rejected = peer->counts.rejected};
		struct error why;
		peer->waiting = false;
		if (send_frame(peer, &frame, &why) < 0) {
			end_peer(peer, &why);
		}
	}
}

int feedserver_drain(struct feedserver *server, struct error *err)
{
	struct feedpeer *next = NULL;
	for (struct feedpeer *peer = server->peers; peer != NULL; peer = next) {
		next = peer->next;
		bool more = true;
		int rc = 0;
		peer->busy = true;
		for (int round = 0; round < DRAIN_ROUNDS && more && !peer->dead && rc == 0;
		     round++) {
			rc = read_peer(peer, &more, err);
		}
		peer->busy = false;
		if (peer->dead) {
			free_peer(peer);
		}
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}
