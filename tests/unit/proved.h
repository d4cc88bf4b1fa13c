/* proved - a signed store, and a folder of evidence that was made of it.
 *
 * Threads: one at a time.
 */
#ifndef TESTS_UNIT_PROVED_H
#define TESTS_UNIT_PROVED_H

#include "base/io.h"
#include "tests/unit/ask.h"
#include "tests/unit/log-fixture.h"

#include <stdio.h>

struct proved {
	struct log_fixture log;
	char bundle[256];
};

/* A signed store of count records, closed, whose key the store names. */
static inline void proved_init(struct proved *proved, uint64_t count)
{
	struct buf key;
	struct error err;
	log_fixture_init(&proved->log, count);
	buf_init(&key, 0);
	note_key_put(&proved->log.signer.key, &key);
	buf_put_byte(&key, '\n');
	struct store *store = proved->log.filled.store;
	int rc = store_begin(store, FIXTURE_START_NS, &err);
	rc = rc < 0 ? rc : store_meta_put(store, CHECKPOINTS_KEYS, buf_str(&key), &err);
	rc = rc < 0 ? rc : store_commit(store, &err);
	assert(rc == 0);
	(void)rc; /* asserted */
	buf_done(&key);
	store_close(store);
	proved->log.filled.store = NULL;
	(void)snprintf(proved->bundle, sizeof proved->bundle, "%s/evidence",
		       proved->log.filled.fixture.dir);
}

/* Asks for the evidence of some ids (NULL-terminated). */
static inline void proved_ask(const struct proved *proved, const char *const *ids,
			      struct asked *asked)
{
	const char *words[ASK_WORDS_MAX + 1] = {"prove", "-o", proved->bundle};
	for (size_t i = 0; ids[i] != NULL; i++) {
		words[3 + i] = ids[i];
	}
	ask(asked, proved->log.filled.fixture.dir, words, FIXTURE_START_NS);
}

/* The path of a file of the folder. */
static inline void proved_path(const struct proved *proved, const char *name, char out[512])
{
	(void)snprintf(out, 512, "%s/%s", proved->bundle, name);
}

static inline void proved_read(const struct proved *proved, const char *name, struct buf *out)
{
	char path[512];
	proved_path(proved, name, path);
	buf_clear(out);
	int rc = io_read_file(path, 1 << 24, out, NULL);
	assert(rc == 0);
	(void)rc; /* asserted */
}

static inline void proved_write(const struct proved *proved, const char *name, struct str bytes)
{
	char path[512];
	proved_path(proved, name, path);
	int rc = io_replace_file(path, bytes, 0600, NULL);
	assert(rc == 0);
	(void)rc; /* asserted */
}

static inline void proved_done(struct proved *proved)
{
	store_folder_remove(proved->bundle);
	log_fixture_done(&proved->log);
}

#endif
