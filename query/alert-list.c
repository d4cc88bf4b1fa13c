#include "query/alert-list.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "query/csv-cell.h"
#include "query/fmt.h"
#include "query/layout.h"
#include "query/when.h"

#include <stdlib.h>

enum { ID, TIME, SEVERITY, STATE, TITLE, USER, ROUTE, GRADE, STATEMENT, COLUMN_COUNT };

static const struct layout_column template[COLUMN_COUNT] = {
	[ID] = {"ALERT", 0, ALERT_ID_DIGITS, ALERT_ID_DIGITS, false, 0, 0},
	[TIME] = {"TIME", 0, 19, 19, false, 0, 0},
	[SEVERITY] = {"SEVERITY", 0, 8, 13, false, 0, 0},
	[STATE] = {"STATE", 0, 7, 12, false, 0, 0},
	[TITLE] = {"WHAT", 0, 22, 60, false, 0, 0},
	[USER] = {"USER", 9, 8, 40, false, 0, 0},
	[ROUTE] = {"ROUTE", 7, 10, 40, false, 0, 0},
	[GRADE] = {"GRADE", 6, 5, 7, false, 0, 0},
	[STATEMENT] = {"STATEMENT", 5, 16, 0, false, 0, 0},
};

enum list_format { LIST_TABLE, LIST_TEXT, LIST_JSON, LIST_JSONL, LIST_CSV, LIST_FORMATS };
static const char *const format_names[LIST_FORMATS] = {"table", "text", "json", "jsonl", "csv"};

/* Behind the fields of an alert in JSON and CSV. */
static const char *const more_names[] = {"disposition", "acknowledged_by", "note", "quiet"};
#define MORE_COUNT (sizeof(more_names) / sizeof(more_names[0]))

struct list {
	struct session *session;
	const struct alert_filter *filter;
	struct alert_reader reader;
	struct layout_column columns[COLUMN_COUNT];
	enum list_format format;
	bool measuring; /* the first round of a table: only widths are looked at */
	uint64_t count, firing;
	struct alert_view *view;
	struct buf cell;
};

static struct str value(const struct list *list, enum alert_field field)
{
	return list->view->alert.value[field];
}

static bool passes(const struct alert_filter *filter, const struct store_alert *row)
{
	return row->time_ns >= filter->from_ns && row->time_ns < filter->to_ns &&
	       row->severity >= filter->min_severity &&
	       (filter->states == 0 || (filter->states >> row->state & 1u) != 0);
}

static bool rule_passes(const struct list *list, const struct store_alert *row)
{
	struct str rule = list->filter->rule;
	return rule.len == 0 || str_glob_fold(row->rule, rule) ||
	       str_find_fold(value(list, ALERT_title), rule, 0) >= 0;
}

static void put_cell(struct list *list, const struct store_alert *row, unsigned column)
{
	static const enum alert_field fields[COLUMN_COUNT] = {[ID] = ALERT_id,
							      [SEVERITY] = ALERT_severity,
							      [TITLE] = ALERT_title,
							      [USER] = ALERT_user,
							      [ROUTE] = ALERT_route,
							      [GRADE] = ALERT_grade,
							      [STATEMENT] = ALERT_statement};
	struct buf *cell = &list->cell;
	buf_clear(cell);
	if (column == TIME) {
		when_put(cell, &list->session->zone, row->time_ns, 0, false);
		return;
	}
	if (column == STATE) {
		buf_put_text(cell, alerts_state_word(row->state));
		return;
	}
	struct str text = value(list, fields[column]);
	if (text.len == 0 && column == TITLE) {
		text = row->rule;
	}
	if (text.len == 0 && column == STATEMENT) {
		text = value(list, ALERT_gap);
	}
	if (text.len == 0) {
		buf_put_byte(cell, '-');
	} else {
		fmt_put_one_line(cell, text);
	}
}

static enum style severity_style(int severity)
{
	return severity >= 4 ? STYLE_BAD : severity == 3 ? STYLE_DOUBT : STYLE_NONE;
}

static void put_table_line(struct list *list, const struct store_alert *row)
{
	struct output *out = &list->session->out;
	bool first = true;
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		if (list->columns[i].width == 0) {
			continue;
		}
		if (row != NULL) {
			put_cell(list, row, i);
		} else {
			buf_clear(&list->cell);
			buf_put_text(&list->cell, list->columns[i].title);
		}
		buf_put_text(&out->text, first ? "" : "  ");
		first = false;
		bool styled = row != NULL && i == SEVERITY && row->state == ALERT_STATE_FIRING;
		if (styled) {
			output_style(out, severity_style(row->severity));
		}
		bool last = i + 1 == COLUMN_COUNT || list->columns[i + 1].width == 0;
		layout_put_cell(&out->text, &list->columns[i], buf_str(&list->cell),
				last && i == STATEMENT, out->width > 0);
		if (styled) {
			output_style(out, STYLE_NONE);
		}
	}
	buf_put_byte(&out->text, '\n');
}

static void put_text_part(struct list *list, const char *before, enum alert_field field)
{
	if (value(list, field).len > 0) {
		buf_put_text(&list->session->out.text, before);
		fmt_put_one_line(&list->session->out.text, value(list, field));
	}
}

/* "2026-11-22 10:00:00Z high: Table Dropped: alice through DELETE /x ran: DROP TABLE a (grade A); firing; alert 0123.." */
static void put_sentence(struct list *list, const struct store_alert *row)
{
	struct buf *out = &list->session->out.text;
	when_put(out, &list->session->zone, row->time_ns, 0, true);
	buf_putf(out, " %s: ", alert_severity_word(row->severity));
	put_cell(list, row, TITLE);
	buf_put_str(out, buf_str(&list->cell));
	buf_put_text(out, ": ");
	if (value(list, ALERT_user).len > 0) {
		fmt_put_one_line(out, value(list, ALERT_user));
	} else {
		buf_put_text(out, "nobody known");
	}
	put_text_part(list, " through ", ALERT_route);
	put_text_part(list, ", login ", ALERT_principal);
	put_text_part(list, ", ran: ", ALERT_statement);
	put_text_part(list, ", missing: ", ALERT_gap);
	put_text_part(list, " (grade ", ALERT_grade);
	buf_put_text(out, value(list, ALERT_grade).len > 0 ? ")" : "");
	buf_putf(out, "; %s; alert %.*s\n", alerts_state_word(row->state), STR_ARG(row->id));
}

static struct str more_value(const struct store_alert *row, size_t index)
{
	switch (index) {
	case 0:
		return str_of(alerts_state_word(row->state));
	case 1:
		return row->by;
	case 2:
		return row->note;
	default:
		return row->quiet ? STR_LIT("true") : STR_LIT("false");
	}
}

static void put_json(struct list *list, const struct store_alert *row)
{
	struct buf *out = &list->session->out.text;
	bool first = false;
	alert_put_json(&list->view->alert, out);
	buf_truncate(out, out->len - 1); /* its brace */
	for (size_t i = 0; i < MORE_COUNT; i++) {
		struct str text = more_value(row, i);
		if (text.len > 0) {
			json_put_key(out, &first, more_names[i]);
			json_put_string(out, text);
		}
	}
	buf_put_byte(out, '}');
}

static void put_csv_value(struct list *list, struct str text, bool first)
{
	buf_clear(&list->cell);
	(void)csv_cell_defuse(text, list->session->out.is_terminal,
			      &list->cell); /* whether it was changed can be seen */
	csv_cell_put(&list->session->out.text, buf_str(&list->cell), first);
}

static void put_csv(struct list *list, const struct store_alert *row)
{
	for (unsigned i = 0; i < ALERT_FIELD_COUNT; i++) {
		enum alert_field field = (enum alert_field)i;
		put_csv_value(list,
			      row != NULL ? value(list, field) : str_of(alert_field_name(field)),
			      i == 0);
	}
	for (size_t i = 0; i < MORE_COUNT; i++) {
		put_csv_value(list, row != NULL ? more_value(row, i) : str_of(more_names[i]),
			      false);
	}
	buf_put_text(&list->session->out.text, "\r\n");
}

static void put_row(struct list *list, const struct store_alert *row)
{
	struct buf *out = &list->session->out.text;
	switch (list->format) {
	case LIST_TABLE:
		put_table_line(list, row);
		break;
	case LIST_TEXT:
		put_sentence(list, row);
		break;
	case LIST_JSON:
		buf_put_text(out, list->count > 1 ? ",\n" : "\n");
		put_json(list, row);
		break;
	case LIST_JSONL:
		put_json(list, row);
		buf_put_byte(out, '\n');
		break;
	case LIST_CSV:
		put_csv(list, row);
		break;
	case LIST_FORMATS:
		break;
	}
	output_row_done(&list->session->out);
}

static int each(void *owner, const struct store_alert *row, struct error *err)
{
	struct list *list = owner;
	if (!passes(list->filter, row)) {
		return 0;
	}
	int result = alert_read(&list->reader, row, list->view, err);
	if (result != 0 || !rule_passes(list, row)) {
		return result;
	}
	if (list->measuring) {
		for (unsigned i = 0; i < COLUMN_COUNT; i++) {
			put_cell(list, row, i);
			layout_see(&list->columns[i], utf8_width(buf_str(&list->cell)));
		}
		return 0;
	}
	list->count++;
	list->firing += row->state == ALERT_STATE_FIRING ? 1 : 0;
	put_row(list, row);
	return 0;
}

static int find_format(struct session *session, enum list_format *out, struct error *err)
{
	const char *format = session_option(session, OPTION_FORMAT);
	*out = session_option(session, OPTION_JSON) != NULL ? LIST_JSON : LIST_TABLE;
	if (format == NULL) {
		return 0;
	}
	for (unsigned i = 0; i < LIST_FORMATS; i++) {
		if (strcmp(format, format_names[i]) == 0) {
			*out = (enum list_format)i;
			return 0;
		}
	}
	return error_set(err, ERR_USAGE,
			 "\"querytrail alerts\" has the formats table, text, json, jsonl and csv");
}

static int walk(struct list *list, struct error *err)
{
	return alerts_walk(list->session->store, &(struct alerts_walk){each, list}, err);
}

static int put_all(struct list *list, const struct alerts_counts *counts, struct error *err)
{
	struct buf *out = &list->session->out.text;
	int result = 0;
	if (list->format == LIST_TABLE) {
		memcpy(list->columns, template, sizeof(template));
		layout_begin(list->columns, COLUMN_COUNT);
		list->measuring = true;
		result = walk(list, err);
		list->measuring = false;
		layout_decide(list->columns, COLUMN_COUNT, list->session->out.width);
		if (result == 0) {
			output_style(&list->session->out, STYLE_TITLE);
			put_table_line(list, NULL);
			output_style(&list->session->out, STYLE_NONE);
		}
	} else if (list->format == LIST_JSON) {
		buf_put_text(out, "{\"alerts\":[");
	} else if (list->format == LIST_CSV) {
		put_csv(list, NULL);
	}
	result = result == 0 ? walk(list, err) : result;
	if (result == 0 && list->format == LIST_JSON) {
		buf_putf(out,
			 "],\n\"count\":%llu,\"firing\":%llu,\"deliveries_waiting\":%llu,"
			 "\"deliveries_dead\":%llu,\"unreadable_records\":%llu}\n",
			 (unsigned long long)list->count, (unsigned long long)list->firing,
			 (unsigned long long)counts->waiting, (unsigned long long)counts->dead,
			 (unsigned long long)list->reader.unread);
	}
	return result;
}

static void tell(struct list *list, const struct alerts_counts *counts)
{
	struct buf *out = &list->session->err.text;
	buf_putf(out, "%llu %s, %llu firing", (unsigned long long)list->count,
		 list->count == 1 ? "alert" : "alerts", (unsigned long long)list->firing);
	if (counts->waiting + counts->dead > 0) {
		buf_putf(out, "; deliveries of all alerts: %llu waiting, %llu dead",
			 (unsigned long long)counts->waiting, (unsigned long long)counts->dead);
		buf_put_text(out, counts->dead > 0 ? " (querytrail alerts failed)" : "");
	}
	buf_put_byte(out, '\n');
	if (list->count > 0 && list->format == LIST_TABLE) {
		buf_put_text(out, "next: querytrail alerts show ALERT\n");
	}
	if (list->reader.unread > 0) {
		buf_putf(out, "INCOMPLETE: %llu records could not be read: ",
			 (unsigned long long)list->reader.unread);
		output_safe(&list->session->err, str_of(list->reader.damage.text));
		buf_put_byte(out, '\n');
	}
}

int alert_list_put(struct session *session, const struct alert_filter *filter,
		   const struct pack *pack, struct error *err)
{
	struct list list = {.session = session, .filter = filter};
	struct alerts_counts counts;
	int result = find_format(session, &list.format, err);
	if (result != 0) {
		return result;
	}
	list.view = calloc(1, sizeof(*list.view));
	if (list.view == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the alerts");
	}
	buf_init(&list.cell, 0);
	result = alert_reader_open(&list.reader, session->store, pack, err);
	result = result != 0 ? result : alerts_count(session->store, &counts, err);
	result = result != 0 ? result : put_all(&list, &counts, err);
	if (result == 0) {
		tell(&list, &counts);
		result = list.reader.unread > 0 ? EXIT_INCOMPLETE
			 : list.count > 0       ? EXIT_FOUND
						: EXIT_NONE;
	}
	alert_reader_close(&list.reader);
	buf_done(&list.cell);
	free(list.view);
	return result;
}

struct failed {
	struct session *session;
	uint64_t count;
	bool json;
};

static int put_failed(void *owner, const struct store_delivery *delivery, struct error *err)
{
	struct failed *failed = owner;
	struct output *out = &failed->session->out;
	bool first = true;
	(void)err;
	failed->count++;
	if (failed->json) {
		buf_put_text(&out->text, failed->count > 1 ? ",\n{" : "\n{");
		json_put_key(&out->text, &first, "alert");
		json_put_string(&out->text, delivery->alert_id);
		json_put_key(&out->text, &first, "channel");
		json_put_string(&out->text, delivery->channel);
		json_put_key(&out->text, &first, "attempts");
		buf_put_u64(&out->text, delivery->attempts);
		json_put_key(&out->text, &first, "since");
		buf_put_byte(&out->text, '"');
		clock_put_rfc3339(&out->text, delivery->changed_ns, 3);
		buf_put_byte(&out->text, '"');
		json_put_key(&out->text, &first, "error");
		json_put_string(&out->text, delivery->text);
		buf_put_byte(&out->text, '}');
	} else {
		output_safe(out, delivery->alert_id);
		buf_put_text(&out->text, "  to ");
		output_safe(out, delivery->channel);
		buf_putf(&out->text, ", %u failed, dead since ", (unsigned)delivery->attempts);
		when_put(&out->text, &failed->session->zone, delivery->changed_ns, 0, false);
		buf_put_text(&out->text, ": ");
		output_safe(out, delivery->text);
		buf_put_byte(&out->text, '\n');
	}
	output_row_done(out);
	return 0;
}

int alert_failed_put(struct session *session, struct error *err)
{
	struct failed failed = {.session = session};
	enum list_format format;
	int result = find_format(session, &format, err);
	failed.json = format == LIST_JSON;
	if (result == 0 && format != LIST_JSON && format != LIST_TABLE && format != LIST_TEXT) {
		return error_set(err, ERR_USAGE,
				 "\"querytrail alerts failed\" has the formats text and json");
	}
	buf_put_text(&session->out.text, failed.json ? "{\"failed\":[" : "");
	const struct alerts_delivery_filter dead = {.states = 1u << DELIVERY_DEAD};
	if (result == 0) {
		result = alerts_walk_deliveries(session->store, &dead,
						&(struct alerts_delivery_walk){put_failed, &failed},
						err);
	}
	if (result != 0) {
		return result;
	}
	buf_put_text(&session->out.text, failed.json ? "]}\n" : "");
	if (failed.count == 0) {
		buf_put_text(&session->err.text, "no delivery is dead\n");
		return EXIT_NONE;
	}
	buf_put_text(&session->err.text, "next: querytrail alerts replay --dead\n");
	return EXIT_FOUND;
}
