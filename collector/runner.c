#include "collector/runner.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/service.h"
#include "collector/backoff.h"
#include "collector/link.h"
#include "collector/parcel.h"
#include "collector/trouble.h"

#include <assert.h>
#include <stdlib.h>

#define BATCH_ARENA_MAX (96u << 20)
#define HEARTBEAT_NS    (10 * NS_PER_SEC)
#define FETCH_PATIENCE  (600 * NS_PER_SEC)
#define NAMES_SHOWN_MAX 64

struct runner {
	const struct runner_options *options;
	const struct source_type *type;
	struct source *source;
	struct waiter waiter;
	struct link link;
	struct backoff source_backoff, link_backoff;
	struct trouble source_trouble, link_trouble;
	struct arena arena;
	struct parcel parcel;
	struct buf path;      /* of feed.sock */
	struct buf cursor;    /* as committed */
	struct buf next;      /* as the last fetch gave it */
	struct buf note;      /* the last note that was logged */
	struct buf counts;    /* the last counts line */
	int64_t watermark_ns; /* as last sent */
	int64_t spoken_ns;    /* when the daemon last heard from us */
	enum feed_state state;
	bool caught_up;
	bool greeted; /* this connection has been told our state */
	bool ready;
};

/* Tells the service manager and, when there is a connection, the daemon how things stand. */
static void tell_state(struct runner *runner, enum feed_state state, const char *text)
{
	struct error ignored;

	runner->state = state;
	service_status(text);
	if (runner->options->print != NULL || runner->link.fd < 0) {
		return;
	}
	/* a broken link shows itself at the next batch, which reports it */
	(void)link_status(&runner->link, state, text, &ignored);
	runner->greeted = true;
	runner->spoken_ns = clock_monotonic_ns();
}

static const char *ok_text(const struct runner *runner)
{
	if (runner->note.len > 0) {
		return runner->note.ptr;
	}
	return runner->counts.len > 0 ? runner->counts.ptr : "collecting";
}

/* Waits before the next try; 0, or ERR_CANCELLED. */
static int pause_for(struct runner *runner, int64_t wait_ns, struct error *err)
{
	if (waiter_wait(&runner->waiter, -1, wait_ns) == WAIT_STOP) {
		return error_set(err, ERR_CANCELLED, "asked to stop");
	}
	return 0;
}

static int link_failed(struct runner *runner, struct error *err)
{
	if (err->code == ERR_CANCELLED) {
		return -ERR_CANCELLED;
	}
	if (trouble_add(&runner->link_trouble, err, clock_monotonic_ns())) {
		log_error(LOG_LEVEL_WARNING, "feed-unavailable", err);
	}
	service_status("waiting for querytraild");
	return pause_for(runner, backoff_next(&runner->link_backoff, ERR_AGAIN), err);
}

/* Connects until it works. 0, or ERR_CANCELLED. */
static int connect_daemon(struct runner *runner, struct error *err)
{
	struct link_hello hello = {.path = runner->path.ptr,
				   .source = runner->options->name,
				   .source_type = runner->type->name,
				   .kinds = runner->type->kinds | 1u << RECORD_GAP |
					    1u << RECORD_REJECT};

	while (runner->link.fd < 0) {
		int rc = link_open(&runner->link, &hello, &runner->waiter, &runner->cursor, err);
		if (rc != 0) {
			rc = link_failed(runner, err);
		}
		if (rc != 0) {
			return rc;
		}
	}
	runner->greeted = false;
	runner->watermark_ns = FEED_WATERMARK_NONE;
	return 0;
}

static int print_batch(struct runner *runner, const struct source_batch *batch, struct error *err)
{
	struct buf line;

	buf_init(&line, 4 * (size_t)RECORD_MAX_BYTES);
	for (size_t i = 0; i < batch->record_count && !line.failed; i++) {
		buf_clear(&line);
		record_put_json(&batch->records[i], &line);
		buf_put_byte(&line, '\n');
		(void)fwrite(line.ptr, 1, line.len, runner->options->print); /* checked below */
	}
	int rc = buf_check(&line, "a record as JSON", err);
	buf_done(&line);
	if (rc == 0 && (fflush(runner->options->print) != 0 || ferror(runner->options->print))) {
		rc = error_errno(err, "cannot print records");
	}
	return rc;
}

/* Whether there is anything in the batch that the daemon does not know yet. */
static bool worth_sending(const struct runner *runner, const struct source_batch *batch)
{
	return batch->record_count > 0 ||
	       !str_equal(buf_str(&runner->cursor), buf_str(&runner->next)) ||
	       batch->watermark_ns != runner->watermark_ns || !batch->more != runner->caught_up;
}

/* Sends the batch in parcels; only the last one moves the cursor. */
static int send_batch(struct runner *runner, const struct source_batch *batch, struct error *err)
{
	size_t next = 0;

	do {
		int rc = parcel_fill(&runner->parcel, batch->records, batch->record_count, &next,
				     err);
		if (rc != 0) {
			return rc;
		}
		bool last = next == batch->record_count;
		struct feed_frame frame = {
			.cursor = buf_str(last ? &runner->next : &runner->cursor),
			.watermark_ns = last ? batch->watermark_ns : runner->watermark_ns,
			.caught_up = last && !batch->more,
			.records = runner->parcel.records,
			.record_count = runner->parcel.count,
		};
		rc = link_commit(&runner->link, &frame, &runner->waiter, err);
		if (rc != 0) {
			return rc;
		}
	} while (next < batch->record_count);
	runner->spoken_ns = clock_monotonic_ns();
	return 0;
}

static int hand_over(struct runner *runner, const struct source_batch *batch, struct error *err)
{
	int rc = 0;

	if (runner->options->print != NULL) {
		rc = print_batch(runner, batch, err);
	} else if (worth_sending(runner, batch)) {
		rc = send_batch(runner, batch, err);
	}
	if (rc != 0) {
		return rc;
	}
	struct buf swap = runner->cursor;
	runner->cursor = runner->next;
	runner->next = swap;
	runner->watermark_ns = batch->watermark_ns;
	runner->caught_up = !batch->more;
	return 0;
}

static void take_notes(struct runner *runner, const struct source_batch *batch)
{
	struct str note = str_of(batch->note);
	uint64_t tries;
	bool changed = false;

	if (!str_equal(note, buf_str(&runner->note))) {
		buf_clear(&runner->note);
		buf_put_str(&runner->note, note);
		changed = true;
		if (note.len > 0) {
			log_write(LOG_LEVEL_WARNING, "source-note", "%s", runner->note.ptr);
		}
	}
	if (batch->counts != NULL) {
		buf_clear(&runner->counts);
		buf_put_text(&runner->counts, batch->counts);
	}
	if (trouble_end(&runner->source_trouble, &tries)) {
		log_write(LOG_LEVEL_NOTICE, "source-recovered",
			  "the source answers again after %llu failed tries",
			  (unsigned long long)tries);
		changed = true;
	}
	backoff_reset(&runner->source_backoff);
	bool due = clock_monotonic_ns() - runner->spoken_ns >= HEARTBEAT_NS;
	if (changed || due || !runner->greeted || runner->state != FEED_STATE_OK) {
		tell_state(runner, FEED_STATE_OK, ok_text(runner));
	}
	if (!runner->ready) {
		runner->ready = true;
		service_ready();
	}
}

/* Whether a failure ends a run that has an end. */
static bool hopeless(const struct runner *runner, int code)
{
	bool passes = code == ERR_AGAIN || code == ERR_INPUT;

	return runner->options->once &&
	       (!passes || runner->source_backoff.tries >= RUNNER_ONCE_TRIES);
}

static int source_failed(struct runner *runner, struct error *err)
{
	bool passes = err->code == ERR_AGAIN || err->code == ERR_INPUT;

	if (err->code == ERR_CANCELLED) {
		return -ERR_CANCELLED;
	}
	int64_t wait_ns = backoff_next(&runner->source_backoff, err->code);
	if (hopeless(runner, err->code)) {
		tell_state(runner, FEED_STATE_FAILED, err->text);
		return -err->code;
	}
	bool tell = trouble_add(&runner->source_trouble, err, clock_monotonic_ns());
	if (tell) {
		log_error(passes ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "source-failed", err);
	}
	if (tell || !runner->greeted || clock_monotonic_ns() - runner->spoken_ns >= HEARTBEAT_NS) {
		tell_state(runner, passes ? FEED_STATE_RETRYING : FEED_STATE_FAILED,
			   runner->source_trouble.last.text);
	}
	if (!runner->ready) { /* started: the source's trouble is not the program's */
		runner->ready = true;
		service_ready();
	}
	return pause_for(runner, wait_ns, err);
}

/* Waits as the source suggests, but returns early when the daemon hangs up. 0, or ERR_CANCELLED. */
static int idle(struct runner *runner, int64_t wait_ns, struct error *err)
{
	int64_t end_ns = clock_monotonic_ns() + (wait_ns > 0 ? wait_ns : 0);

	for (;;) {
		int64_t left_ns = end_ns - clock_monotonic_ns();
		if (left_ns <= 0) {
			return 0;
		}
		switch (waiter_wait(&runner->waiter, runner->link.fd,
				    left_ns < HEARTBEAT_NS ? left_ns : HEARTBEAT_NS)) {
		case WAIT_STOP:
			return error_set(err, ERR_CANCELLED, "asked to stop");
		case WAIT_READY: /* nothing is due from the daemon now: it hung up, or says why it will */
			link_close(&runner->link);
			return 0;
		case WAIT_TIME:
			break;
		}
		if (clock_monotonic_ns() - runner->spoken_ns >= HEARTBEAT_NS) {
			tell_state(runner, runner->state, ok_text(runner));
		}
	}
}

/* One fetch and what follows from it. 0 to go on, *out_end when all is handed over, or an error that ends the run. */
static int turn(struct runner *runner, bool *out_end, struct error *err)
{
	struct source_request request = {.cursor = buf_str(&runner->cursor),
					 .deadline_ns = clock_monotonic_ns() + FETCH_PATIENCE,
					 .stop_fd = runner->waiter.stop_fd};
	struct source_batch batch = {.arena = &runner->arena,
				     .cursor = &runner->next,
				     .watermark_ns = FEED_WATERMARK_NONE};

	arena_clear(&runner->arena);
	buf_clear(&runner->next);
	int rc = runner->type->fetch(runner->source, &request, &batch, err);
	if (rc != 0) {
		return source_failed(runner, err);
	}
	assert(batch.record_count <= FEED_BATCH_RECORDS);
	rc = hand_over(runner, &batch, err);
	if (rc == -ERR_AGAIN && runner->options->print == NULL) {
		return link_failed(runner, err);
	}
	if (rc != 0) {
		return rc;
	}
	take_notes(runner, &batch);
	if (runner->link_backoff.tries > 0) {
		backoff_reset(&runner->link_backoff);
	}
	if (batch.done || (runner->options->once && !batch.more)) {
		*out_end = true;
		return 0;
	}
	return idle(runner, batch.more ? batch.pace_ns : batch.wait_ns, err);
}

static int loop(struct runner *runner, struct error *err)
{
	bool end = false;

	while (!end) {
		int rc = 0;
		uint64_t tries;
		if (waiter_stopped(&runner->waiter)) {
			return error_set(err, ERR_CANCELLED, "asked to stop");
		}
		if (runner->options->print == NULL && runner->link.fd < 0) {
			rc = connect_daemon(runner, err);
			if (rc == 0 && trouble_end(&runner->link_trouble, &tries)) {
				log_write(LOG_LEVEL_NOTICE, "feed-connected",
					  "connected to querytraild");
			}
		}
		if (rc == 0) {
			rc = turn(runner, &end, err);
		}
		if (rc != 0) {
			return rc;
		}
	}
	tell_state(runner, FEED_STATE_DONE, "everything there was is handed over");
	return 0;
}

/* The source's type, by its options; ERR_CONFIG with a hint when the name is unknown. */
static int find_type(const struct runner_options *options, const char *section,
		     const struct source_type **out_type, struct error *err)
{
	const char *names[NAMES_SHOWN_MAX];
	size_t count = config_name_count(options->config, "sources");
	size_t shown = 0;

	for (size_t i = 0; i < count; i++) {
		const char *name = config_name(options->config, "sources", i);
		if (str_is(str_of(name), options->name)) {
			const char *type = config_text(options->config, section, "type");
			*out_type = source_type_by_name(type);
			if (*out_type == NULL) {
				return error_set(err, ERR_CONFIG,
						 "source %s: this program has no source type %s",
						 name, type);
			}
			return 0;
		}
		if (shown < NAMES_SHOWN_MAX) {
			names[shown++] = name;
		}
	}
	const char *near = str_nearest(str_of(options->name), names, shown);
	if (near != NULL) {
		return error_set(err, ERR_CONFIG,
				 "the configuration has no source \"%s\"; did you mean \"%s\"?",
				 options->name, near);
	}
	return error_set(err, ERR_CONFIG, "the configuration has no source \"%s\" (it has %zu)",
			 options->name, count);
}

static int open_source(struct runner *runner, struct error *err)
{
	struct buf section;

	buf_init(&section, 256);
	buf_putf(&section, "sources.%s", runner->options->name);
	int rc = buf_check(&section, "the name of the source", err);
	if (rc == 0) {
		rc = find_type(runner->options, section.ptr, &runner->type, err);
	}
	if (rc == 0) {
		struct source_open how = {.name = runner->options->name,
					  .section = section.ptr,
					  .config = runner->options->config,
					  .clock = clock_system(),
					  .finite = runner->options->once};
		rc = runner->type->open(&how, &runner->source, err);
	}
	buf_done(&section);
	return rc;
}

static void runner_init(struct runner *runner, const struct runner_options *options)
{
	*runner = (struct runner){.options = options, .waiter = {.stop_fd = -1}};
	link_init(&runner->link);
	arena_init(&runner->arena, BATCH_ARENA_MAX);
	buf_init(&runner->path, 4096);
	buf_init(&runner->cursor, FEED_CURSOR_MAX);
	buf_init(&runner->next, FEED_CURSOR_MAX);
	buf_init(&runner->note, 4096);
	buf_init(&runner->counts, 4096);
	backoff_init(&runner->source_backoff, hash_key_random().k0);
	backoff_init(&runner->link_backoff, hash_key_random().k0);
	runner->watermark_ns = FEED_WATERMARK_NONE;
	runner->state = FEED_STATE_OK;
}

static void runner_done(struct runner *runner)
{
	if (runner->source != NULL) {
		runner->type->close(runner->source);
	}
	link_done(&runner->link);
	waiter_close(&runner->waiter);
	parcel_done(&runner->parcel);
	arena_done(&runner->arena);
	buf_done(&runner->path);
	buf_done(&runner->cursor);
	buf_done(&runner->next);
	buf_done(&runner->note);
	buf_done(&runner->counts);
}

int runner_run(const struct runner_options *options, struct error *err)
{
	struct runner runner;

	runner_init(&runner, options);
	buf_putf(&runner.path, "%s/feed.sock", config_text(options->config, "", "runtime"));
	int rc = buf_check(&runner.path, "the path of feed.sock", err);
	if (rc == 0) {
		rc = parcel_init(&runner.parcel, err);
	}
	if (rc == 0) {
		rc = open_source(&runner, err);
	}
	if (rc == 0) {
		rc = waiter_open(&runner.waiter, err);
	}
	if (rc == 0) {
		rc = loop(&runner, err);
		service_stopping();
	}
	runner_done(&runner);
	return rc == -ERR_CANCELLED ? 0 : rc;
}
