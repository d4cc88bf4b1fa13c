/* column - the columns of sys.fn_get_audit_file that are known, and what becomes of each.
 *
 * Threads: static data. Blocking: never. Source: Microsoft "sys.fn_get_audit_file". Tests: tests/unit/auditrow.c
 */
#ifndef MODEL_AUDITROW_COLUMN_H
#define MODEL_AUDITROW_COLUMN_H

#include "model/auditrow/auditrow.h"

enum auditcolumn { /* in the order of the function's result */
#define COLUMN(name, type, field) AUDITCOLUMN_##name,
#include "model/auditrow/columns.def"
#undef COLUMN
		   AUDITCOLUMN_COUNT,
};

struct auditcolumn_info {
	struct str name;
	enum auditrow_type type;
	unsigned field; /* of the statement record; 0: goes to extra, or is read in its own way */
};

/* About a column; column < AUDITCOLUMN_COUNT. */
const struct auditcolumn_info *auditcolumn_info(unsigned column);

/* The column of a name, letters folded, or AUDITCOLUMN_COUNT. guess is tried first: rows give their columns in order. */
unsigned auditcolumn_find(struct str name, unsigned guess);

#endif
