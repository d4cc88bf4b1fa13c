/* survey - what the server says about itself and its audit, and what the operator should be told of it, once.
 *
 * Rules:   none of it is needed for reading. A question that is refused is told once and asked again ten minutes later.
 *          The file that is written is asked for before each read; settings and clock each minute.
 * Life:    owns its texts. Threads: one. Blocking: as the auditdb. Tests: tests/unit/sqlserver-reader.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_SURVEY_H
#define COLLECTOR_SOURCES_SQLSERVER_SURVEY_H

#include "collector/sources/sqlserver/filewalk.h"

enum survey_note {
	SURVEY_WARNING = 1 << 0,
	SURVEY_NO_STATUS = 1 << 1,
	SURVEY_NO_SETTINGS = 1 << 2,
	SURVEY_NO_CLOCK = 1 << 3,
	SURVEY_CLOCK = 1 << 4,
	SURVEY_SERVER = 1 << 5,
	SURVEY_ON_FAILURE = 1 << 6,
	SURVEY_STATE = 1 << 7,
	SURVEY_ORDER = 1 << 8,
	SURVEY_NO_FILES = 1 << 9,
	SURVEY_MESSAGE = 1 << 10,
};

struct survey {
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
void survey_init(struct survey *survey, const struct auditdb *db, struct str audit,
		 const char *warning);
void survey_done(struct survey *survey);

/* Asks what is due and teaches it to the walk. scratch is cleared by the caller.
 * Returns 0, ERR_AGAIN, ERR_NOMEM or ERR_LIMIT as the auditdb, or ERR_CONFIG when several audits write files and none was
 * chosen. */
int survey_take(struct survey *survey, struct filewalk *walk, int64_t now_ns, struct arena *scratch,
		struct error *err);

/* Adds a sentence, unless this kind was told before. */
void survey_tell(struct survey *survey, enum survey_note kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The sentences told since the last call, in the arena, or NULL. */
const char *survey_take_note(struct survey *survey, struct arena *arena);

/* How long after its event time a row may come: the audit's queue delay and a margin. */
int64_t survey_lateness_ns(const struct survey *survey);

#endif
