#include "correlator/lifestate.h"

#include "correlator/verdict.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#define LAST_KEY "retention.last" /* a setting of the store: a sentence */

static const char *const classes[RETAIN_CLASSES] = {
	[RETAIN_RECORDS] = "records", [RETAIN_SIZE] = "size", [RETAIN_LITERALS] = "literals"};

/* A record of the daemon's own, of this moment; the key stands in `key`. */
static struct record begin(const char *event, const char *what, char key[RECORD_KEY_MAX])
{
	struct record record;
	int64_t now_ns = clock_now_ns();
	int len = snprintf(key, RECORD_KEY_MAX, "%s:%s:%lld:%ld", event, what, (long long)now_ns,
			   (long)getpid());
	assert(len > 0 && len < RECORD_KEY_MAX);
	record_init(&record, RECORD_LIFECYCLE);
	record.source = STR_LIT(VERDICT_SOURCE);
	record.key = str_make(key, (size_t)len);
	record.time_ns = now_ns;
	record_set_text(&record, FIELD_event, str_of(event));
	record_set_text(&record, FIELD_program, STR_LIT("querytraild"));
	return record;
}

int lifenote_erasure(struct life *life, const struct erasure *row, struct error *err)
{
	char key[RECORD_KEY_MAX];
	struct record record = begin("erasure", row->id, key);
	struct buf reason;
	buf_init(&reason, ERROR_TEXT_MAX);
	buf_putf(&reason, "%s of %llu records %s%s",
		 row->only_literals ? "values and lines" : "all that says whom they are about",
		 (unsigned long long)row->records, row->records == 1 ? "was erased" : "were erased",
		 row->again ? ", again: the store had been restored, or is another one" : "");
	if (row->held > 0) {
		buf_putf(&reason, "; %llu are held by %s", (unsigned long long)row->held,
			 row->held_by);
	}
	record_set_text(&record, FIELD_reason, buf_str(&reason));
	record_set_text(&record, FIELD_user, str_of(row->by));
	record_set_text(&record, FIELD_note, str_of(row->reason));
	record_set_text(&record, FIELD_erasure, str_of(row->id));
	record_set_text(&record, FIELD_data_class,
			row->only_literals ? STR_LIT("literals") : STR_LIT("records"));
	if (row->filter_digest[0] != 0) {
		record_set_text(&record, FIELD_filter_digest, str_of(row->filter_digest));
	}
	record_set_number(&record, FIELD_record_count, (int64_t)row->records);
	record_set_number(&record, FIELD_block_count, (int64_t)row->blocks);
	record_set_number(&record, FIELD_held_count, (int64_t)row->held);
	int rc = keeper_note(life->keeper, &record, record.time_ns, err);
	buf_done(&reason);
	return rc;
}

int lifenote_retention(struct life *life, enum retaining_class which, struct error *err)
{
	char key[RECORD_KEY_MAX];
	const struct retaining_done *done = &life->retaining.done[which];
	struct record record = begin("retention", classes[which], key);
	struct buf reason;
	buf_init(&reason, ERROR_TEXT_MAX);
	buf_putf(&reason, "%llu records %s", (unsigned long long)done->records,
		 which == RETAIN_LITERALS ? "lost their values and lines, by retention.literals"
		 : which == RETAIN_SIZE   ? "were removed, by retention.size"
					  : "were removed, by retention.records");
	if (done->held > 0) {
		buf_putf(&reason, "; legal holds kept %llu", (unsigned long long)done->held);
	}
	record_set_text(&record, FIELD_reason, buf_str(&reason));
	record_set_text(&record, FIELD_data_class, str_of(classes[which]));
	record_set_number(&record, FIELD_gap_from, done->from_ns);
	record_set_number(&record, FIELD_gap_to, done->to_ns);
	record_set_number(&record, FIELD_record_count, (int64_t)done->records);
	record_set_number(&record, FIELD_block_count, (int64_t)done->blocks);
	record_set_number(&record, FIELD_held_count, (int64_t)done->held);
	int rc = keeper_note(life->keeper, &record, record.time_ns, err);
	buf_done(&reason);
	return rc;
}

static void put_time(struct buf *out, int64_t ns)
{
	clock_put_rfc3339(out, ns, 0);
}

/* "literals after 90d, records after 400d, at most 10 GiB" */
static void put_policy(const struct life *life, struct buf *out)
{
	const struct retention_settings *settings = &life->settings;
	const char *between = "";
	if (settings->literals_ns > 0) {
		buf_put_text(out, "literals go after ");
		clock_put_duration(out, settings->literals_ns);
		between = ", ";
	}
	if (settings->records_ns > 0) {
		buf_putf(out, "%srecords go after ", between);
		clock_put_duration(out, settings->records_ns);
		between = ", ";
	}
	if (settings->size_bytes > 0) {
		buf_putf(out, "%sthe oldest go when blocks take more than %llu.%llu MB", between,
			 (unsigned long long)(settings->size_bytes / 1000000),
			 (unsigned long long)(settings->size_bytes / 100000 % 10));
		between = ", ";
	}
	if (between[0] == 0) {
		buf_put_text(out, "everything is kept");
	}
}

int lifenote_last(struct life *life, struct error *err)
{
	static const char *const words[RETAIN_CLASSES] = {[RETAIN_RECORDS] =
								  "records removed by age",
							  [RETAIN_SIZE] = "records removed by size",
							  [RETAIN_LITERALS] = "records masked"};
	struct buf text;
	const char *between = "";
	buf_init(&text, 4096);
	buf_put_text(&text, "last run with work: ");
	put_time(&text, life->retaining.now_ns);
	for (int i = 0; i < RETAIN_CLASSES; i++) {
		uint64_t records = life->retaining.done[i].records;
		if (records > 0) {
			buf_putf(&text, "%s %llu %s", between, (unsigned long long)records,
				 words[i]);
			between = ",";
		}
	}
	int rc = buf_check(&text, "what status shows", err);
	rc = rc < 0 ? rc : store_meta_put(life->store, LAST_KEY, buf_str(&text), err);
	buf_done(&text);
	return rc;
}

static void put_ledger(struct life *life, struct buf *out)
{
	size_t damage = ledger_damage_count(life->ledger);
	uint64_t refused = keeper_admission(life->keeper)->refused;
	if (ledger_entry_count(life->ledger) > 0 && life->ledger_inside) {
		buf_put_text(out, "ledger: in the store's folder: a restored copy of the folder "
				  "takes it back too; set retention.ledger\n");
	}
	for (size_t i = 0; i < damage && ledger_damage(life->ledger, i) != NULL; i++) {
		buf_putf(out, "ledger: %s\n", ledger_damage(life->ledger, i));
	}
	if (refused > 0) {
		buf_putf(out, "refused: %llu records came again that were erased or removed\n",
			 (unsigned long long)refused);
	}
}

int lifenote_state(struct life *life, struct error *err)
{
	struct buf text;
	buf_init(&text, 65536);
	buf_put_text(&text, "retention: ");
	put_policy(life, &text);
	if (life->settings.literals_ns > 0 || life->settings.records_ns > 0 ||
	    life->settings.size_bytes > 0) {
		buf_put_text(&text, "; looked at ");
		put_time(&text, clock_now_ns());
		buf_putf(&text, ", %s",
			 life->work == LIFE_RETENTION ? "work is under way" : "nothing is due");
	}
	struct buf last;
	buf_init(&last, 4096);
	if (store_meta_get(life->store, LAST_KEY, &last, NULL) ==
	    0) { /* else nothing was done yet */
		buf_putf(&text, "; %.*s", STR_ARG(buf_str(&last)));
	}
	buf_done(&last);
	buf_put_byte(&text, '\n');
	put_ledger(life, &text);
	if (life->problem.code != 0) {
		buf_putf(&text, "problem: %s\n", life->problem.text);
	}
	int rc = buf_check(&text, "what status shows", err);
	rc = rc < 0 ? rc : store_meta_put(life->store, LIFE_STATE, buf_str(&text), err);
	buf_done(&text);
	return rc;
}
