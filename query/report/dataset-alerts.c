/* The datasets alerts (one row an alert, as it stands) and deliveries (one row an alert and channel). */
#include "query/report/dataset.h"

#include "base/clock.h"
#include "model/alert.h"
#include "store/alerts.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_MAX (256u << 20)

enum {
	ALERT_ID,
	TIME,
	STATE,
	REVISION,
	SEVERITY,
	RULE,
	TITLE,
	MATCHED,
	TAGS,
	FIRED,
	CHANGED,
	ACKNOWLEDGED,
	ACK_SECONDS,
	ACK_BY,
	NOTE,
	QUIET,
	GRADE,
	USER,
	ROUTE,
	PRINCIPAL,
	DATABASE,
	TABLE,
	VERB,
	STATEMENT,
	STATEMENT_ID,
	REQUEST_ID,
	DELIVERIES,
	DELIVERED,
	WAITING,
	DEAD,
	ALERT_FIELDS
};

static const struct {
	const char *name;
	enum trail_type type;
} alert_fields[ALERT_FIELDS] = {
	[ALERT_ID] = {"alert_id", TRAIL_TEXT},
	[TIME] = {"time", TRAIL_TIME},
	[STATE] = {"state", TRAIL_TEXT},
	[REVISION] = {"revision", TRAIL_NUMBER},
	[SEVERITY] = {"severity", TRAIL_TEXT},
	[RULE] = {"rule", TRAIL_TEXT},
	[TITLE] = {"title", TRAIL_TEXT},
	[MATCHED] = {"matched", TRAIL_TEXT},
	[TAGS] = {"tags", TRAIL_TEXT},
	[FIRED] = {"fired", TRAIL_TIME},
	[CHANGED] = {"changed", TRAIL_TIME},
	[ACKNOWLEDGED] = {"acknowledged", TRAIL_TIME},
	[ACK_SECONDS] = {"ack_seconds", TRAIL_NUMBER},
	[ACK_BY] = {"ack_by", TRAIL_TEXT},
	[NOTE] = {"note", TRAIL_TEXT},
	[QUIET] = {"quiet", TRAIL_BOOL},
	[GRADE] = {"grade", TRAIL_TEXT},
	[USER] = {"user", TRAIL_TEXT},
	[ROUTE] = {"route", TRAIL_TEXT},
	[PRINCIPAL] = {"principal", TRAIL_TEXT},
	[DATABASE] = {"database", TRAIL_TEXT},
	[TABLE] = {"table", TRAIL_TEXT},
	[VERB] = {"verb", TRAIL_TEXT},
	[STATEMENT] = {"statement", TRAIL_TEXT},
	[STATEMENT_ID] = {"statement_id", TRAIL_TEXT},
	[REQUEST_ID] = {"request_id", TRAIL_TEXT},
	[DELIVERIES] = {"deliveries", TRAIL_NUMBER},
	[DELIVERED] = {"delivered", TRAIL_NUMBER},
	[WAITING] = {"waiting", TRAIL_NUMBER},
	[DEAD] = {"dead", TRAIL_NUMBER},
};

enum {
	D_ALERT_ID,
	D_TIME,
	D_CHANNEL,
	D_REVISION,
	D_STATE,
	D_ATTEMPTS,
	D_CHANGED,
	D_TEXT,
	D_FIELDS
};

static const struct {
	const char *name;
	enum trail_type type;
} delivery_fields[D_FIELDS] = {
	[D_ALERT_ID] = {"alert_id", TRAIL_TEXT}, [D_TIME] = {"time", TRAIL_TIME},
	[D_CHANNEL] = {"channel", TRAIL_TEXT},   [D_REVISION] = {"revision", TRAIL_NUMBER},
	[D_STATE] = {"state", TRAIL_TEXT},       [D_ATTEMPTS] = {"attempts", TRAIL_NUMBER},
	[D_CHANGED] = {"changed", TRAIL_TIME},   [D_TEXT] = {"text", TRAIL_TEXT},
};

struct delivery_row {
	struct store_delivery delivery;
	int64_t time_ns; /* of the alert */
};

struct alerts {
	struct arena arena;
	const struct plan *plan;
	struct store_alert *rows;
	size_t count, room;
	struct delivery_row *deliveries;
	size_t delivery_count, delivery_room;
	struct scan_fetch *alert_fetch, *verdict_fetch, *statement_fetch, *request_fetch;
	struct record alert, verdict, statement, request;
	bool has_alert, has_verdict, has_statement, has_request;
	uint64_t by_state[4]; /* deliveries of the row that was read */
	int64_t alert_time_ns;
	size_t row;
};

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the alerts found; narrow the time");
}

static int keep(struct alerts *alerts, struct str *text)
{
	return arena_str(&alerts->arena, *text, text);
}

static int take_alert(void *owner, const struct store_alert *alert, struct error *err)
{
	struct alerts *alerts = owner;
	if (!plan_time(alerts->plan, alert->time_ns)) {
		return 0;
	}
	if (alerts->count == alerts->room) {
		size_t room = alerts->room > 0 ? alerts->room * 2 : 64;
		void *larger = realloc(alerts->rows, room * sizeof(*alerts->rows));
		if (larger == NULL) {
			return no_memory(err);
		}
		alerts->rows = larger;
		alerts->room = room;
	}
	struct store_alert *row = &alerts->rows[alerts->count];
	*row = *alert;
	if (keep(alerts, &row->id) != 0 || keep(alerts, &row->rule) != 0 ||
	    keep(alerts, &row->by) != 0 || keep(alerts, &row->note) != 0) {
		return no_memory(err);
	}
	alerts->count++;
	return 0;
}

static void alerts_close(struct dataset *dataset)
{
	struct alerts *alerts = dataset->state;
	if (alerts != NULL) {
		scan_fetch_close(alerts->alert_fetch);
		scan_fetch_close(alerts->verdict_fetch);
		scan_fetch_close(alerts->statement_fetch);
		scan_fetch_close(alerts->request_fetch);
		free(alerts->rows);
		free(alerts->deliveries);
		arena_done(&alerts->arena);
		free(alerts);
	}
	dataset->state = NULL;
}

static size_t alerts_fields(const struct dataset_type *type, struct dataset_field *out)
{
	(void)type;
	for (size_t i = 0; i < ALERT_FIELDS; i++) {
		out[i].type = alert_fields[i].type;
		(void)snprintf(out[i].name, sizeof(out->name), "%s", alert_fields[i].name);
	}
	return ALERT_FIELDS;
}

static int count_delivery(void *owner, const struct store_delivery *delivery, struct error *err)
{
	struct alerts *alerts = owner;
	(void)err;
	if (delivery->state >= DELIVERY_WAITING && delivery->state <= DELIVERY_DEAD) {
		alerts->by_state[delivery->state]++;
	}
	return 0;
}

/* Reads a record that the alert names; one that cannot be read is counted. */
static bool fetch(struct dataset *dataset, struct scan_fetch *from, uint64_t leaf,
		  struct record *out_record)
{
	int64_t ignored;
	if (leaf == ALERTS_NO_LEAF) {
		return false;
	}
	bool good = scan_fetch_record(from, leaf, out_record, &ignored, NULL) == 0;
	dataset->unread += good ? 0 : 1;
	return good;
}

/* Reads the records that an alert rests on. */
static void read_records(struct dataset *dataset, const struct store_alert *alert)
{
	struct alerts *alerts = dataset->state;
	alerts->has_alert = fetch(dataset, alerts->alert_fetch, alert->leaf, &alerts->alert);
	alerts->has_statement =
		fetch(dataset, alerts->statement_fetch, alert->statement_leaf, &alerts->statement);
	alerts->has_verdict =
		fetch(dataset, alerts->verdict_fetch, alert->verdict_leaf, &alerts->verdict);
	uint64_t request = alert->request_leaf;
	if (alerts->has_verdict) { /* it says more than was known when the alert fired */
		int64_t named = record_number(&alerts->verdict, FIELD_request_leaf, -1);
		request = named < 0 ? ALERTS_NO_LEAF : (uint64_t)named;
	}
	alerts->has_request = fetch(dataset, alerts->request_fetch, request, &alerts->request);
}

/* Whether the trail that the alert rests on matches the filter. One that rests on none does not. */
static bool is_asked(struct dataset *dataset, const struct store_alert *alert)
{
	struct alerts *alerts = dataset->state;
	const struct plan *plan = alerts->plan;
	read_records(dataset, alert);
	uint64_t atoms = alerts->has_verdict ? 0 : plan->pending_bits;
	if (alerts->has_statement) {
		atoms |= plan_record_atoms(plan, SIDE_STATEMENT, &alerts->statement,
					   alert->statement_leaf);
	}
	if (alerts->has_verdict) {
		atoms |= plan_record_atoms(plan, SIDE_VERDICT, &alerts->verdict,
					   alert->verdict_leaf);
	}
	if (alerts->has_request) {
		atoms |= plan_record_atoms(plan, SIDE_REQUEST, &alerts->request,
					   alert->request_leaf);
	}
	return (alerts->has_statement || alerts->has_request) && plan_holds(plan, atoms);
}

/* Leaves the alerts that the filter asks for. */
static void narrow(struct dataset *dataset)
{
	struct alerts *alerts = dataset->state;
	size_t kept = 0;
	if (alerts->plan->query->root->type == NODE_ALL) {
		return;
	}
	for (size_t i = 0; i < alerts->count; i++) {
		if (is_asked(dataset, &alerts->rows[i])) {
			alerts->rows[kept++] = alerts->rows[i];
		}
	}
	alerts->count = kept;
	dataset->unread = 0; /* counted again when they are read */
}

static int open_fetches(struct alerts *alerts, struct store *store, struct error *err)
{
	int result = scan_fetch_open(store, &alerts->alert_fetch, err);
	result = result == 0 ? scan_fetch_open(store, &alerts->verdict_fetch, err) : result;
	result = result == 0 ? scan_fetch_open(store, &alerts->statement_fetch, err) : result;
	return result == 0 ? scan_fetch_open(store, &alerts->request_fetch, err) : result;
}

static int collect_alerts(struct dataset *dataset, struct error *err)
{
	struct alerts *alerts = calloc(1, sizeof(*alerts));
	if (alerts == NULL) {
		return no_memory(err);
	}
	arena_init(&alerts->arena, ARENA_MAX);
	alerts->plan = dataset->question.plan;
	dataset->state = alerts;
	struct alerts_walk walk = {take_alert, alerts};
	int result = alerts_walk(dataset->question.store, &walk, err);
	result = result == 0 ? open_fetches(alerts, dataset->question.store, err) : result;
	if (result != 0) {
		alerts_close(dataset);
		return result;
	}
	narrow(dataset);
	return 0;
}

static int alerts_open(struct dataset *dataset, struct error *err)
{
	int result = collect_alerts(dataset, err);
	if (result == 0) {
		const struct alerts *alerts = dataset->state;
		dataset->row_count = alerts->count;
	}
	return result;
}

static int alerts_read(struct dataset *dataset, size_t row, struct error *err)
{
	struct alerts *alerts = dataset->state;
	const struct store_alert *alert = &alerts->rows[row];
	alerts->row = row;
	dataset->time_ns = alert->time_ns;
	memset(alerts->by_state, 0, sizeof(alerts->by_state));
	read_records(dataset, alert);
	struct alerts_delivery_filter filter = {.alert_id = alert->id, .states = ~0u};
	struct alerts_delivery_walk walk = {count_delivery, alerts};
	return alerts_walk_deliveries(dataset->question.store, &filter, &walk, err);
}

static struct trail_value text(struct str value)
{
	return value.len == 0 ? (struct trail_value){.type = TRAIL_ABSENT}
			      : (struct trail_value){.type = TRAIL_TEXT, .text = value};
}

static struct trail_value instant(int64_t ns)
{
	return (struct trail_value){.type = TRAIL_TIME, .number = ns};
}

static struct trail_value number(uint64_t value)
{
	return (struct trail_value){.type = TRAIL_NUMBER, .number = (int64_t)value};
}

static struct trail_value of_record(bool there, const struct record *record, unsigned field)
{
	return there && record_has(record, field) ? text(record_text(record, field))
						  : (struct trail_value){.type = TRAIL_ABSENT};
}

/* What the records say that the alert rests on. */
static struct trail_value evidence_value(const struct alerts *alerts, unsigned field)
{
	const struct record *statement = &alerts->statement;
	switch (field) {
	case TITLE:
		return of_record(alerts->has_alert, &alerts->alert, FIELD_title);
	case MATCHED:
		return of_record(alerts->has_alert, &alerts->alert, FIELD_matched);
	case TAGS:
		return of_record(alerts->has_alert, &alerts->alert, FIELD_tags);
	case GRADE:
		return of_record(alerts->has_verdict, &alerts->verdict, FIELD_grade);
	case USER:
		return of_record(alerts->has_request, &alerts->request, FIELD_user);
	case ROUTE:
		return of_record(alerts->has_request, &alerts->request, FIELD_route);
	case REQUEST_ID:
		return of_record(alerts->has_request, &alerts->request, FIELD_request_id);
	case PRINCIPAL:
		return of_record(alerts->has_statement, statement, FIELD_principal);
	case DATABASE:
		return of_record(alerts->has_statement, statement, FIELD_database);
	case TABLE:
		return of_record(alerts->has_statement, statement, FIELD_table);
	case VERB:
		return of_record(alerts->has_statement, statement, FIELD_verb);
	case STATEMENT:
		return of_record(alerts->has_statement, statement, FIELD_statement);
	case STATEMENT_ID:
		return of_record(alerts->has_statement, statement, FIELD_statement_id);
	default:
		return (struct trail_value){.type = TRAIL_ABSENT};
	}
}

static struct trail_value delivery_count(const struct alerts *alerts, unsigned field)
{
	const uint64_t *by_state = alerts->by_state;
	switch (field) {
	case DELIVERED:
		return number(by_state[DELIVERY_DONE]);
	case WAITING:
		return number(by_state[DELIVERY_WAITING]);
	case DEAD:
		return number(by_state[DELIVERY_DEAD]);
	default:
		return number(by_state[DELIVERY_DONE] + by_state[DELIVERY_WAITING] +
			      by_state[DELIVERY_DEAD]);
	}
}

/* complexity: one case a field, nothing else */
static struct trail_value alerts_value(const struct dataset *dataset, unsigned field)
{
	const struct alerts *alerts = dataset->state;
	const struct store_alert *alert = &alerts->rows[alerts->row];
	bool acknowledged = alert->state == ALERT_STATE_ACKNOWLEDGED;
	switch (field) {
	case ALERT_ID:
		return text(alert->id);
	case TIME:
		return instant(alert->time_ns);
	case STATE:
		return text(str_of(alerts_state_word(alert->state)));
	case REVISION:
		return number(alert->revision);
	case SEVERITY:
		return text(str_of(alert_severity_word(alert->severity)));
	case RULE:
		return text(alert->rule);
	case FIRED:
		return instant(alert->fired_ns);
	case CHANGED:
		return instant(alert->changed_ns);
	case ACKNOWLEDGED:
		return acknowledged ? instant(alert->changed_ns)
				    : (struct trail_value){.type = TRAIL_ABSENT};
	case ACK_SECONDS:
		return acknowledged ? number((uint64_t)((alert->changed_ns - alert->fired_ns) /
							NS_PER_SEC))
				    : (struct trail_value){.type = TRAIL_ABSENT};
	case QUIET:
		return (struct trail_value){.type = TRAIL_BOOL, .number = alert->quiet};
	case ACK_BY:
		return text(alert->by);
	case NOTE:
		return text(alert->note);
	case DELIVERIES:
	case DELIVERED:
	case WAITING:
	case DEAD:
		return delivery_count(alerts, field);
	default:
		return evidence_value(alerts, field);
	}
}

static int take_delivery(void *owner, const struct store_delivery *delivery, struct error *err)
{
	struct alerts *alerts = owner;
	if (alerts->delivery_count == alerts->delivery_room) {
		size_t room = alerts->delivery_room > 0 ? alerts->delivery_room * 2 : 64;
		void *larger = realloc(alerts->deliveries, room * sizeof(*alerts->deliveries));
		if (larger == NULL) {
			return no_memory(err);
		}
		alerts->deliveries = larger;
		alerts->delivery_room = room;
	}
	struct delivery_row *row = &alerts->deliveries[alerts->delivery_count];
	*row = (struct delivery_row){*delivery, alerts->alert_time_ns};
	if (keep(alerts, &row->delivery.alert_id) != 0 ||
	    keep(alerts, &row->delivery.channel) != 0 || keep(alerts, &row->delivery.text) != 0) {
		return no_memory(err);
	}
	alerts->delivery_count++;
	return 0;
}

static int deliveries_open(struct dataset *dataset, struct error *err)
{
	int result = collect_alerts(dataset, err);
	struct alerts *alerts = dataset->state;
	for (size_t i = 0; result == 0 && i < alerts->count; i++) {
		struct alerts_delivery_filter filter = {alerts->rows[i].id, ~0u};
		struct alerts_delivery_walk walk = {take_delivery, alerts};
		alerts->alert_time_ns = alerts->rows[i].time_ns;
		result = alerts_walk_deliveries(dataset->question.store, &filter, &walk, err);
	}
	if (result != 0) {
		alerts_close(dataset);
		return result;
	}
	dataset->row_count = alerts->delivery_count;
	return 0;
}

static size_t deliveries_fields(const struct dataset_type *type, struct dataset_field *out)
{
	(void)type;
	for (size_t i = 0; i < D_FIELDS; i++) {
		out[i].type = delivery_fields[i].type;
		(void)snprintf(out[i].name, sizeof(out->name), "%s", delivery_fields[i].name);
	}
	return D_FIELDS;
}

static int deliveries_read(struct dataset *dataset, size_t row, struct error *err)
{
	struct alerts *alerts = dataset->state;
	(void)err;
	alerts->row = row;
	dataset->time_ns = alerts->deliveries[row].time_ns;
	return 0;
}

static struct trail_value deliveries_value(const struct dataset *dataset, unsigned field)
{
	const struct alerts *alerts = dataset->state;
	const struct delivery_row *row = &alerts->deliveries[alerts->row];
	switch (field) {
	case D_ALERT_ID:
		return text(row->delivery.alert_id);
	case D_TIME:
		return instant(row->time_ns);
	case D_CHANNEL:
		return text(row->delivery.channel);
	case D_REVISION:
		return number(row->delivery.revision);
	case D_STATE:
		return text(str_of(alerts_delivery_word(row->delivery.state)));
	case D_ATTEMPTS:
		return number(row->delivery.attempts);
	case D_CHANGED:
		return instant(row->delivery.changed_ns);
	default:
		return text(row->delivery.text);
	}
}

const struct dataset_type dataset_alerts = {
	.name = "alerts",
	.rows = "alerts",
	.follows_filter = true,
	.has_time = true,
	.times = "time",
	.fields = alerts_fields,
	.open = alerts_open,
	.read = alerts_read,
	.value = alerts_value,
	.close = alerts_close,
};

const struct dataset_type dataset_deliveries = {
	.name = "deliveries",
	.rows = "deliveries",
	.follows_filter = true,
	.has_time = true,
	.times = "time",
	.fields = deliveries_fields,
	.open = deliveries_open,
	.read = deliveries_read,
	.value = deliveries_value,
	.close = alerts_close,
};
