/* serve - answers questions on query.sock: knows the caller from the kernel, reports the access first, then runs the command.
 *
 * Shape:   one process per question, which runs the command in a child of its own; the child opens the store for reading, has
 *          limits on memory and time, and writes to two pipes that become OUT and ERR frames.
 * Trust:   root, our own user and members of the group `daemon.readers`; others get exit status 4. The terminal facts and the
 *          moment of the question are taken over from the caller, as far as they are plausible.
 * Order:   nothing is shown before the daemon has committed the ACCESS record.
 * Limits:  SERVE_PEERS_MAX questions at once; SERVE_MEMORY_BYTES and SERVE_CPU_S each.
 * Threads: one. Blocking: serve_run, until a signal.
 * Source:  docs/format.md section 8. Tests: tests/unit/serve.c, tests/unit/serve-peer.c, tests/integration/
 */
#ifndef QUERY_SERVE_H
#define QUERY_SERVE_H

#include "base/config.h"
#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

#define SERVE_PEERS_MAX    32
#define SERVE_MEMORY_BYTES (UINT64_C(1) << 30)
#define SERVE_CPU_S        600

struct serve {
	const struct config *config;
	int listen_fd;
	int signal_fd;
	gid_t readers; /* (gid_t)-1: none */
	size_t peer_count;
};

/* Listens at query.sock. Returns 0, ERR_CONFIG for an unknown group, or ERR_IO. */
int serve_open(const struct config *config, struct serve *out_serve, struct error *err);

/* Answers until SIGTERM or SIGINT. Returns 0 or ERR_IO. */
int serve_run(struct serve *serve, struct error *err);

/* Closes. */
void serve_close(struct serve *serve);

/* Answers the question of one connected peer and returns; used by serve_run in a child. */
void serve_peer(const struct serve *serve, int fd);

/* Whether a user may ask: root, our own user, or a member of the group. */
bool serve_allows(uid_t uid, gid_t gid, gid_t readers);

#endif
