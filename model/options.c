#include "model/options.h"

/* The table is read twice. A section is told apart by the line on which it opens, because two of them may share a path. */
#define JOINED(a, b) a##b
#define NAMED(a, b)  JOINED(a, b)

enum {
#define SECTION(path, kind, help) NAMED(count_, __LINE__) = 0
#define OPTION(...)               +1
#define END()                     ,
#include "model/options.def"
#undef SECTION
#undef OPTION
#undef END
};

static const struct config_section sections[] = {
#define SECTION(path_, kind_, help_)                                                               \
	{                                                                                          \
		.path = path_, .kind = kind_, .help = help_,                                       \
		.option_count = NAMED(count_, __LINE__), .options = (const struct config_option[]) \
		{
#define OPTION(name_, type_, default_, min_, max_, choices_, unit_, help_) \
	{.name = name_,                                                    \
	 .type = CONFIG_##type_,                                           \
	 .fallback = default_,                                             \
	 .min = min_,                                                      \
	 .max = max_,                                                      \
	 .choices = choices_,                                              \
	 .unit = unit_,                                                    \
	 .help = help_},
#define END() \
	}     \
	}     \
	,
#include "model/options.def"
#undef SECTION
#undef OPTION
#undef END
};

static const struct config_schema schema = {
	.sections = sections,
	.section_count = sizeof(sections) / sizeof(sections[0]),
};

const struct config_schema *options_schema(void)
{
	return &schema;
}
