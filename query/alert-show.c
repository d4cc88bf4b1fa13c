#include "query/alert-show.h"

#include "base/clock.h"
#include "base/json.h"
#include "query/fmt.h"
#include "query/when.h"
#include "query/wrap.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_COLUMNS 14
#define INDENT       "  "

struct page {
	struct session *session;
	struct output *out;
	struct store_alert row;
	struct buf texts; /* of the row */
	struct alert_reader reader;
	struct alert_view *view;
	struct buf cell;
	size_t deliveries, history;
};

static struct str value(const struct page *page, enum alert_field field)
{
	return page->view->alert.value[field];
}

static void put_name(struct page *page, const char *name)
{
	buf_put_text(&page->out->text, INDENT);
	output_style(page->out, STYLE_DIM);
	buf_put_text(&page->out->text, name);
	output_style(page->out, STYLE_NONE);
	buf_put_fill(&page->out->text, ' ',
		     strlen(name) < NAME_COLUMNS ? NAME_COLUMNS - strlen(name) : 1);
}

/* A name and what stands in page->cell, wrapped. */
static void put_cell(struct page *page, const char *name)
{
	if (page->cell.len == 0) {
		return;
	}
	put_name(page, name);
	wrap_put_behind(page->out, NAME_COLUMNS + 2, NAME_COLUMNS + 2, buf_str(&page->cell));
}

/* Appends a value to page->cell, behind a word when it is not the first. */
static void add(struct page *page, const char *before, struct str text)
{
	if (text.len == 0) {
		return;
	}
	buf_put_text(&page->cell, before);
	fmt_put_one_line(&page->cell, text);
}

static void put_line(struct page *page, const char *name, enum alert_field field)
{
	buf_clear(&page->cell);
	add(page, "", value(page, field));
	put_cell(page, name);
}

static void put_title(struct page *page)
{
	struct output *out = page->out;
	const struct store_alert *row = &page->row;
	output_style(out, row->severity >= 4 ? STYLE_BAD : STYLE_DOUBT);
	buf_putf(&out->text, "%s", alert_severity_word(row->severity));
	output_style(out, STYLE_NONE);
	buf_put_text(&out->text, ": ");
	output_style(out, STYLE_TITLE);
	fmt_put_one_line(&out->text,
			 value(page, ALERT_title).len > 0 ? value(page, ALERT_title) : row->rule);
	output_style(out, STYLE_NONE);
	buf_putf(&out->text, "\nalert %.*s, %s", STR_ARG(row->id), alerts_state_word(row->state));
	buf_put_text(&out->text, row->quiet ? ", not sent: the event was too old\n\n" : "\n\n");
}

static void put_person(struct page *page)
{
	buf_clear(&page->cell);
	if (value(page, ALERT_user).len > 0) {
		add(page, "", value(page, ALERT_user));
		add(page, ", ", value(page, ALERT_user_kind));
		add(page, ", from ", value(page, ALERT_source_ip));
	} else if (page->view->has[VIEW_STATEMENT]) {
		buf_put_text(&page->cell,
			     page->view->has[VIEW_VERDICT]
				     ? "nobody known"
				     : "nobody known yet: no request was found so far");
	}
	put_cell(page, "who");
	put_line(page, "agent", ALERT_user_agent);
	buf_clear(&page->cell);
	add(page, "", value(page, ALERT_route));
	add(page, ", status ", value(page, ALERT_status));
	put_cell(page, "route");
	buf_clear(&page->cell);
	add(page, "", value(page, ALERT_grade));
	add(page, ": ", value(page, ALERT_grade_reason));
	put_cell(page, "grade");
	buf_clear(&page->cell);
	add(page, "", value(page, ALERT_request_id));
	if (page->cell.len == 0) {
		add(page, "", value(page, ALERT_extended_request_id));
	}
	put_cell(page, "request");
}

/* The statement's lines, each behind a bar, so that none can pass for something else. */
static void put_statement(struct page *page)
{
	struct str rest = value(page, ALERT_statement);
	if (rest.len == 0) {
		return;
	}
	buf_put_text(&page->out->text, "\n");
	while (rest.ptr != NULL) {
		wrap_put_safe(page->out, INDENT "| ", str_split(&rest, '\n'));
	}
	buf_put_text(&page->out->text, "\n");
}

static void put_database(struct page *page)
{
	buf_clear(&page->cell);
	add(page, "", value(page, ALERT_server));
	add(page, page->cell.len > 0 ? ", " : "", value(page, ALERT_database));
	add(page, page->cell.len > 0 ? ", " : "", value(page, ALERT_table));
	put_cell(page, "database");
	buf_clear(&page->cell);
	add(page, "", value(page, ALERT_principal));
	add(page, ", application ", value(page, ALERT_application));
	add(page, ", host ", value(page, ALERT_host));
	add(page, ", from ", value(page, ALERT_client_ip));
	put_cell(page, "login");
	buf_clear(&page->cell);
	if (str_is(value(page, ALERT_succeeded), "false")) {
		buf_put_text(&page->cell, "refused by the permission check");
	}
	add(page, page->cell.len > 0 ? ", rows " : "rows ", value(page, ALERT_rows));
	put_cell(page, "outcome");
	put_line(page, "statement id", ALERT_statement_id);
	put_line(page, "missing", ALERT_gap);
}

static void put_heading(struct page *page, const char *text)
{
	buf_put_text(&page->out->text, "\n");
	output_style(page->out, STYLE_TITLE);
	buf_put_text(&page->out->text, text);
	output_style(page->out, STYLE_NONE);
	buf_put_text(&page->out->text, "\n");
}

static void put_words(struct page *page, const char *heading, enum alert_field field)
{
	struct str rest = value(page, field);
	if (rest.len == 0) {
		return;
	}
	put_heading(page, heading);
	while (rest.ptr != NULL) {
		struct str line = str_trim(str_split(&rest, '\n'));
		if (line.len > 0) {
			wrap_put_safe(page->out, INDENT, line);
		}
	}
}

static int put_delivery(void *owner, const struct store_delivery *delivery, struct error *err)
{
	struct page *page = owner;
	struct buf *cell = &page->cell;
	char name[64];
	(void)err;
	if (page->deliveries++ == 0) {
		put_heading(page, "Deliveries");
	}
	buf_clear(cell);
	fmt_put_one_line(cell, delivery->channel);
	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(buf_str(cell))); /* cut when longer */
	buf_clear(cell);
	buf_put_text(cell, delivery->state == DELIVERY_DONE
				   ? "delivered"
				   : alerts_delivery_word(delivery->state));
	buf_put_text(cell, " since ");
	when_put(cell, &page->session->zone, delivery->changed_ns, 0, false);
	if (delivery->attempts > 0) {
		buf_putf(cell, ", %u %s failed", (unsigned)delivery->attempts,
			 delivery->attempts == 1 ? "attempt" : "attempts");
	}
	if (delivery->state == DELIVERY_WAITING) {
		buf_put_text(cell, ", next at ");
		when_put(cell, &page->session->zone, delivery->next_ns, 0, false);
	}
	add(page, delivery->state == DELIVERY_DONE ? ": " : "; last said: ", delivery->text);
	put_cell(page, name);
	return 0;
}

/* One line of what became of it, when it has a time. */
static void put_event(struct page *page, int64_t ns, struct str text)
{
	if (page->history++ == 0) {
		put_heading(page, "History");
	}
	buf_put_text(&page->out->text, INDENT);
	when_put(&page->out->text, &page->session->zone, ns, 0, false);
	buf_put_text(&page->out->text, "  ");
	buf_clear(&page->cell);
	fmt_put_one_line(&page->cell, text);
	wrap_put_behind(page->out, 23, 23, buf_str(&page->cell));
}

static void put_history(struct page *page)
{
	const struct store_alert *row = &page->row;
	put_event(page, row->time_ns, STR_LIT("it happened"));
	put_event(page, row->fired_ns, STR_LIT("the rule fired"));
	if (row->state != ALERT_STATE_FIRING) {
		put_event(page, row->changed_ns, value(page, ALERT_resolution));
	} else if (row->note.len > 0) {
		struct buf text;
		buf_init(&text, 0);
		buf_put_text(&text, "acknowledged before by ");
		buf_put_str(&text, row->by);
		buf_put_text(&text, ": ");
		buf_put_str(&text, row->note);
		put_event(page, row->changed_ns, buf_str(&text));
		buf_done(&text);
	}
}

static int walk_deliveries(struct page *page, alerts_delivery_fn *each, struct error *err)
{
	const struct alerts_delivery_filter filter = {.alert_id = page->row.id, .states = ~0u};
	return alerts_walk_deliveries(page->session->store, &filter,
				      &(struct alerts_delivery_walk){each, page}, err);
}

static int put_page(struct page *page, struct error *err)
{
	put_title(page);
	put_person(page);
	put_statement(page);
	put_database(page);
	put_words(page, "Why it is risky", ALERT_explanation);
	put_line(page, "matched", ALERT_matched);
	put_words(page, "What to do next", ALERT_next_steps);
	int result = walk_deliveries(page, put_delivery, err);
	put_history(page);
	if (result == 0 && page->row.state == ALERT_STATE_FIRING) {
		buf_putf(&page->session->err.text,
			 "next: querytrail alerts ack %.*s --note \"what you found\"\n",
			 STR_ARG(page->row.id));
	}
	return result;
}

static int put_json_delivery(void *owner, const struct store_delivery *delivery, struct error *err)
{
	struct page *page = owner;
	struct buf *out = &page->out->text;
	bool first = true;
	const struct {
		const char *name;
		struct str text;
	} texts[] = {{"channel", delivery->channel},
		     {"state", str_of(alerts_delivery_word(delivery->state))},
		     {"error", delivery->text}};
	(void)err;
	buf_put_text(out, page->deliveries++ > 0 ? ",{" : "{");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_put_key(out, &first, texts[i].name);
		json_put_string(out, texts[i].text);
	}
	json_put_key(out, &first, "attempts");
	buf_put_u64(out, delivery->attempts);
	json_put_key(out, &first, "revision");
	buf_put_u64(out, delivery->revision);
	json_put_key(out, &first, "changed");
	buf_put_byte(out, '"');
	clock_put_rfc3339(out, delivery->changed_ns, 3);
	buf_put_text(out, "\"}");
	return 0;
}

static int put_json(struct page *page, struct error *err)
{
	struct buf *out = &page->out->text;
	buf_put_text(out, "{\"alert\":");
	alert_put_json(&page->view->alert, out);
	buf_putf(out, ",\"disposition\":\"%s\",\"revision\":%u,\"quiet\":%s,\"deliveries\":[",
		 alerts_state_word(page->row.state), (unsigned)page->row.revision,
		 page->row.quiet ? "true" : "false");
	int result = walk_deliveries(page, put_json_delivery, err);
	buf_put_text(out, "]}\n");
	return result;
}

#define BEGINNING_MIN 6 /* a shorter one hits by accident */

struct search { /* alerts whose ids begin with a text */
	struct str beginning;
	char id[ALERT_ID_DIGITS];
	size_t count;
};

static int look(void *owner, const struct store_alert *alert, struct error *err)
{
	struct search *search = owner;
	(void)err;
	if (alert->id.len == ALERT_ID_DIGITS && str_has_prefix(alert->id, search->beginning)) {
		memcpy(search->id, alert->id.ptr, ALERT_ID_DIGITS);
		search->count++;
	}
	return 0;
}

int alert_find(struct store *store, struct str id, struct buf *texts, struct store_alert *out_alert,
	       struct error *err)
{
	struct search search = {.beginning = id};
	int result = alerts_get(store, id, texts, out_alert, err);
	if (result != -ERR_GONE) {
		return result;
	}
	error_clear(err);
	if (id.len > 0 && id.len < BEGINNING_MIN) {
		return error_set(
			err, ERR_USAGE,
			"\"%.*s\" is too short for an alert; give at least %d digits of its id",
			STR_ARG(id), BEGINNING_MIN);
	}
	result = id.len == 0 ? 0 : alerts_walk(store, &(struct alerts_walk){look, &search}, err);
	if (result != 0) {
		return result;
	}
	if (search.count > 1) {
		return error_set(err, ERR_USAGE,
				 "%zu alerts begin with \"%.*s\"; give more of the id",
				 search.count, STR_ARG(id));
	}
	if (search.count == 0) {
		return error_set(err, ERR_GONE,
				 "there is no alert \"%.*s\"; \"querytrail alerts\" lists them",
				 STR_ARG(id));
	}
	return alerts_get(store, str_make(search.id, ALERT_ID_DIGITS), texts, out_alert, err);
}

int alert_show_put(struct session *session, struct str id, const struct pack *pack,
		   struct error *err)
{
	struct page page = {.session = session, .out = &session->out};
	const char *format = session_option(session, OPTION_FORMAT);
	bool json = session_option(session, OPTION_JSON) != NULL ||
		    (format != NULL && strcmp(format, "json") == 0);
	if (format != NULL && !json && strcmp(format, "text") != 0) {
		return error_set(err, ERR_USAGE,
				 "\"querytrail alerts show\" has the formats text and json");
	}
	page.view = calloc(1, sizeof(*page.view));
	if (page.view == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the alert");
	}
	buf_init(&page.texts, 0);
	buf_init(&page.cell, 0);
	int result = alert_find(session->store, id, &page.texts, &page.row, err);
	result = result != 0 ? result : alert_reader_open(&page.reader, session->store, pack, err);
	result = result != 0 ? result : alert_read(&page.reader, &page.row, page.view, err);
	result = result != 0 ? result : json ? put_json(&page, err) : put_page(&page, err);
	if (result == 0 && page.reader.unread > 0) {
		buf_put_text(&session->err.text, "INCOMPLETE: ");
		output_safe(&session->err, str_of(page.reader.damage.text));
		buf_put_byte(&session->err.text, '\n');
		result = EXIT_INCOMPLETE;
	}
	alert_reader_close(&page.reader);
	buf_done(&page.texts);
	buf_done(&page.cell);
	free(page.view);
	return result;
}
