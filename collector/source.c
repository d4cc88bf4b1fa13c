#include "collector/source.h"

#include "base/str.h"

static const struct source_type *const all_types[] = {
#define SOURCE(name) &source_##name,
#include "collector/sources.def"
#undef SOURCE
	NULL,
};

const struct source_type *const *source_types(void)
{
	return all_types;
}

const struct source_type *source_type_by_name(const char *name)
{
	for (const struct source_type *const *type = all_types; *type != NULL; type++) {
		if (str_is(str_of((*type)->name), name)) {
			return *type;
		}
	}
	return NULL;
}
