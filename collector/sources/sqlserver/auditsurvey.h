/* auditsurvey - what the server says about itself and its audit, and what the operator should be told of it, once.
 *
 * Rules:   none of it is needed for reading. A question that is refused is told once and asked again ten minutes later.
 *          The file that is written is asked for before each read; settings and clock each minute.
 * Life:    owns its texts. Threads: one. Blocking: as the auditdb. Tests: tests/unit/auditreader.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_AUDITSURVEY_H
#define COLLECTOR_SOURCES_SQLSERVER_AUDITSURVEY_H

#include "collector/sources/sqlserver/filewalk.h"

enum auditsurvey_note {
	AUDITSURVEY_WARNING = 1 << 0,
	AUDITSURVEY_NO_STATUS = 1 << 1,
	AUDITSURVEY_NO_SETTINGS = 1 << 2,
	AUDITSURVEY_NO_CLOCK = 1 << 3,
	AUDITSURVEY_CLOCK = 1 << 4,
	AUDITSURVEY_SERVER = 1 << 5,
	AUDITSURVEY_ON_FAILURE = 1 << 6,
	AUDITSURVEY_STATE = 1 << 7,
	AUDITSURVEY_ORDER = 1 << 8,
	AUDITSURVEY_NO_FILES = 1 << 9,
	AUDITSURVEY_MESSAGE = 1 << 10,
};

struct auditsurvey {
	const struct auditdb *db;
	struct str audit;        /* as configured, or empty */
	int64_t status_again_ns; /* wall time; a refused question waits for it */
	int64_t settings_again_ns;
	bool has_status; /* the last status came */
	bool has_delay;
	int64_t queue_delay_ns;
	int64_t clock_ahead_ns; /* the server's clock less ours */
	int64_t told_clock_ahead_ns;
	struct buf server_name;
	struct buf note; /* sentences not yet given out */
	unsigned told;
};

/* Prepares; warning (may be NULL) is the first note. */
void auditsurvey_init(struct auditsurvey *survey, const struct auditdb *db, struct str audit,
		      const char *warning);
void auditsurvey_done(struct auditsurvey *survey);

/* Asks what is due and teaches it to the walk. scratch is cleared by the caller.
 * Returns 0, ERR_AGAIN, ERR_NOMEM or ERR_LIMIT as the auditdb, or ERR_CONFIG when several audits write files and none was
 * chosen. */
int auditsurvey_take(struct auditsurvey *survey, struct filewalk *walk, int64_t now_ns,
		     struct arena *scratch, struct error *err);

/* Adds a sentence, unless this kind was told before. */
void auditsurvey_tell(struct auditsurvey *survey, enum auditsurvey_note kind, const char *format,
		      ...) __attribute__((format(printf, 3, 4)));

/* The sentences told since the last call, in the arena, or NULL. */
const char *auditsurvey_take_note(struct auditsurvey *survey, struct arena *arena);

/* How long after its event time a row may come: the audit's queue delay and a margin. */
int64_t auditsurvey_lateness_ns(const struct auditsurvey *survey);

#endif
