#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/daemon-parts.h"

#define REQUESTS (1u << RECORD_REQUEST)

static struct roster_source *source_of(struct parts *parts, const char *name)
{
	return roster_find(keeper_roster(parts->daemon.keeper), str_of(name));
}

static void who_may_give_what(void **state)
{
	/* the daemon's own name and its own kinds are CONFIG; persons may give lifecycle records */
	static const struct {
		const char *name;
		unsigned kinds;
		int answer; /* 0: WELCOME */
	} cases[] = {
		{"Api-1.eu_west", REQUESTS, 0},
		{"querytraild", REQUESTS, ERR_CONFIG},
		{"x", 1u << RECORD_VERDICT, ERR_CONFIG},
		{"x", 1u << RECORD_ALERT, ERR_CONFIG},
		{"x", 1u << RECORD_LIFECYCLE, ERR_CONFIG},
		{"x", 1u << RECORD_ACCESS, 0},
		{"querytrail", 1u << RECORD_LIFECYCLE, 0},
		{"querytrail-serve", 1u << RECORD_LIFECYCLE | 1u << RECORD_ACCESS, 0},
		{"querytrail", 1u << RECORD_VERDICT, ERR_CONFIG},
		{"querytrail-serve", 1u << RECORD_ALERT, ERR_CONFIG},
	};
	struct parts parts;
	(void)state;
	parts_init(&parts, "{}\n");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		parts_greet(&parts, 0, cases[i].name, "cloudwatch", cases[i].kinds);
		parts_serve(&parts);
		int heard = parts_heard(&parts, 0);
		assert_int_equal(heard, cases[i].answer == 0 ? FEED_WELCOME : FEED_ERROR);
		assert_int_equal(cases[i].answer, heard == FEED_ERROR ? parts.frame.code : 0);
		parts_hang_up(&parts, 0);
		parts_serve(&parts);
	}
	assert_null(source_of(&parts, "querytraild"));
	assert_non_null(source_of(&parts, "Api-1.eu_west"));
	parts_done(&parts);
}

static void one_speaks_for_a_source(void **state)
{
	/* a second one is told AGAIN while the first is there; one that hung up makes room; its going does not free the second's place */
	struct parts parts;
	(void)state;
	parts_init(&parts, "{}\n");
	parts_greet(&parts, 0, "api", "cloudwatch", REQUESTS);
	parts_serve(&parts);
	assert_int_equal(parts_heard(&parts, 0), FEED_WELCOME);
	const void *first = source_of(&parts, "api")->peer;
	assert_non_null(first);
	parts_greet(&parts, 1, "api", "cloudwatch", REQUESTS);
	parts_serve(&parts);
	assert_int_equal(parts_heard(&parts, 1), FEED_ERROR);
	assert_int_equal(parts.frame.code, ERR_AGAIN);
	assert_ptr_equal(source_of(&parts, "api")->peer, first);
	parts_hang_up(&parts, 1);
	parts_serve(&parts);
	assert_ptr_equal(source_of(&parts, "api")->peer, first);
	parts_greet(&parts, 2, "api", "cloudwatch", REQUESTS);
	parts_hang_up(&parts, 0);
	parts_serve(&parts);
	assert_int_equal(parts_heard(&parts, 2), FEED_WELCOME);
	assert_non_null(source_of(&parts, "api")->peer);
	parts_hang_up(&parts, 2);
	parts_serve(&parts);
	assert_null(source_of(&parts, "api")->peer);
	parts_done(&parts);
}

static void dead_speaker_makes_room(void **state)
{
	/* the first hung up, which nobody noticed yet: the next one is welcome, and its going is told before */
	const struct feed_frame hello = {.type = FEED_HELLO,
					 .program = STR_LIT("test"),
					 .source = STR_LIT("api"),
					 .source_type = STR_LIT("file"),
					 .kinds = REQUESTS};
	struct parts parts;
	struct str cursor;
	(void)state;
	parts_init(&parts, "{}\n");
	parts_greet(&parts, 0, "api", "cloudwatch", REQUESTS);
	parts_greet(&parts, 1, "n", "notify", 0); /* a peer that has no source yet */
	parts_serve(&parts);
	struct feedpeer *next = parts.daemon.notify;
	herald_gone(&parts.daemon, NULL);
	const void *first = source_of(&parts, "api")->peer;
	assert_int_equal(intake_handlers.hello(&parts.daemon, next, &hello, &cursor, &parts.err),
			 -ERR_AGAIN);
	assert_ptr_equal(source_of(&parts, "api")->peer, first);
	parts_hang_up(&parts, 0);
	assert_int_equal(intake_handlers.hello(&parts.daemon, next, &hello, &cursor, &parts.err),
			 0);
	assert_ptr_equal(source_of(&parts, "api")->peer, next);
	parts_serve(&parts);
	assert_ptr_equal(source_of(&parts, "api")->peer, next);
	parts_done(&parts);
}

static void kinds_are_those_configured(void **state)
{
	/* what the configuration says of a source's kinds goes before what its collector says */
	struct parts parts;
	(void)state;
	parts_init(&parts, "sources:\n  rows:\n    type: file\n    content: audit-rows\n    files: "
			   "[/dev/null]\n");
	parts_greet(&parts, 0, "rows", "file", REQUESTS | 1u << RECORD_STATEMENT);
	parts_greet(&parts, 1, "other", "file", REQUESTS);
	parts_serve(&parts);
	assert_int_equal(source_of(&parts, "rows")->about.kinds,
			 settings_source_kinds(parts.daemon.config, "rows"));
	assert_int_equal(source_of(&parts, "rows")->about.kinds & REQUESTS, 0);
	assert_int_equal(source_of(&parts, "other")->about.kinds, REQUESTS);
	parts_done(&parts);
}

static void small_batches_wait(void **state)
{
	/* right behind a commit one record waits for the gap; after the gap it goes at once; an answer that waits goes at once too */
	struct parts parts;
	(void)state;
	parts_init(&parts, "{}\n");
	parts_greet(&parts, 0, "api", "cloudwatch", REQUESTS);
	parts_greet(&parts, 1, "hand", "person", REQUESTS);
	parts_serve(&parts);
	assert_int_equal(parts_heard(&parts, 0), FEED_WELCOME);
	assert_int_equal(parts_heard(&parts, 1), FEED_WELCOME);
	parts.daemon.last_commit_ns = clock_monotonic_ns() + PARTS_HOUR_NS;
	parts_send_request(&parts, 0, 1, 1);
	assert_int_equal(parts_heard(&parts, 0), 0);
	assert_true(keeper_has_pending(parts.daemon.keeper));
	parts.daemon.last_commit_ns = clock_monotonic_ns() - DAEMON_SMALL_GAP_NS;
	intake_schedule(&parts.daemon);
	parts_serve(&parts);
	assert_int_equal(parts_heard(&parts, 0), FEED_COMMITTED);
	assert_int_equal(parts.frame.stored, 1);
	parts.daemon.last_commit_ns = clock_monotonic_ns() + PARTS_HOUR_NS;
	struct feed_frame frame = {.type = FEED_BATCH, .sequence = 1, .cursor = STR_LIT("c")};
	parts_send(&parts, 1, &frame); /* a batch of no record is one all the same */
	assert_int_equal(parts_heard(&parts, 1), FEED_COMMITTED);
	assert_false(parts.daemon.urgent);
	assert_int_equal(parts.daemon.first_waits_ns, 0);
	parts_done(&parts);
}

static void none_waits_past_the_interval(void **state)
{
	/* however recent the last commit: after commit_interval since the first of it came it is committed */
	struct parts parts;
	(void)state;
	parts_init(&parts, "{}\n");
	parts_greet(&parts, 0, "api", "cloudwatch", REQUESTS);
	parts_serve(&parts);
	assert_int_equal(parts_heard(&parts, 0), FEED_WELCOME);
	parts.daemon.last_commit_ns = clock_monotonic_ns() + PARTS_HOUR_NS;
	parts.daemon.settings.commit_interval_ns = PARTS_HOUR_NS;
	parts_send_request(&parts, 0, 1, 1);
	assert_int_equal(parts_heard(&parts, 0), 0);
	int64_t came_ns = parts.daemon.first_waits_ns;
	assert_true(came_ns != 0);
	parts.daemon.settings.commit_interval_ns = 1;
	intake_schedule(&parts.daemon);
	assert_int_equal(parts.daemon.first_waits_ns, came_ns); /* asked again: not begun anew */
	parts_serve(&parts);
	assert_int_equal(parts_heard(&parts, 0), FEED_COMMITTED);
	parts_done(&parts);
}

static void many_do_not_wait(void **state)
{
	/* DAEMON_SMALL_RECORDS records are worth a commit of their own */
	struct str records[DAEMON_SMALL_RECORDS];
	struct arena arena;
	struct parts parts;
	(void)state;
	parts_init(&parts, "{}\n");
	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < DAEMON_SMALL_RECORDS; i++) {
		struct str encoded;
		(void)fixture_record(&parts.fixture, (i + 1) * FIXTURE_PERIOD, &encoded);
		char *copy = arena_alloc(&arena, encoded.len);
		assert_non_null(copy);
		memcpy(copy, encoded.ptr, encoded.len);
		records[i] = str_make(copy, encoded.len);
	}
	parts_greet(&parts, 0, "api", "cloudwatch", REQUESTS);
	parts_serve(&parts);
	assert_int_equal(parts_heard(&parts, 0), FEED_WELCOME);
	parts.daemon.last_commit_ns = clock_monotonic_ns() + PARTS_HOUR_NS;
	struct feed_frame frame = {.type = FEED_BATCH,
				   .sequence = 1,
				   .records = records,
				   .record_count = DAEMON_SMALL_RECORDS};
	parts_send(&parts, 0, &frame);
	assert_int_equal(parts_heard(&parts, 0), FEED_COMMITTED);
	assert_int_equal(parts.frame.stored, DAEMON_SMALL_RECORDS);
	arena_done(&arena);
	parts_done(&parts);
}

static void counts_are_of_the_batch(void **state)
{
	/* known events are duplicates; a known key with other bytes is kept beside the first */
	struct parts parts;
	(void)state;
	parts_init(&parts, "{}\n");
	parts_greet(&parts, 0, "api", "person", REQUESTS);
	parts_serve(&parts);
	assert_int_equal(parts_heard(&parts, 0), FEED_WELCOME);
	parts_send_request(&parts, 0, 1, 1);
	assert_int_equal(parts_heard(&parts, 0), FEED_COMMITTED);
	parts_send_request(&parts, 0, 2, 1);
	assert_int_equal(parts_heard(&parts, 0), FEED_COMMITTED);
	assert_int_equal(parts.frame.stored, 0);
	assert_int_equal(parts.frame.duplicate, 1);
	struct str encoded;
	(void)fixture_record(&parts.fixture, FIXTURE_PERIOD, &encoded);
	record_set_text(&parts.fixture.record, FIELD_raw, STR_LIT("{\"status\":599}"));
	buf_clear(&parts.fixture.encoded);
	assert_int_equal(record_encode(&parts.fixture.record, &parts.fixture.encoded, &parts.err),
			 0);
	encoded = buf_str(&parts.fixture.encoded);
	struct feed_frame frame = {
		.type = FEED_BATCH, .sequence = 3, .records = &encoded, .record_count = 1};
	parts_send(&parts, 0, &frame);
	assert_int_equal(parts_heard(&parts, 0), FEED_COMMITTED);
	assert_int_equal(parts.frame.stored, 1);
	assert_int_equal(parts_count(&parts, RECORD_REQUEST, 0, NULL), 2);
	assert_int_equal(source_of(&parts, "api")->about.received, 3);
	parts_done(&parts);
}

static void bad_batch_ends_the_peer_only(void **state)
{
	/* a record of a kind that HELLO did not name: the peer is told INPUT and closed, nothing is stored, others go on */
	struct str encoded;
	struct parts parts;
	(void)state;
	parts_init(&parts, "{}\n");
	parts_greet(&parts, 0, "db", "person", REQUESTS);
	parts_greet(&parts, 1, "api", "person", REQUESTS);
	parts_serve(&parts);
	assert_int_equal(parts_heard(&parts, 0), FEED_WELCOME);
	assert_int_equal(parts_heard(&parts, 1), FEED_WELCOME);
	(void)fixture_record(&parts.fixture, 1, &encoded); /* a statement */
	struct feed_frame frame = {
		.type = FEED_BATCH, .sequence = 1, .records = &encoded, .record_count = 1};
	parts_send(&parts, 0, &frame);
	assert_int_equal(parts_heard(&parts, 0), FEED_ERROR);
	assert_int_equal(parts.frame.code, ERR_INPUT);
	assert_null(source_of(&parts, "db")->peer);
	parts_send_request(&parts, 1, 1, 1);
	assert_int_equal(parts_heard(&parts, 1), FEED_COMMITTED);
	assert_int_equal(parts_count(&parts, RECORD_STATEMENT, 0, NULL), 0);
	assert_int_equal(parts_count(&parts, RECORD_REQUEST, 0, NULL), 1);
	parts_done(&parts);
}

static void notify_gives_no_records(void **state)
{
	/* a batch from the one that says it delivers alerts is INPUT; its STATUS is nobody's state */
	struct str encoded;
	struct parts parts;
	(void)state;
	parts_init(&parts, "{}\n");
	parts_greet(&parts, 0, "notify", "notify", 0);
	parts_serve(&parts);
	assert_int_equal(parts_heard(&parts, 0), FEED_WELCOME);
	assert_non_null(parts.daemon.notify);
	struct feed_frame status = {
		.type = FEED_STATUS, .state = FEED_STATE_RETRYING, .text = STR_LIT("mail is down")};
	parts_send(&parts, 0, &status);
	assert_int_equal(keeper_roster(parts.daemon.keeper)->count, 0);
	(void)fixture_record(&parts.fixture, FIXTURE_PERIOD, &encoded);
	struct feed_frame frame = {
		.type = FEED_BATCH, .sequence = 1, .records = &encoded, .record_count = 1};
	parts_send(&parts, 0, &frame);
	assert_int_equal(parts_heard(&parts, 0), FEED_ERROR);
	assert_int_equal(parts.frame.code, ERR_INPUT);
	assert_null(parts.daemon.notify);
	assert_false(keeper_has_pending(parts.daemon.keeper));
	parts_done(&parts);
}

static void states_are_kept(void **state)
{
	/* STATUS becomes the source's state and sentence; ok and done are signs of life, a fault is none; a batch ends done */
	static const struct {
		enum feed_state given;
		const char *word;
		bool alive;
	} cases[] = {{FEED_STATE_RETRYING, "retrying", false},
		     {FEED_STATE_OK, "ok", true},
		     {FEED_STATE_FAILED, "failed", false},
		     {FEED_STATE_DONE, "done", true}};
	struct parts parts;
	(void)state;
	parts_init(&parts, "{}\n");
	parts_greet(&parts, 0, "api", "person", REQUESTS);
	parts_serve(&parts);
	assert_int_equal(parts_heard(&parts, 0), FEED_WELCOME);
	struct roster_source *source = source_of(&parts, "api");
	assert_true(source->heard_ns != 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct feed_frame frame = {
			.type = FEED_STATUS, .state = cases[i].given, .text = STR_LIT("so it is")};
		source->heard_ns = 1;
		parts_send(&parts, 0, &frame);
		assert_string_equal(source->about.state, cases[i].word);
		assert_string_equal(source->about.state_text, "so it is");
		assert_true((source->heard_ns != 1) == cases[i].alive);
	}
	parts_send_request(&parts, 0, 1, 1);
	assert_string_equal(source->about.state, "ok");
	assert_false(roster_is_done(source));
	parts_done(&parts);
}

static void state_alone_is_committed(void **state)
{
	/* a state without a record reaches the store */
	struct parts parts;
	struct store *store = NULL;
	(void)state;
	parts_init(&parts, "{}\n");
	parts_greet(&parts, 0, "api", "cloudwatch", REQUESTS);
	parts_serve(&parts);
	assert_int_equal(intake_commit(&parts.daemon, &parts.err), 0);
	parts.daemon.last_commit_ns = 0;
	struct feed_frame frame = {
		.type = FEED_STATUS, .state = FEED_STATE_FAILED, .text = STR_LIT("no access")};
	parts_send(&parts, 0, &frame);
	assert_false(source_of(&parts, "api")->dirty);
	assert_int_equal(store_open(parts.store, STORE_READ, &store, &parts.err), 0);
	store_close(store);
	parts_done(&parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_give_what),
		cmocka_unit_test(one_speaks_for_a_source),
		cmocka_unit_test(dead_speaker_makes_room),
		cmocka_unit_test(kinds_are_those_configured),
		cmocka_unit_test(small_batches_wait),
		cmocka_unit_test(none_waits_past_the_interval),
		cmocka_unit_test(many_do_not_wait),
		cmocka_unit_test(counts_are_of_the_batch),
		cmocka_unit_test(bad_batch_ends_the_peer_only),
		cmocka_unit_test(notify_gives_no_records),
		cmocka_unit_test(states_are_kept),
		cmocka_unit_test(state_alone_is_committed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
