#include "model/record.h"

#include "model/letters.h"

#include <assert.h>

static const struct field_info table[FIELD_LIMIT] = {
#define FIELD(name_, number_, type_, kinds_, unit_, help_, ocsf_) \
	[number_] = {.name = #name_,                              \
		     .type = FIELD_TYPE_##type_,                  \
		     .kinds = (unsigned)(kinds_),                 \
		     .unit = unit_,                               \
		     .help = help_,                               \
		     .ocsf = ocsf_},
#include "model/fields.def"
#undef FIELD
};

static const char *const kind_names[RECORD_KIND_COUNT] = {
	[RECORD_REQUEST] = "request", [RECORD_STATEMENT] = "statement",
	[RECORD_VERDICT] = "verdict", [RECORD_ALERT] = "alert",
	[RECORD_ACCESS] = "access",   [RECORD_LIFECYCLE] = "lifecycle",
	[RECORD_GAP] = "gap",         [RECORD_REJECT] = "reject",
};

const struct field_info *field_info(unsigned number)
{
	assert(number < FIELD_LIMIT);
	return &table[number];
}

unsigned field_by_name(struct str name)
{
	for (unsigned i = 1; i < FIELD_LIMIT; i++) {
		if (table[i].name != NULL && str_is(name, table[i].name)) {
			return i;
		}
	}
	return 0;
}

const char *record_kind_name(enum record_kind kind)
{
	assert(kind > 0 && kind < RECORD_KIND_COUNT);
	return kind_names[kind];
}

enum record_kind record_kind_by_name(struct str name)
{
	for (unsigned i = 1; i < RECORD_KIND_COUNT; i++) {
		if (str_is(name, kind_names[i])) {
			return (enum record_kind)i;
		}
	}
	return (enum record_kind)0;
}
