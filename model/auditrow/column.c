#include "model/auditrow/column.h"

#include <assert.h>

static const struct auditcolumn_info table[AUDITCOLUMN_COUNT] = {
#define COLUMN(name_, type_, field_)                         \
	{.name = {.ptr = #name_, .len = sizeof(#name_) - 1}, \
	 .type = AUDITROW_##type_,                           \
	 .field = field_},
#include "model/auditrow/columns.def"
#undef COLUMN
};

const struct auditcolumn_info *auditcolumn_info(unsigned column)
{
	assert(column < AUDITCOLUMN_COUNT);
	return &table[column];
}

unsigned auditcolumn_find(struct str name, unsigned guess)
{
	for (unsigned i = guess; i < AUDITCOLUMN_COUNT; i++) { /* a row may lack some */
		if (str_equal(name, table[i].name)) {
			return i;
		}
	}
	for (unsigned i = 0; i < AUDITCOLUMN_COUNT; i++) {
		if (name.len == table[i].name.len && str_equal_fold(name, table[i].name)) {
			return i;
		}
	}
	return AUDITCOLUMN_COUNT;
}
