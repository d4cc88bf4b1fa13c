/* grade - the decision table: from the book to a verdict.
 *
 * Shape:   a pure function of the book; docs/grades.md says the same in words. grade_statement reads what carriers claim, finds
 *          the request, looks for contradictions (X), then for doubts (C), and only then grants A or B.
 * Threads: reads the book. Blocking: never.
 * Source:  docs/grades.md. Tests: tests/unit/grade.c
 */
#ifndef CORRELATOR_JOIN_GRADE_H
#define CORRELATOR_JOIN_GRADE_H

#include "correlator/join/book.h"
#include "correlator/join/reason.h"

enum grade { GRADE_NONE, GRADE_A, GRADE_B, GRADE_C, GRADE_U1, GRADE_U2, GRADE_X, GRADE_COUNT };

enum carrier { /* strongest first */
	       CARRIER_NONE,
	       CARRIER_COLUMN,
	       CARRIER_WRITE,
	       CARRIER_REPLAY,
	       CARRIER_APPLICATION,
	       CARRIER_COMMENT,
	       CARRIER_COUNT,
};

enum matched {
	MATCHED_NONE,
	MATCHED_EXTENDED,
	MATCHED_LAMBDA,
	MATCHED_REQUEST,
	MATCHED_SIGNATURE,
	MATCHED_COUNT
};

struct outcome {
	int64_t detail;   /* of the reason */
	uint32_t request; /* named by a statement's verdict; BOOK_NONE */
	uint8_t grade;    /* GRADE_NONE: nothing to say yet */
	uint8_t carrier, matched, reason;
	uint8_t settled; /* enum join_settled */
	bool exact;      /* the ids agree exactly, whatever the time says */
};

/* The words of the verdict fields; "" for NONE. Static. */
const char *grade_name(enum grade grade);
const char *grade_carrier_name(enum carrier carrier);
const char *grade_matched_name(enum matched matched);

/* The verdict of now. Sessions must be up to date. */
void grade_statement(const struct book *book, uint32_t statement, struct outcome *out);

/* The verdict of a request that no statement's verdict names; GRADE_NONE when one does. */
void grade_request(const struct book *book, uint32_t request, struct outcome *out);

#endif
