#include "query/report/section-field.h"

static int read_chart_kind(const struct section_reading *reading, const struct yaml_node *node,
			   struct definition_chart *chart)
{
	static const char *const kinds[] = {"bars", "timeline", "stack"};
	struct reader_names known = {"kind of chart", kinds, sizeof(kinds) / sizeof(kinds[0])};
	const struct yaml_node *kind = yaml_child(node, "kind");
	if (kind == NULL || kind->type != YAML_SCALAR) {
		return reader_fail(reading->reader, node,
				   "a chart wants kind: bars, timeline or stack");
	}
	for (size_t i = 0; i < known.count; i++) {
		if (str_is(kind->text, kinds[i])) {
			chart->kind = (enum report_chart_kind)i;
			return 0;
		}
	}
	return reader_unknown(reading->reader, kind, &known);
}

static int read_chart_risk(struct section_reading *reading, const struct yaml_node *node,
			   struct definition_chart *chart)
{
	static const char *const risks[] = {"failed", "unmatched", "conflicts"};
	static const char *const titles[] = {"refused", "without a request", "contradictory"};
	static const enum tally_kind kinds[] = {TALLY_FAILED, TALLY_UNMATCHED, TALLY_CONFLICTS};
	struct reader_names known = {"risk", risks, sizeof(risks) / sizeof(risks[0])};
	const struct yaml_node *risk = yaml_child(node, "risk");
	if (risk == NULL) {
		return 0;
	}
	for (size_t i = 0; risk->type == YAML_SCALAR && i < known.count; i++) {
		if (str_is(risk->text, risks[i])) {
			struct tally_figure figure = {.kind = kinds[i]};
			chart->risk_title = titles[i];
			chart->tally.figure[chart->tally.figure_count++] = figure;
			return section_figure_check(reading, risk, (struct str){"", 0}, &figure);
		}
	}
	return reader_unknown(reading->reader, risk, &known);
}

/* What the bars stand for: given, or as the kind and the groups suggest. */
static int read_chart_by(struct section_reading *reading, const struct yaml_node *node,
			 struct definition_chart *chart)
{
	const struct definition_section *section = reading->section;
	const struct yaml_node *by = yaml_child(node, "by");
	struct yaml_node guess = *node;
	if (by != NULL && by->type != YAML_SCALAR) {
		return reader_fail(reading->reader, by, "by wants a field");
	}
	if (by == NULL && chart->kind == REPORT_BARS && section->tally.key_count > 0) {
		chart->by = section->tally.key[0];
	} else {
		guess.text = by != NULL                       ? by->text
			     : chart->kind == REPORT_TIMELINE ? STR_LIT("day")
							      : STR_LIT("grade");
		int result = section_field_read(reading, by != NULL ? by : &guess, &chart->by);
		if (result != 0) {
			return result;
		}
	}
	const char *name = reading->words.field[chart->by].name;
	bool is_period =
		strcmp(name, "hour") == 0 || strcmp(name, "day") == 0 || strcmp(name, "month") == 0;
	if (chart->kind == REPORT_TIMELINE && !is_period) {
		return reader_fail(
			reading->reader, node,
			"a timeline has by: hour, day or month, of a dataset with times");
	}
	chart->tally.key[0] = chart->by;
	chart->tally.key_count = 1;
	return 0;
}

static int read_chart(struct section_reading *reading, const struct yaml_node *node,
		      struct definition_chart *chart)
{
	static const char *const keys[] = {"kind", "title", "unit", "by", "first", "risk"};
	struct reader_names known = {"a chart", keys, sizeof(keys) / sizeof(keys[0])};
	const struct reader *reader = reading->reader;
	section_tally_init(reading, &chart->tally);
	chart->tally.figure[0].kind = TALLY_COUNT;
	chart->tally.figure_count = 1;
	chart->first = chart->kind == REPORT_TIMELINE ? REPORT_BARS_MAX : 12;
	int result = reader_keys(reader, node, &known);
	result = result == 0 ? read_chart_kind(reading, node, chart) : result;
	result = result == 0 ? reader_need(reader, node, "title", &chart->title) : result;
	result = result == 0 ? reader_text(reader, node, "unit", &chart->unit) : result;
	result = result == 0 ? reader_number(reader, node, "first", 100, &chart->first) : result;
	result = result == 0 ? read_chart_by(reading, node, chart) : result;
	result = result == 0 ? read_chart_risk(reading, node, chart) : result;
	if (result == 0 && chart->unit.len == 0) {
		chart->unit = str_of(reading->section->dataset->rows);
	}
	return result;
}

int section_charts_read(struct section_reading *reading, const struct yaml_node *node)
{
	struct definition_section *section = reading->section;
	struct reader_items items;
	struct reader_limit limit = {"charts", DEFINITION_CHARTS_MAX, false};
	int result = reader_list(reading->reader, node, &limit, &items);
	const struct yaml_node *item = items.first;
	for (; result == 0 && section->chart_count < items.count; item = item->next) {
		result = read_chart(reading, item, &section->chart[section->chart_count++]);
	}
	return result;
}
