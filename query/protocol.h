/* protocol - the frames between querytrail and querytrail-serve, over query.sock.
 *
 * Shape:   u32 length (of what follows), u8 type, payload; integers little-endian, texts as wire blocks.
 * Order:   client: ASK. serve: OUT and ERR in any number, then END with the exit status, then it closes.
 * Limits:  a frame <= PROTOCOL_FRAME_MAX; PROTOCOL_ARGUMENTS_MAX arguments.
 * Errors:  a malformed frame is ERR_INPUT and ends the connection.
 * Threads: pure, but send and receive, which block on their descriptor.
 * Source:  docs/format.md section 8. Tests: tests/unit/protocol.c, tests/fuzz/ask.c
 */
#ifndef QUERY_PROTOCOL_H
#define QUERY_PROTOCOL_H

#include "base/arena.h"
#include "query/session.h"

#define PROTOCOL_VERSION       1
#define PROTOCOL_FRAME_MAX     (1u << 20)
#define PROTOCOL_ARGUMENTS_MAX 4096

enum protocol_type { /* sent; never changes */
		     PROTOCOL_ASK = 1,
		     PROTOCOL_OUT = 2,
		     PROTOCOL_ERR = 3,
		     PROTOCOL_END = 4,
};

struct ask {
	struct surroundings surroundings; /* but for the descriptors */
	char *const *argv;                /* ended by NULL; argv[0] is the program */
	int argc;
};

/* Appends the payload of an ASK. */
void ask_encode(const struct ask *ask, struct buf *out);

/* Reads the payload of an ASK; texts are copied into the arena. Returns 0, ERR_INPUT or ERR_LIMIT. */
int ask_decode(struct str payload, struct arena *arena, struct ask *out_ask, struct error *err);

/* Sends one frame. Returns 0, ERR_GONE, ERR_IO or ERR_LIMIT. */
int protocol_send(int fd, enum protocol_type type, struct str payload, struct error *err);

/* Receives one frame into buffer (cleared first); the payload borrows from it.
 * Returns 0, ERR_GONE, ERR_AGAIN (receive timeout), ERR_IO or ERR_INPUT. */
int protocol_receive(int fd, struct buf *buffer, enum protocol_type *out_type,
		     struct str *out_payload, struct error *err);

#endif
