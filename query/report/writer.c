#include "query/report/writer.h"

static const struct report_writer_type *const types[] = {
	&write_html, &write_pdf, &write_csv, &write_jsonl, &write_md,
};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

const struct report_writer_type *const *report_writer_types(size_t *out_count)
{
	*out_count = TYPE_COUNT;
	return types;
}

const struct report_writer_type *report_writer_find(const char *name)
{
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (strcmp(types[i]->name, name) == 0) {
			return types[i];
		}
	}
	return NULL;
}
