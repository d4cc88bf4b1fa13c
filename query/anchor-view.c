#include "query/anchor-view.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "query/when.h"

#include <stdio.h>

#define REFUSED_KEY "log.refused" /* docs/format.md section 11.9 */

static int take(void *owner, const struct anchor_state *state, struct error *err)
{
	struct anchor_view *view = owner;
	(void)err;
	if (view->count < ANCHOR_VIEW_MAX) {
		view->anchors[view->count] = *state;
	}
	view->count++;
	return 0;
}

static size_t told(const struct anchor_view *view)
{
	return view->count < ANCHOR_VIEW_MAX ? view->count : ANCHOR_VIEW_MAX;
}

/* Nothing there is nothing; damage is kept to be told. */
static int tolerate(struct anchor_view *view, int rc, struct error *err)
{
	if (rc == -ERR_CORRUPT) {
		(void)snprintf(view->damage, sizeof view->damage, "%s", err->text);
	}
	if (rc == -ERR_CORRUPT || rc == -ERR_GONE) {
		error_clear(err);
		return 0;
	}
	return rc;
}

int anchor_view_read(struct store *store, struct anchor_view *out, struct error *err)
{
	struct checkpoint last;
	struct buf text;
	*out = (struct anchor_view){.signed_ns = INT64_MIN};
	buf_init(&text, NOTE_MAX_BYTES);
	int rc = checkpoints_last(store, &last, &text, err);
	if (rc == 0) {
		out->signed_size = last.size;
		out->signed_ns = last.time_ns;
		(void)snprintf(out->origin, sizeof out->origin, "%.*s",
			       STR_ARG(str_slice(last.note, 0, strcspn(last.note.ptr, "\n"))));
	}
	rc = tolerate(out, rc, err);
	rc = rc < 0 ? rc : tolerate(out, anchors_walk(store, take, out, err), err);
	if (rc == 0) {
		buf_clear(&text);
		rc = store_meta_get(store, REFUSED_KEY, &text, err);
		if (rc == 0) {
			(void)snprintf(out->refused, sizeof out->refused, "%.*s",
				       STR_ARG(buf_str(&text)));
		}
		rc = tolerate(out, rc, err);
	}
	buf_done(&text);
	return rc;
}

bool anchor_view_has(const struct anchor_view *view, const struct anchor_state *state)
{
	return state->taken_ns != INT64_MIN && strcmp(state->origin, view->origin) == 0;
}

/* "all 28 records 12 s ago", "20 of 28 records 2 min ago", "nothing yet" */
static void put_amount(const struct anchor_view *view, const struct anchor_state *state,
		       int64_t now_ns, struct buf *out)
{
	if (!anchor_view_has(view, state)) {
		buf_put_text(out, "nothing yet");
		return;
	}
	if (state->taken_size >= view->signed_size) {
		buf_putf(out, "all %llu records ", (unsigned long long)state->taken_size);
	} else {
		buf_putf(out, "%llu of %llu records ", (unsigned long long)state->taken_size,
			 (unsigned long long)view->signed_size);
	}
	when_put_age(out, now_ns - state->taken_ns);
	buf_put_text(out, " ago");
}

void anchor_view_put(const struct anchor_view *view, int64_t now_ns, struct output *out)
{
	for (size_t i = 0; i < told(view); i++) {
		const struct anchor_state *state = &view->anchors[i];
		buf_put_text(&out->text, i == 0 ? "anchors:     " : "             ");
		output_safe(out, str_of(state->name));
		buf_putf(&out->text, " (%s) ", state->type);
		put_amount(view, state, now_ns, &out->text);
		if (state->failures > 0) {
			buf_putf(&out->text, "; failed %u %s: ", state->failures,
				 state->failures == 1 ? "time" : "times");
			output_safe(out, str_of(state->text));
		}
		buf_put_byte(&out->text, '\n');
	}
	if (view->count > told(view)) {
		buf_putf(&out->text, "             and %zu more\n", view->count - told(view));
	}
	if (view->damage[0] != '\0') {
		buf_put_text(&out->text, "anchors:     damaged: ");
		output_safe(out, str_of(view->damage));
		buf_put_byte(&out->text, '\n');
	}
	if (view->refused[0] != '\0') {
		output_style(out, STYLE_BAD);
		buf_put_text(&out->text, "log:         refused, nothing is signed any more: ");
		output_safe(out, str_of(view->refused));
		output_style(out, STYLE_NONE);
		buf_put_byte(&out->text, '\n');
	}
}

void anchor_view_put_line(const struct anchor_view *view, int64_t now_ns, struct buf *out)
{
	for (size_t i = 0; i < told(view); i++) {
		buf_put_text(out, i == 0 ? "\n  anchored: " : ", ");
		utf8_put_printable(out, str_of(view->anchors[i].name));
		buf_put_byte(out, ' ');
		put_amount(view, &view->anchors[i], now_ns, out);
	}
	if (view->count > told(view)) {
		buf_putf(out, " and %zu more", view->count - told(view));
	}
	if (view->damage[0] != '\0') {
		buf_put_text(out, "\n  what is kept of anchors is damaged: ");
		utf8_put_printable(out, str_of(view->damage));
	}
	if (view->refused[0] != '\0') {
		buf_put_text(out, "\n  the log is refused by an anchor: ");
		utf8_put_printable(out, str_of(view->refused));
	}
}

static void put_time(struct buf *out, int64_t ns)
{
	if (ns == INT64_MIN) {
		buf_put_text(out, "null");
		return;
	}
	buf_put_byte(out, '"');
	clock_put_rfc3339(out, ns, 9);
	buf_put_byte(out, '"');
}

static void put_json_anchor(const struct anchor_view *view, const struct anchor_state *state,
			    int64_t now_ns, struct buf *out)
{
	bool has = anchor_view_has(view, state);
	bool first = true;
	buf_put_byte(out, '{');
	json_put_key(out, &first, "anchor");
	json_put_string(out, str_of(state->name));
	json_put_key(out, &first, "type");
	json_put_string(out, str_of(state->type));
	json_put_key(out, &first, "records");
	buf_put_u64(out, has ? state->taken_size : 0);
	json_put_key(out, &first, "time");
	put_time(out, has ? state->taken_ns : INT64_MIN);
	json_put_key(out, &first, "age_seconds");
	if (!has) {
		buf_put_text(out, "null");
	} else {
		int64_t age_ns = now_ns - state->taken_ns;
		buf_put_i64(out, age_ns > 0 ? age_ns / NS_PER_SEC : 0);
	}
	json_put_key(out, &first, "failures");
	buf_put_u64(out, state->failures);
	json_put_key(out, &first, "text");
	json_put_string(out, str_of(state->text));
	buf_put_byte(out, '}');
}

void anchor_view_put_json(const struct anchor_view *view, int64_t now_ns, bool *io_first,
			  struct buf *out)
{
	json_put_key(out, io_first, "signed");
	buf_put_u64(out, view->signed_size);
	json_put_key(out, io_first, "signed_time");
	put_time(out, view->signed_ns);
	json_put_key(out, io_first, "anchored");
	buf_put_byte(out, '[');
	for (size_t i = 0; i < told(view); i++) {
		buf_put_text(out, i > 0 ? "," : "");
		put_json_anchor(view, &view->anchors[i], now_ns, out);
	}
	buf_put_byte(out, ']');
	if (view->damage[0] != '\0') {
		json_put_key(out, io_first, "anchors_damaged");
		json_put_string(out, str_of(view->damage));
	}
	json_put_key(out, io_first, "log_refused");
	json_put_string(out, str_of(view->refused));
}
