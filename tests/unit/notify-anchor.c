#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/parse.h"
#include "correlator/notify/anchor-board.h"
#include "correlator/notify/syslogline.h"
#include "model/options.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

struct bench { /* a board with the anchor "dir", and its last answer */
	char folder[64];
	struct config *config;
	struct anchor_board *board;
	int wake_fd;
	struct note_signer signer;
	struct buf note;
	unsigned answers;
	enum feed_anchored outcome;
	uint64_t size, known_size;
	char text[512];
};

static bool on_answer(void *owner, const struct feed_frame *frame)
{
	struct bench *bench = owner;

	assert_int_equal(frame->type, FEED_ANCHORED);
	bench->answers++;
	bench->outcome = frame->anchored;
	bench->size = frame->size;
	bench->known_size = frame->old_size;
	(void)snprintf(bench->text, sizeof(bench->text), "%.*s", STR_ARG(frame->text));
	return true;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
	(void)st;
	(void)flag;
	(void)walk;
	return remove(path);
}

static struct config *parse(const char *text)
{
	struct config *config = NULL;
	struct error err;
	const struct config_input input = {.name = "c", .text = str_of(text)};

	if (config_parse(options_schema(), &input, &config, NULL, &err) != 0) {
		fail_msg("%s", err.text);
	}
	return config;
}

static int setup(void **state)
{
	struct bench *bench = test_calloc(1, sizeof(*bench));
	struct desk_call call = {.each = on_answer, .owner = bench};
	struct error err;
	char text[256];

	(void)snprintf(bench->folder, sizeof(bench->folder), "/tmp/anchor-XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	(void)snprintf(text, sizeof(text), "anchors: {dir: {type: file, folder: %s}}",
		       bench->folder);
	bench->config = parse(text);
	bench->wake_fd = eventfd(0, EFD_CLOEXEC);
	buf_init(&bench->note, 0);
	assert_int_equal(
		note_signer_make(&bench->signer, STR_LIT("example.com/log"), NOTE_ED25519, &err),
		0);
	assert_int_equal(anchor_board_new(bench->config, bench->wake_fd, call, &bench->board, &err),
			 0);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	anchor_board_free(bench->board);
	config_free(bench->config);
	note_signer_done(&bench->signer);
	buf_done(&bench->note);
	close(bench->wake_fd);
	(void)nftw(bench->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	test_free(bench);
	return 0;
}

static void make_note(struct bench *bench, const char *origin, uint64_t size, uint8_t root)
{
	struct note_checkpoint checkpoint = {.origin = str_of(origin), .head = {.size = size}};
	struct buf text;
	struct error err;

	checkpoint.head.root.bytes[0] = root;
	buf_init(&text, 0);
	note_checkpoint_put(&checkpoint, &text);
	buf_clear(&bench->note);
	buf_put_str(&bench->note, buf_str(&text));
	buf_put_byte(&bench->note, '\n');
	assert_int_equal(note_sign(&bench->signer, buf_str(&text), 0, &bench->note, &err), 0);
	buf_done(&text);
}

/* Gives the note to the anchor and waits for what it says. */
static enum feed_anchored give(struct bench *bench, const char *name, uint64_t size)
{
	const struct feed_frame frame = {.type = FEED_CHECKPOINT,
					 .anchor = str_of(name),
					 .size = size,
					 .note = buf_str(&bench->note)};
	unsigned before = bench->answers;
	uint64_t count;

	anchor_board_checkpoint(bench->board, &frame);
	if (bench->answers == before) {
		assert_int_equal(read(bench->wake_fd, &count, sizeof(count)), sizeof(count));
		anchor_board_work(bench->board);
	}
	assert_int_equal(bench->answers, before + 1);
	assert_true(bench->size == size);
	return bench->outcome;
}

static bool has_note(struct bench *bench, const char *name)
{
	char path[128];
	struct buf bytes;
	struct error err;

	(void)snprintf(path, sizeof(path), "%s/%s", bench->folder, name);
	buf_init(&bytes, 0);
	bool same = io_read_file(path, NOTE_MAX_BYTES, &bytes, &err) == 0 &&
		    str_equal(buf_str(&bytes), buf_str(&bench->note));
	buf_done(&bytes);
	return same;
}

static void file_is_written_once(void **state)
{
	/* a checkpoint becomes a file and latest; the same again is fine; nothing else is left in the folder */
	struct bench *bench = *state;
	char path[128];

	make_note(bench, "example.com/log", 12, 1);
	assert_int_equal(give(bench, "dir", 12), FEED_TAKEN);
	assert_true(has_note(bench, "00000000000000000012.checkpoint"));
	assert_true(has_note(bench, "latest"));
	assert_int_equal(give(bench, "dir", 12), FEED_TAKEN);
	make_note(bench, "example.com/log", 13, 1);
	assert_int_equal(give(bench, "dir", 13), FEED_TAKEN);
	assert_true(has_note(bench, "latest"));
	(void)snprintf(path, sizeof(path), "%s/.new", bench->folder);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void other_content_is_a_fork(void **state)
{
	/* a file of that size with another tree, or with garbage, is told and left as it is */
	struct bench *bench = *state;
	char path[128];
	struct error err;

	make_note(bench, "example.com/log", 12, 1);
	assert_int_equal(give(bench, "dir", 12), FEED_TAKEN);
	make_note(bench, "example.com/log", 12, 2);
	assert_int_equal(give(bench, "dir", 12), FEED_ANCHOR_FORK);
	make_note(bench, "example.com/log", 12, 1);
	assert_true(has_note(bench, "00000000000000000012.checkpoint"));
	(void)snprintf(path, sizeof(path), "%s/00000000000000000014.checkpoint", bench->folder);
	assert_int_equal(io_replace_file(path, STR_LIT("garbage"), 0600, &err), 0);
	make_note(bench, "example.com/log", 14, 1);
	assert_int_equal(give(bench, "dir", 14), FEED_ANCHOR_FORK);
	assert_false(has_note(bench, "00000000000000000014.checkpoint"));
}

static void larger_latest_is_ahead(void **state)
{
	/* a latest of more records is told with its size, and nothing is written */
	struct bench *bench = *state;

	make_note(bench, "example.com/log", 12, 1);
	assert_int_equal(give(bench, "dir", 12), FEED_TAKEN);
	make_note(bench, "example.com/log", 11, 1);
	assert_int_equal(give(bench, "dir", 11), FEED_ANCHOR_AHEAD);
	assert_true(bench->known_size == 12);
	assert_false(has_note(bench, "00000000000000000011.checkpoint"));
}

static void failures_are_told(void **state)
{
	/* a folder of another log, one that is not there, a note that is none, and an anchor that nobody knows are not taken */
	struct bench *bench = *state;

	make_note(bench, "example.com/other", 5, 1);
	assert_int_equal(give(bench, "dir", 5), FEED_TAKEN);
	make_note(bench, "example.com/log", 12, 1);
	assert_int_equal(give(bench, "dir", 12), FEED_NOT_TAKEN);
	assert_non_null(strstr(bench->text, "example.com/other"));
	assert_int_equal(give(bench, "nobody", 12), FEED_NOT_TAKEN);
	buf_clear(&bench->note);
	buf_put_text(&bench->note, "nothing\n");
	assert_int_equal(give(bench, "dir", 12), FEED_NOT_TAKEN);
	(void)nftw(bench->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	make_note(bench, "example.com/log", 12, 1);
	assert_int_equal(give(bench, "dir", 12), FEED_NOT_TAKEN);
	assert_int_equal(mkdir(bench->folder, 0700), 0);
	assert_int_equal(give(bench, "dir", 12), FEED_TAKEN);
}

static void keys_are_checked_at_the_start(void **state)
{
	/* a witness's key that is none, or a log's, is ERR_CONFIG */
	struct bench *bench = *state;
	struct desk_call call = {.each = on_answer, .owner = bench};
	struct anchor_board *board = NULL;
	struct buf text;
	struct error err;

	buf_init(&text, 0);
	for (int i = 0; i < 2; i++) {
		buf_clear(&text);
		buf_put_text(&text, "anchors: {w1: {type: witness, url: u, key: \"");
		if (i == 0) {
			note_key_put(&bench->signer.key, &text);
		} else {
			buf_put_text(&text, "example.com/w+00+x");
		}
		buf_put_text(&text, "\"}}");
		struct config *config = parse(text.ptr);
		assert_int_equal(anchor_board_new(config, bench->wake_fd, call, &board, &err),
				 -ERR_CONFIG);
		assert_non_null(strstr(err.text, "w1"));
		config_free(config);
	}
	buf_done(&text);
}

static void syslog_message_holds_the_note(void **state)
{
	/* one message with its length: header, origin, size, root and the note in Base64; what is no checkpoint is ERR_INPUT */
	struct bench *bench = *state;
	const struct syslog_how how = {.facility = 13, .host = "h"};
	struct buf out;
	struct error err;

	buf_init(&out, 0);
	make_note(bench, "example.com/\"log]", 12, 1);
	assert_int_equal(syslog_put_checkpoint(buf_str(&bench->note), &how, &out, &err), 0);
	size_t digits = strcspn(out.ptr, " ");
	uint64_t length = 0;
	assert_true(parse_u64(str_make(out.ptr, digits), &length));
	assert_int_equal(length, out.len - digits - 1);
	assert_non_null(strstr(out.ptr,
			       "<109>1 1970-01-01T00:00:00.000000Z h querytrail - checkpoint "
			       "[querytrail@32473 origin=\"example.com/\\\"log\\]\" size=\"12\" "
			       "root=\"AQAA"));
	assert_int_equal(syslog_put_checkpoint(STR_LIT("x\n"), &how, &out, &err), -ERR_INPUT);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(file_is_written_once, setup, teardown),
		cmocka_unit_test_setup_teardown(other_content_is_a_fork, setup, teardown),
		cmocka_unit_test_setup_teardown(larger_latest_is_ahead, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_are_checked_at_the_start, setup, teardown),
		cmocka_unit_test_setup_teardown(syslog_message_holds_the_note, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
