/* life - what becomes of stored data in time: erasures that were ordered, retention, and what legal holds keep from both.
 *
 * Turns:   pieces of work of about a block each, between commits and between seals; a seal and a piece of this work are never under way together.
 * Erasure: names of the records into the ledger, on the disk; then every block that holds one is written anew, the head is sealed that way; old files are
 *          deleted; then the lifecycle record and the row say that it is done. A crash at any point: the row stands, and it is done again from the start,
 *          which changes nothing twice.
 * Restore: an erasure that the ledger knows and the store does not is done again, by the names of the records.
 * Holds:   what they cover is asked anew for each erasure and each run of retention (correlator/held.h); without an answer nothing goes.
 * Failure: logged once, kept for `querytrail status`, tried again after LIFE_RETRY_NS.
 * Threads: the writer's. Blocking: disk and processor. Tests: tests/unit/life.c, tests/integration/life.py
 */
#ifndef CORRELATOR_LIFE_H
#define CORRELATOR_LIFE_H

#include "correlator/keeper.h"
#include "correlator/settings.h"

#define LIFE_RETRY_NS (60 * NS_PER_SEC)
#define LIFE_STATE \
	"life.state" /* settings of the store: sentences for `querytrail status`, a line each */

struct life;

struct life_options {
	struct keeper *keeper;
	const char *store_dir, *config_path; /* config_path NULL: none is named. Borrowed */
	const struct retention_settings *settings;
};

/* Reads the ledger and compares it with the store. Returns 0, ERR_CONFIG (the ledger cannot be read), ERR_CORRUPT, ERR_IO or ERR_NOMEM. */
int life_new(const struct life_options *options, struct life **out_life, struct error *err);
void life_free(struct life *life);

/* Goes by other settings; the ledger stays the one of the start. */
void life_set(struct life *life, const struct retention_settings *settings);

/* Whether a piece of work is begun and not ended: nothing may be sealed or merged. */
bool life_is_busy(const struct life *life);

/* Blocks were sealed: perhaps something is due. */
void life_sealed(struct life *life);

/* Gives up what is under way; it is begun again later. */
void life_pause(struct life *life);

/* Does one piece of work, if there is any; no transaction may be open. Afterwards one may be, which is to be committed. Returns when to call again, monotonic. */
int64_t life_turn(struct life *life, int64_t now_ns);

#endif
