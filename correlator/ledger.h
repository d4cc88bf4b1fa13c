/* ledger - which records were erased: a file beside the store, so that neither a restored copy nor a second import brings them back.
 *
 * Shape:   lines; a line is a JSON object, one space, and the first 16 hexadecimal digits of its SHA-256. Its member prev has those of the line before.
 *          An erasure is one line, or several with some of its records each. Records are named by the first LEDGER_DIGEST_BYTES of SHA-256 over
 *          source, NUL, key, whose first half is their stable id; there is nothing of their content. docs/format.md section 10.2.
 * Append:  only at the end, and on the disk (fsync) when ledger_append returns. A line without an end is what a crash left of an entry that nobody
 *          was told of; the next append cuts it off.
 * Damage:  a line that is not what its digest says, or a line whose predecessor is not the one it names, is counted and told with file and number;
 *          all others hold.
 * Limits:  LEDGER_LINE_MAX bytes a line, LEDGER_RECORDS_MAX records; about 40 bytes of memory a record.
 * Threads: one per thread. Blocking: disk. Source: docs/format.md section 10.2. Tests: tests/unit/ledger.c
 */
#ifndef CORRELATOR_LEDGER_H
#define CORRELATOR_LEDGER_H

#include "model/record.h"

#define LEDGER_FILE         "ledger"
#define LEDGER_DIGEST_BYTES 16
#define LEDGER_ID_DIGITS    16
#define LEDGER_LINE_RECORDS 8192
#define LEDGER_LINE_MAX     (16u << 20)
#define LEDGER_RECORDS_MAX  (64u << 20)

enum ledger_kind {
	LEDGER_NONE,
	LEDGER_MASKED, /* lost its literals and its line */
	LEDGER_ERASED, /* lost everything that names a person */
};

struct ledger_digest {
	uint8_t bytes[LEDGER_DIGEST_BYTES];
	uint32_t entry; /* the erasure, counted from 0 */
};

struct ledger_entry {
	char id[LEDGER_ID_DIGITS + 1];
	char store[LEDGER_ID_DIGITS + 1]; /* in which it was ordered */
	enum ledger_kind kind;
	int64_t time_ns;
	uint64_t record_count; /* as far as they could be read */
};

struct ledger;

/* Reads the file; one that does not exist is an empty ledger. Returns 0 and *out_ledger, or ERR_CONFIG (it cannot be read), ERR_LIMIT, ERR_NOMEM. */
int ledger_open(const char *path, struct ledger **out_ledger, struct error *err);
void ledger_close(struct ledger *ledger);

/* Where it stands. */
const char *ledger_path(const struct ledger *ledger);

/* The erasures, in the order of the file. */
size_t ledger_entry_count(const struct ledger *ledger);
const struct ledger_entry *ledger_entry(const struct ledger *ledger, size_t index);

/* The erasure of an id, or NULL. */
const struct ledger_entry *ledger_find(const struct ledger *ledger, struct str id);

/* All records of all erasures. */
const struct ledger_digest *ledger_digests(const struct ledger *ledger, size_t *out_count);

/* The erasure that took the most of a record, or NULL; and what became of it. */
const struct ledger_entry *ledger_entry_of(const struct ledger *ledger, struct str source,
					   struct str key);
enum ledger_kind ledger_look(const struct ledger *ledger, struct str source, struct str key);

/* How many lines are damaged, and the sentence about the n-th of them; NULL when it is not kept. */
size_t ledger_damage_count(const struct ledger *ledger);
const char *ledger_damage(const struct ledger *ledger, size_t index);

/* The name of a record. */
void ledger_digest_of(struct str source, struct str key, uint8_t out[LEDGER_DIGEST_BYTES]);

/* Adds an erasure and makes it durable. Texts are borrowed until return.
 *   digests  LEDGER_DIGEST_BYTES each
 *   leaves   their code (model/leafset.h)
 * Returns 0; ERR_IO: it does not count, but lines of it may stand in the file, which only makes them be erased; ERR_LIMIT; ERR_NOMEM. */
struct ledger_append {
	struct str id, store, by, reason;
	enum ledger_kind kind;
	int64_t time_ns;
	struct str leaves;
	struct str digests;
};
int ledger_append(struct ledger *ledger, const struct ledger_append *entry, struct error *err);

#endif
