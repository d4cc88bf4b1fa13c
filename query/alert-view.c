#include "query/alert-view.h"

#define ARENA_BYTES (64u << 20)

int alert_reader_open(struct alert_reader *reader, struct store *store, const struct pack *pack,
		      struct error *err)
{
	*reader = (struct alert_reader){.pack = pack};
	arena_init(&reader->arena, ARENA_BYTES);
	buf_init(&reader->resolution, 0);
	for (size_t i = 0; i < VIEW_PARTS; i++) {
		int result = scan_fetch_open(store, &reader->fetch[i], err);
		if (result != 0) {
			alert_reader_close(reader);
			return result;
		}
	}
	return 0;
}

void alert_reader_close(struct alert_reader *reader)
{
	for (size_t i = 0; i < VIEW_PARTS; i++) {
		if (reader->fetch[i] != NULL) {
			scan_fetch_close(reader->fetch[i]);
		}
	}
	arena_done(&reader->arena);
	buf_done(&reader->resolution);
	*reader = (struct alert_reader){0};
}

static int read_part(struct alert_reader *reader, enum alert_view_part part, uint64_t leaf,
		     struct alert_view *view, struct error *err)
{
	struct error why;
	int64_t ingest_ns;
	view->has[part] = false;
	if (leaf == ALERTS_NO_LEAF) {
		return 0;
	}
	int result = scan_fetch_record(reader->fetch[part], leaf, &view->records[part], &ingest_ns,
				       &why);
	if (result == 0) {
		view->has[part] = true;
	} else if (result == -ERR_CORRUPT) { /* what was removed is no damage */
		reader->damage = reader->unread == 0 ? why : reader->damage;
		reader->unread++;
	} else if (result != -ERR_GONE) {
		*err = why;
		return result;
	}
	return 0;
}

static const struct rule *find_rule(const struct pack *pack, struct str id)
{
	for (size_t i = 0; pack != NULL && i < pack_rule_count(pack); i++) {
		if (str_equal(pack_rule(pack, i)->id, id)) {
			return pack_rule(pack, i);
		}
	}
	return NULL;
}

static const struct record *part(const struct alert_view *view, enum alert_view_part which)
{
	return view->has[which] ? &view->records[which] : NULL;
}

static int read_parts(struct alert_reader *reader, const struct store_alert *row,
		      struct alert_view *view, struct error *err)
{
	uint64_t request_leaf = row->request_leaf;
	int result = read_part(reader, VIEW_ALERT, row->leaf, view, err);
	result = result != 0 ? result
			     : read_part(reader, VIEW_STATEMENT, row->statement_leaf, view, err);
	result = result != 0 ? result : read_part(reader, VIEW_OTHER, row->other_leaf, view, err);
	result = result != 0 ? result
			     : read_part(reader, VIEW_VERDICT, row->verdict_leaf, view, err);
	const struct record *verdict = &view->records[VIEW_VERDICT];
	if (result == 0 && view->has[VIEW_VERDICT] && row->statement_leaf != ALERTS_NO_LEAF) {
		request_leaf = record_has(verdict, FIELD_request_leaf)
				       ? (uint64_t)record_number(verdict, FIELD_request_leaf, 0)
				       : ALERTS_NO_LEAF;
	}
	return result != 0 ? result : read_part(reader, VIEW_REQUEST, request_leaf, view, err);
}

int alert_read(struct alert_reader *reader, const struct store_alert *row,
	       struct alert_view *out_view, struct error *err)
{
	struct alert_view *view = out_view;
	arena_clear(&reader->arena);
	buf_clear(&reader->resolution);
	int result = read_parts(reader, row, view, err);
	if (result != 0) {
		return result;
	}
	struct str reason = {0};
	if (view->has[VIEW_ALERT]) {
		reason = record_text(&view->records[VIEW_ALERT], FIELD_reason);
	}
	alerts_put_resolution(row, reason, &reader->resolution);
	const struct rule *rule = find_rule(reader->pack, row->rule);
	const struct alert_parts parts = {
		.id = row->id,
		.rule = row->rule,
		.explanation = rule != NULL ? rule->explanation : (struct str){0},
		.next_steps = rule != NULL ? rule->next_steps : (struct str){0},
		.resolution = buf_str(&reader->resolution),
		.severity = row->severity,
		.time_ns = row->time_ns,
		.fired_ns = row->fired_ns,
		.resolved_ns = row->changed_ns,
		.alert = part(view, VIEW_ALERT),
		.statement = part(view, VIEW_STATEMENT),
		.verdict = part(view, VIEW_VERDICT),
		.request = part(view, VIEW_REQUEST),
		.other = part(view, VIEW_OTHER),
		.statement_bytes = SIZE_MAX};
	if (reader->resolution.failed || alert_make(&parts, &reader->arena, &view->alert) < 0) {
		return error_set(err, ERR_NOMEM, "no memory for alert %.*s", STR_ARG(row->id));
	}
	return 0;
}
