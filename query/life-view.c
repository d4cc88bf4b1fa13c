#include "query/life-view.h"

#include "base/json.h"
#include "query/wrap.h"
#include "store/erasures.h"
#include "store/holds.h"

#define STATE_KEY     "life.state" /* docs/format.md section 10.6 */
#define LABEL_COLUMNS 13

struct counts {
	uint64_t done, working, held, again;
};

static unsigned long long ull(uint64_t value)
{
	return value;
}

/* "retention:   literals go after 90d", wrapped. */
static void put_line(struct session *session, struct str label, struct str text)
{
	struct output safe = session->out;
	buf_init(&safe.text, 0);
	output_safe(&safe, str_trim(text));
	buf_putf(&session->out.text, "%.*s:", STR_ARG(label));
	buf_put_fill(&session->out.text, ' ',
		     label.len + 2 < LABEL_COLUMNS ? LABEL_COLUMNS - label.len - 1 : 1);
	wrap_put_behind(&session->out, LABEL_COLUMNS, LABEL_COLUMNS, buf_str(&safe.text));
	buf_done(&safe.text);
}

static int count_erasures(struct session *session, struct counts *out, struct error *err)
{
	struct erasures all;
	erasures_init(&all);
	int rc = erasures_read(session->store, &all, err);
	for (size_t i = 0; rc == 0 && i < all.count; i++) {
		enum erasure_state state = all.list[i].state;
		out->done += state == ERASURE_DONE ? 1 : 0;
		out->held += state == ERASURE_HELD ? 1 : 0;
		out->working += state < ERASURE_HELD ? 1 : 0;
		out->again += all.list[i].again && all.list[i].records > 0 ? 1 : 0;
	}
	erasures_done(&all);
	return rc;
}

static int put_erasures(struct session *session, struct error *err)
{
	struct counts counts = {0};
	struct buf text;
	int rc = count_erasures(session, &counts, err);
	if (rc < 0 || counts.done + counts.working + counts.held == 0) {
		return rc;
	}
	buf_init(&text, 0);
	buf_putf(&text, "%llu done", ull(counts.done));
	if (counts.working > 0) {
		buf_putf(&text, ", %llu under way", ull(counts.working));
	}
	if (counts.held > 0) {
		buf_putf(&text, ", %llu waiting for a legal hold or a damaged block",
			 ull(counts.held));
	}
	if (counts.again > 0) {
		buf_putf(&text,
			 "; %llu were done again, as the store was restored or is another one",
			 ull(counts.again));
	}
	put_line(session, STR_LIT("erasures"), buf_str(&text));
	buf_done(&text);
	return 0;
}

static int put_holds(struct session *session, struct error *err)
{
	struct holds holds;
	struct buf text;
	holds_init(&holds);
	buf_init(&text, 0);
	int rc = holds_read(session->store, &holds, err);
	for (size_t i = 0; rc == 0 && i < holds.count; i++) {
		buf_put_text(&text, i > 0 ? ", " : "");
		buf_put_str(&text, holds.list[i].name);
	}
	if (rc == 0 && holds.count > 0) {
		put_line(session, STR_LIT("legal holds"), buf_str(&text));
	}
	holds_done(&holds);
	buf_done(&text);
	return rc;
}

/* What the daemon says, a line each: "retention: ..". */
static int read_state(struct session *session, struct buf *out, struct error *err)
{
	int rc = store_meta_get(session->store, STATE_KEY, out, err);
	if (rc == -ERR_GONE) {
		error_clear(err); /* no daemon that knows of it has written this store */
		return 0;
	}
	return rc;
}

int life_view_put(struct session *session, struct error *err)
{
	struct buf state;
	buf_init(&state, 0);
	int rc = read_state(session, &state, err);
	struct str rest = buf_str(&state);
	while (rc == 0 && rest.len > 0) {
		struct str line = str_split(&rest, '\n');
		struct str text = line;
		struct str label = str_split(&text, ':');
		if (text.ptr != NULL) {
			put_line(session, label, text);
		}
	}
	rc = rc < 0 ? rc : put_holds(session, err);
	rc = rc < 0 ? rc : put_erasures(session, err);
	buf_done(&state);
	return rc;
}

static void put_number(struct buf *out, bool *first, const char *key, uint64_t value)
{
	json_put_key(out, first, key);
	buf_put_u64(out, value);
}

int life_view_put_json(struct session *session, bool *io_first, struct error *err)
{
	struct buf *out = &session->out.text;
	struct buf state;
	struct holds holds;
	struct counts counts = {0};
	buf_init(&state, 0);
	holds_init(&holds);
	int rc = read_state(session, &state, err);
	rc = rc < 0 ? rc : holds_read(session->store, &holds, err);
	rc = rc < 0 ? rc : count_erasures(session, &counts, err);
	json_put_key(out, io_first, "life");
	json_put_string(out, str_trim(buf_str(&state)));
	put_number(out, io_first, "legal_holds", holds.count);
	put_number(out, io_first, "erasures_done", counts.done);
	put_number(out, io_first, "erasures_working", counts.working);
	put_number(out, io_first, "erasures_held", counts.held);
	holds_done(&holds);
	buf_done(&state);
	return rc;
}
