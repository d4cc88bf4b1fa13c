#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "correlator/anchoring.h"
#include "correlator/rollback.h"
#include "model/options.h"
#include "store/log/anchors.h"
#include "tests/unit/log-fixture.h"

static const char two[] = "anchors:\n"
			  "  dir: {type: file, folder: /nowhere, interval: 10s}\n"
			  "  w1: {type: witness, url: \"http://w\", key: k, interval: 10s}\n";

struct talk { /* an anchoring, and what it sent */
	struct log_fixture log;
	struct anchoring *anchoring;
	struct config *config;
	struct error err;
	int64_t now_ns, next_ns;
	unsigned sent;
	char anchor[16];
	uint64_t size, old_size;
	size_t hashes;
};

static int on_send(void *owner, const struct feed_frame *frame, struct error *err)
{
	struct talk *talk = owner;
	(void)err;
	assert_int_equal(frame->type, FEED_CHECKPOINT);
	assert_true(str_equal(frame->note, buf_str(&talk->log.note)));
	talk->sent++;
	(void)snprintf(talk->anchor, sizeof talk->anchor, "%.*s", STR_ARG(frame->anchor));
	talk->size = frame->size;
	talk->old_size = frame->old_size;
	talk->hashes = frame->proof.len / DIGEST_BYTES;
	return 0;
}

static void configure(struct talk *talk, const char *text)
{
	struct config *config = NULL;
	const struct config_input input = {.name = "c", .text = str_of(text)};
	assert_int_equal(config_parse(options_schema(), &input, &config, NULL, &talk->err), 0);
	assert_int_equal(anchoring_set(talk->anchoring, config, &talk->err), 0);
	config_free(talk->config);
	talk->config = config;
}

static void begin(struct talk *talk)
{
	const struct anchoring_options options = {
		.store = talk->log.filled.store, .send = on_send, .owner = talk};
	assert_int_equal(anchoring_new(&options, &talk->anchoring, &talk->err), 0);
	configure(talk, two);
	anchoring_connected(talk->anchoring);
}

static void talk_init(struct talk *talk)
{
	memset(talk, 0, sizeof *talk);
	log_set_level((enum log_level)0);
	log_fixture_init(&talk->log, 5);
	talk->now_ns = FIXTURE_START_NS;
	begin(talk);
}

static void talk_done(struct talk *talk)
{
	anchoring_free(talk->anchoring);
	config_free(talk->config);
	log_fixture_done(&talk->log);
}

/* Lets it send what is due. Returns how many frames that were. */
static unsigned pump(struct talk *talk)
{
	unsigned before = talk->sent;
	assert_int_equal(anchoring_pump(talk->anchoring, talk->now_ns, &talk->next_ns, &talk->err),
			 0);
	return talk->sent - before;
}

static void answer(struct talk *talk, const char *name, enum feed_anchored outcome,
		   uint64_t known_size)
{
	const struct feed_frame frame = {.type = FEED_ANCHORED,
					 .anchor = str_of(name),
					 .size = talk->size,
					 .old_size = known_size,
					 .anchored = outcome,
					 .receipt = outcome == FEED_TAKEN ? STR_LIT("line\n")
									  : (struct str){0},
					 .text = STR_LIT("because")};
	assert_int_equal(anchoring_received(talk->anchoring, &frame, talk->now_ns, &talk->err), 0);
}

static struct anchor_state state_of(struct talk *talk, const char *name)
{
	struct anchor_state out;
	assert_int_equal(anchors_get(talk->log.filled.store, name, &out, &talk->err), 0);
	return out;
}

static void newest_goes_to_each_at_its_interval(void **state)
{
	/* each anchor gets the newest checkpoint once; the next one when the interval has passed, with a proof for the witness */
	struct talk talk;
	(void)state;
	talk_init(&talk);
	assert_int_equal(pump(&talk), 2);
	assert_int_equal(pump(&talk), 0); /* in their hands */
	answer(&talk, "dir", FEED_TAKEN, 0);
	answer(&talk, "w1", FEED_TAKEN, 0);
	assert_true(state_of(&talk, "w1").taken_size == 5);
	assert_int_equal(pump(&talk), 0);
	assert_true(talk.next_ns == INT64_MAX);
	log_fixture_grow(&talk.log, 4);
	assert_int_equal(pump(&talk), 0);
	assert_true(talk.next_ns == talk.now_ns + 10 * NS_PER_SEC);
	talk.now_ns += 10 * NS_PER_SEC;
	assert_int_equal(pump(&talk), 2);
	assert_string_equal(talk.anchor, "w1");
	assert_true(talk.size == 9 && talk.old_size == 5 && talk.hashes > 0);
	talk_done(&talk);
}

static void connection_that_ends_gives_back(void **state)
{
	/* what was in notify's hands is sent again on the next connection, and nothing without one */
	struct talk talk;
	(void)state;
	talk_init(&talk);
	assert_int_equal(pump(&talk), 2);
	anchoring_lost(talk.anchoring);
	assert_int_equal(pump(&talk), 0);
	anchoring_connected(talk.anchoring);
	assert_int_equal(pump(&talk), 2);
	talk_done(&talk);
}

static void failures_wait_longer_and_longer(void **state)
{
	/* the wait doubles up to its most; the state has the count and the sentence, also for the next process; a success forgets them */
	struct talk talk;
	int64_t before_ns = 0;
	(void)state;
	talk_init(&talk);
	assert_int_equal(pump(&talk), 2);
	answer(&talk, "dir", FEED_TAKEN, 0);
	for (unsigned i = 1; i < 12; i++) {
		answer(&talk, "w1", FEED_NOT_TAKEN, 0);
		assert_int_equal(pump(&talk), 0);
		int64_t wait_ns = talk.next_ns - talk.now_ns;
		assert_true(wait_ns >= before_ns && wait_ns <= ANCHORING_WAIT_MAX_NS);
		before_ns = wait_ns;
		assert_int_equal(state_of(&talk, "w1").failures, i);
		assert_string_equal(state_of(&talk, "w1").text, "because");
		talk.now_ns = talk.next_ns;
		assert_int_equal(pump(&talk), 1);
	}
	assert_true(before_ns == ANCHORING_WAIT_MAX_NS);
	answer(&talk, "w1", FEED_TAKEN, 0);
	assert_int_equal(state_of(&talk, "w1").failures, 0);
	assert_string_equal(state_of(&talk, "w1").text, "");
	talk_done(&talk);
}

static void state_outlives_the_process(void **state)
{
	/* a new process sends nothing that was taken, and proves from where the witness stands; anchors that are gone are forgotten */
	struct talk talk;
	struct anchor_state out;
	(void)state;
	talk_init(&talk);
	assert_int_equal(pump(&talk), 2);
	answer(&talk, "dir", FEED_TAKEN, 0);
	answer(&talk, "w1", FEED_TAKEN, 0);
	anchoring_free(talk.anchoring);
	begin(&talk);
	assert_int_equal(pump(&talk), 0);
	log_fixture_grow(&talk.log, 1);
	talk.now_ns += 10 * NS_PER_SEC;
	assert_int_equal(pump(&talk), 2);
	assert_true(talk.old_size == 5);
	configure(&talk, "anchors: {w2: {type: witness, url: u, key: k}}");
	assert_int_equal(anchoring_count(talk.anchoring), 1);
	assert_int_equal(anchors_get(talk.log.filled.store, "w1", &out, &talk.err), -ERR_GONE);
	answer(&talk, "w1", FEED_TAKEN, 0); /* too late: nobody asks for it */
	assert_int_equal(anchors_get(talk.log.filled.store, "w1", &out, &talk.err), -ERR_GONE);
	talk_done(&talk);
}

static void witness_that_stands_elsewhere(void **state)
{
	/* another size is answered at once with a proof from there; one that goes on asking waits as after a failure */
	struct talk talk;
	(void)state;
	talk_init(&talk);
	assert_int_equal(pump(&talk), 2);
	answer(&talk, "w1", FEED_OTHER_SIZE, 3);
	assert_int_equal(pump(&talk), 1);
	assert_true(talk.old_size == 3 && talk.hashes > 0);
	answer(&talk, "w1", FEED_OTHER_SIZE, 2);
	assert_int_equal(pump(&talk), 0);
	assert_int_equal(state_of(&talk, "w1").failures, 1);
	assert_false(anchoring_refused(talk.anchoring));
	talk_done(&talk);
}

/* One answer that must stop everything. */
static void expect_refusal(enum feed_anchored outcome, uint64_t known_size)
{
	struct talk talk;
	struct buf text;
	talk_init(&talk);
	buf_init(&text, 0);
	assert_int_equal(pump(&talk), 2);
	answer(&talk, "w1", outcome, known_size);
	assert_true(anchoring_refused(talk.anchoring));
	assert_int_equal(rollback_refused(talk.log.filled.store, &text, &talk.err), 0);
	assert_true(str_has_prefix(buf_str(&text), STR_LIT("w1 ")));
	log_fixture_grow(&talk.log, 1);
	talk.now_ns += NS_PER_HOUR;
	assert_int_equal(pump(&talk), 0);
	anchoring_free(talk.anchoring);
	begin(&talk); /* a restart changes nothing */
	assert_true(anchoring_refused(talk.anchoring));
	assert_int_equal(pump(&talk), 0);
	buf_done(&text);
	talk_done(&talk);
}

static void one_that_has_seen_more_stops_the_log(void **state)
{
	/* more records than were signed, another tree, and the same size told for another root: refused, kept, nothing goes out any more */
	(void)state;
	expect_refusal(FEED_OTHER_SIZE, 6);
	expect_refusal(FEED_ANCHOR_AHEAD, 6);
	expect_refusal(FEED_ANCHOR_FORK, 0);
	assert_false(anchoring_refused(NULL));
}

static void size_that_was_signed_is_not_ahead(void **state)
{
	/* an anchor that has a newer checkpoint of ours than the one it was sent is no reason to stop */
	struct talk talk;
	(void)state;
	talk_init(&talk);
	assert_int_equal(pump(&talk), 2);
	log_fixture_grow(&talk.log, 2);
	answer(&talk, "dir", FEED_ANCHOR_AHEAD, 7);
	assert_false(anchoring_refused(talk.anchoring));
	assert_int_equal(state_of(&talk, "dir").failures, 1);
	talk_done(&talk);
}

static void same_size_told_twice_is_a_fork(void **state)
{
	/* a witness that answers 409 with the very size of the checkpoint, asked from there, has another root */
	struct talk talk;
	(void)state;
	talk_init(&talk);
	assert_int_equal(pump(&talk), 2);
	answer(&talk, "w1", FEED_OTHER_SIZE, 5);
	assert_int_equal(pump(&talk), 1);
	assert_true(talk.old_size == 5 && talk.hashes == 0);
	answer(&talk, "w1", FEED_OTHER_SIZE, 5);
	assert_true(anchoring_refused(talk.anchoring));
	talk_done(&talk);
}

static void another_origin_is_another_log(void **state)
{
	/* under another name everything is sent anew, from the empty tree on, at once */
	struct talk talk;
	(void)state;
	talk_init(&talk);
	assert_int_equal(pump(&talk), 2);
	answer(&talk, "dir", FEED_TAKEN, 0);
	answer(&talk, "w1", FEED_TAKEN, 0);
	note_signer_done(&talk.log.signer);
	assert_int_equal(note_signer_make(&talk.log.signer, STR_LIT("example.com/new"),
					  NOTE_ED25519, &talk.err),
			 0);
	log_fixture_sign(&talk.log);
	assert_int_equal(pump(&talk), 2);
	assert_true(talk.size == 5 && talk.old_size == 0);
	answer(&talk, "w1", FEED_TAKEN, 0);
	assert_string_equal(state_of(&talk, "w1").origin, "example.com/new");
	talk_done(&talk);
}

static void damaged_state_begins_anew(void **state)
{
	/* a row that is damaged costs nothing but a checkpoint that is sent once more */
	struct talk talk;
	(void)state;
	talk_init(&talk);
	assert_int_equal(pump(&talk), 2);
	answer(&talk, "dir", FEED_TAKEN, 0);
	answer(&talk, "w1", FEED_TAKEN, 0);
	filled_sql(&talk.log.filled, "UPDATE anchors SET taken_size = 9");
	anchoring_free(talk.anchoring);
	begin(&talk);
	assert_int_equal(pump(&talk), 2);
	assert_true(state_of(&talk, "w1").taken_ns == INT64_MIN);
	talk_done(&talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_goes_to_each_at_its_interval),
		cmocka_unit_test(connection_that_ends_gives_back),
		cmocka_unit_test(failures_wait_longer_and_longer),
		cmocka_unit_test(state_outlives_the_process),
		cmocka_unit_test(witness_that_stands_elsewhere),
		cmocka_unit_test(one_that_has_seen_more_stops_the_log),
		cmocka_unit_test(size_that_was_signed_is_not_ahead),
		cmocka_unit_test(same_size_told_twice_is_a_fork),
		cmocka_unit_test(another_origin_is_another_log),
		cmocka_unit_test(damaged_state_begins_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
