/* section-field - the fields of a section's dataset as a report.yaml names them, what figures they can give, and its charts.
 *
 * Errors:  ERR_CONFIG with the place. Threads: pure. Blocking: never. Tests: tests/unit/definition.c
 */
#ifndef QUERY_REPORT_SECTION_FIELD_H
#define QUERY_REPORT_SECTION_FIELD_H

#include "query/report/section-reader.h"

struct section_words { /* the fields of the section's dataset */
	struct dataset_field field[DATASET_FIELDS_MAX];
	size_t count;
};

struct section_reading {
	const struct reader *reader;
	struct definition_section *section;
	struct section_words words;
};

/* The number of a field, or -1. */
int section_field_find(const struct section_reading *reading, struct str name);

/* Fails that the node's text is no field of the dataset; what: "field". */
int section_field_unknown(const struct section_reading *reading, const struct yaml_node *node,
			  const char *what);

/* The field that the node names. Returns 0 or ERR_CONFIG. */
int section_field_read(const struct section_reading *reading, const struct yaml_node *node,
		       unsigned *out_field);

/* How the values of a field are shown, and how wide, unless the definition says otherwise. */
enum report_form section_field_form(const struct dataset_field *field);
unsigned section_field_weight(struct str name, enum report_form form);

/* An empty spec that knows where the dataset has its outcome and grade. */
void section_tally_init(const struct section_reading *reading, struct tally_spec *spec);

/* Whether the dataset can give the figure, about a field or none; sets its field. Returns 0 or ERR_CONFIG. */
int section_figure_check(const struct section_reading *reading, const struct yaml_node *node,
			 struct str about, struct tally_figure *figure);

/* Reads charts. Returns 0 or ERR_CONFIG. */
int section_charts_read(struct section_reading *reading, const struct yaml_node *node);

#endif
