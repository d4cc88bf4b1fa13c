/* letters - the letters that model/fields.def uses for the record kinds a field may stand in; for the files that expand it.
 *
 * Source:  model/fields.def. Tests: tests/unit/field.c
 */
#ifndef MODEL_LETTERS_H
#define MODEL_LETTERS_H

#include "model/record.h"

enum {
	R = 1 << RECORD_REQUEST,
	S = 1 << RECORD_STATEMENT,
	V = 1 << RECORD_VERDICT,
	A = 1 << RECORD_ALERT,
	C = 1 << RECORD_ACCESS,
	L = 1 << RECORD_LIFECYCLE,
	G = 1 << RECORD_GAP,
	J = 1 << RECORD_REJECT,
};

#endif
