/* secret - a password or key: read from a file, wiped when freed, never printed.
 *
 * Shape:   bytes in OpenSSL's secure heap (locked memory) where it is available, else in plain memory that is wiped.
 * Limits:  a secret file is at most SECRET_MAX_BYTES; one trailing newline is removed.
 * Rules:   never in the arena, argv, the environment, an error text or a log line.
 * Threads: one struct secret per thread. Blocking: secret_read reads a file.
 * Tests:   tests/unit/secret.c
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/error.h"
#include "base/str.h"

#define SECRET_MAX_BYTES 65536

struct secret {
	char *ptr; /* NUL-terminated, the NUL not counted; NULL when empty */
	size_t len;
};

/* Makes an empty secret. */
void secret_init(struct secret *secret);

/* Wipes and frees; the secret is empty again. */
void secret_done(struct secret *secret);

/* Copies bytes in; what was there is wiped. Returns 0 or -ERR_NOMEM / -ERR_LIMIT, then the secret is empty. */
int secret_set(struct secret *secret, struct str bytes, struct error *err);

/* Reads the file at path. A name without a slash is looked up in $CREDENTIALS_DIRECTORY (systemd credentials).
 * Returns 0, or ERR_CONFIG when it is missing, unreadable, empty, larger than the limit, or readable by others than its
 * owner and group (mode & 007); then the secret is empty. */
int secret_read(struct secret *secret, const char *path, struct error *err);

/* What it holds; borrowed until the next call on it. */
static inline struct str secret_peek(const struct secret *secret)
{
	return (struct str){.ptr = secret->ptr, .len = secret->len};
}

/* Once at program start: no core dumps, not dumpable, secure heap on. Never fails: what the system refuses is left. */
void secret_harden_process(void);

#endif
