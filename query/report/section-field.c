#include "query/report/section-field.h"

int section_field_find(const struct section_reading *reading, struct str name)
{
	for (size_t i = 0; i < reading->words.count; i++) {
		if (str_is(name, reading->words.field[i].name)) {
			return (int)i;
		}
	}
	return -1;
}

int section_field_unknown(const struct section_reading *reading, const struct yaml_node *node,
			  const char *what)
{
	const char *names[DATASET_FIELDS_MAX];
	for (size_t i = 0; i < reading->words.count; i++) {
		names[i] = reading->words.field[i].name;
	}
	struct reader_names known = {what, names, reading->words.count};
	return reader_unknown(reading->reader, node, &known);
}

int section_field_read(const struct section_reading *reading, const struct yaml_node *node,
		       unsigned *out_field)
{
	int field = section_field_find(reading, str_trim(node->text));
	if (field < 0) {
		return section_field_unknown(reading, node, "field");
	}
	*out_field = (unsigned)field;
	return 0;
}

enum report_form section_field_form(const struct dataset_field *field)
{
	static const char *const code[] = {"statement", "route",   "path", "table", "object",
					   "arguments", "matched", "rule", "tags"};
	struct str name = str_of(field->name);
	switch (field->type) {
	case TRAIL_TIME:
		return REPORT_TIME;
	case TRAIL_NUMBER:
		return REPORT_NUMBER;
	case TRAIL_BOOL:
		return REPORT_BOOL;
	case TRAIL_BYTES:
		return REPORT_CODE;
	case TRAIL_TEXT:
	case TRAIL_ABSENT:
		break;
	}
	if (str_is(name, "grade") || str_is(name, "severity")) {
		return str_is(name, "grade") ? REPORT_GRADE : REPORT_SEVERITY;
	}
	for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++) {
		if (str_is(name, code[i])) {
			return REPORT_CODE;
		}
	}
	return str_has_suffix(name, STR_LIT("_id")) ? REPORT_CODE : REPORT_TEXT;
}

unsigned section_field_weight(struct str name, enum report_form form)
{
	if (str_is(name, "statement") || str_is(name, "reason")) {
		return 8;
	}
	switch (form) {
	case REPORT_TEXT:
	case REPORT_CODE:
	case REPORT_TIME:
		return 4;
	case REPORT_NUMBER:
	case REPORT_SHARE:
	case REPORT_SEVERITY:
		return 2;
	case REPORT_GRADE:
	case REPORT_BOOL:
		return 1;
	}
	return 4;
}

void section_tally_init(const struct section_reading *reading, struct tally_spec *spec)
{
	*spec = (struct tally_spec){
		.succeeded_field = section_field_find(reading, STR_LIT("succeeded")),
		.grade_field = section_field_find(reading, STR_LIT("grade")),
	};
}

/* What a sum, least or greatest can be made of. */
static bool has_order(enum tally_kind kind, enum trail_type type)
{
	bool sums = kind == TALLY_SUM || kind == TALLY_MIN || kind == TALLY_MAX;
	return !sums || type == TRAIL_NUMBER || (type == TRAIL_TIME && kind != TALLY_SUM);
}

/* Whether the rows of the dataset have what the figure looks at. */
static bool can_give(const struct section_reading *reading, enum tally_kind kind)
{
	const struct tally_spec *spec = &reading->section->tally;
	switch (kind) {
	case TALLY_FAILED:
	case TALLY_FAILED_SHARE:
		return spec->succeeded_field >= 0;
	case TALLY_UNMATCHED:
	case TALLY_UNMATCHED_SHARE:
	case TALLY_CONFLICTS:
		return spec->grade_field >= 0;
	case TALLY_FIRST_SEEN:
	case TALLY_LAST_SEEN:
		return reading->section->dataset->has_time;
	case TALLY_COUNT:
	case TALLY_SHARE:
	case TALLY_DISTINCT:
	case TALLY_SUM:
	case TALLY_MIN:
	case TALLY_MAX:
		return true;
	}
	return true;
}

int section_figure_check(const struct section_reading *reading, const struct yaml_node *node,
			 struct str about, struct tally_figure *figure)
{
	int field = section_field_find(reading, about);
	if (about.len > 0 && field < 0) {
		return reader_fail(reading->reader, node, "the dataset %s has no field \"%.*s\"",
				   reading->section->dataset->name, STR_ARG(about));
	}
	enum trail_type type = field < 0 ? TRAIL_NUMBER : reading->words.field[field].type;
	if (!has_order(figure->kind, type)) {
		return reader_fail(reading->reader, node, "\"%.*s\" is no number", STR_ARG(about));
	}
	if (!can_give(reading, figure->kind)) {
		return reader_fail(reading->reader, node, "the dataset %s cannot give this figure",
				   reading->section->dataset->name);
	}
	figure->field = field < 0 ? 0 : (unsigned)field;
	return 0;
}
