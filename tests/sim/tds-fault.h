/* tds-fault - what the simulator is to do wrong, from lines of words, shared by all connections.
 *
 * Shape:   one fault of each kind at a time, but several denied objects. A fault with times=N ends after N uses.
 * Threads: all calls but init and done may come from any thread.
 * Source:  the words are in tests/sim/tds.h. Tests: tests/unit/tds-fault.c
 */
#ifndef TESTS_SIM_TDS_FAULT_H
#define TESTS_SIM_TDS_FAULT_H

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define TDS_FAULT_WORD_MAX 64
#define TDS_DENIED_MAX     8

enum tds_fault_kind {
	TDS_FAULT_ERROR,
	TDS_FAULT_SKIP,
	TDS_FAULT_LOGIN_FAILED,
	TDS_FAULT_CLOSE,
	TDS_FAULT_SILENT,
	TDS_FAULT_DRIP,
	TDS_FAULT_PACKET,
	TDS_FAULT_WRITE,
	TDS_FAULT_BAD_LENGTH,
	TDS_FAULT_BAD_TOKEN,
	TDS_FAULT_NO_ENCRYPTION,
	TDS_FAULT_BAD_CERTIFICATE,
	TDS_FAULT_FREEZE,
	TDS_FAULT_DENY, /* the last one that stays; what follows is done at once */
	TDS_FAULT_CLEAR,
	TDS_FAULT_DELETE_FILE,
	TDS_FAULT_TRANSMIT_FILE,
	TDS_FAULT_GONE,
	TDS_FAULT_BACK,
};

struct tds_fault {
	enum tds_fault_kind kind;
	int64_t times; /* uses left; 0: no end */
	int64_t number; /* number=, row=, rows=, ms=, index=: the first number of the fault; -1 when not given */
	int64_t bytes;                 /* bytes= */
	char word[TDS_FAULT_WORD_MAX]; /* when=, where=, kind=, object= */
};

struct tds_faults {
	pthread_mutex_t lock;
	bool set[TDS_FAULT_DENY + 1];
	struct tds_fault fault[TDS_FAULT_DENY + 1];
	char denied[TDS_DENIED_MAX][TDS_FAULT_WORD_MAX];
	size_t denied_count;
};

/* Prepares and ends a set without faults. */
void tds_faults_init(struct tds_faults *faults);
void tds_faults_done(struct tds_faults *faults);

/* Reads one line. Returns 0, or ERR_INPUT with what is wrong in it. */
int tds_fault_parse(struct str line, struct tds_fault *out, struct error *err);

/* Remembers a fault that stays; TDS_FAULT_CLEAR forgets all. Returns 0, or ERR_LIMIT for too many denied objects. */
int tds_faults_set(struct tds_faults *faults, const struct tds_fault *fault, struct error *err);

/* Whether a fault of a kind is set; *out is a copy. use counts it as used once, look does not. A word that is not NULL must
 * be the fault's word. */
bool tds_faults_look(struct tds_faults *faults, enum tds_fault_kind kind, const char *word,
		     struct tds_fault *out);
bool tds_faults_use(struct tds_faults *faults, enum tds_fault_kind kind, const char *word,
		    struct tds_fault *out);

/* Whether questions about the object are refused. */
bool tds_faults_denies(struct tds_faults *faults, struct str object);

#endif
