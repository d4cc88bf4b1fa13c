/* wellknown - JSON lines read by the usual names of their keys, when there is no template.
 *
 * Trust:   without a template a key that a caller adds by closing its quotes can't be told from one of the gateway's, unless it
 *          repeats another. A configured template has no such gap.
 * Threads: one at a time with a memo. Blocking: never. Tests: tests/unit/accesslog-wellknown.c
 */
#ifndef MODEL_ACCESSLOG_WELLKNOWN_H
#define MODEL_ACCESSLOG_WELLKNOWN_H

#include "model/accesslog/format.h"

#define WELLKNOWN_KEY_MAX 48

/* What the keys at each place of a line were last, and what they stood for. All zero: nothing yet. */
struct wellknown_memo {
	struct wellknown_known {
		const struct variable *variable; /* NULL: nothing is known */
		struct str name;                 /* of a usual key; static */
		bool is_own_name;                /* the key is no usual one: it is the name */
		size_t key_len;
		char key[WELLKNOWN_KEY_MAX];
	} known[FORMAT_SLOTS_MAX];
};

/* Adds a value under a key, which becomes the variable's name where the key is a usual one. */
void wellknown_add(struct reading *reading, struct wellknown_memo *memo, struct str key,
		   const struct value *given);

/* Sets what is sure. When two values mean the same, only what stands before the first value that a caller sets is; in a damaged
 * line only values in their own shape are. */
void wellknown_distrust(struct reading *reading);

/* Reads a well formed object, inner ones included ("identity.sourceIp"). False when it is not well formed. */
bool wellknown_read(struct str line, struct wellknown_memo *memo, struct arena *arena,
		    struct reading *reading);

/* Reads what can be made out of a damaged one. False when that is nothing. */
bool wellknown_recover(struct str line, struct wellknown_memo *memo, struct reading *reading);

#endif
