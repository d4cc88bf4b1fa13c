/* carried - which ids an audit row carries that may be those of requests, and under which keys a block's filter finds the row.
 *
 * Shape:   ids in its session context column, in what it tells (sp_audit_write) or sets, in its application name and in a comment; the same
 *          places as docs/grades.md names. Without a signing key: whether a signature is right is no matter here.
 * Keys:    64 bits. carried_key(id): records that have the id in a field of their own. carried_key_borne(id): audit rows that carry it. They
 *          differ, so that a search for a request is not led to every block whose rows carry the same useless id.
 *          carried_key_marks: audit rows that may set, clear or end the context of their session; one key for each of these.
 * Threads: pure. Blocking: never. Source: docs/format.md section 9.8. Tests: tests/unit/carried.c
 */
#ifndef MODEL_CARRIED_H
#define MODEL_CARRIED_H

#include "model/record.h"

#define CARRIED_UUID 36

/* The key of an id's text; never changes. */
uint64_t carried_key(struct str id);

/* The key of rows that carry an id, made of carried_key(id). */
uint64_t carried_key_borne(uint64_t key);

/* What a row may do to the context of its session, by its action (a login, a logout, sp_audit_write) or because its text speaks of a
 * context; some that do nothing are among them. */
enum carried_mark {
	CARRIED_WRITES = 1, /* may tell a context */
	CARRIED_SETS = 2,   /* may set or clear one */
	CARRIED_RESETS = 4, /* ends what stood */
};
unsigned carried_marks(const struct record *row);

/* Whether a connection id is one: a GUID of zeros stands for "none". */
bool carried_is_connection(struct str id);

/* The key of a row's session; false when it has none. */
bool carried_session(const struct record *row, uint64_t *out_session);

/* The key of the rows of a session that may do one of these things. */
uint64_t carried_key_marks(uint64_t session, enum carried_mark mark);

/* Calls back with each id that the row carries; perhaps one twice. id borrows until the callback returns. */
typedef void carried_fn(void *owner, struct str id);
void carried_ids(const struct record *row, carried_fn *each, void *owner);

/* The first UUID in an application name that stands on its own, in lower case; false when there is none. */
bool carried_uuid(struct str application, char out[CARRIED_UUID]);

/* Whether a statement names the key or the statement with which a session's context is set; a cheap look. */
bool carried_speaks_of_context(struct str statement);

#endif
