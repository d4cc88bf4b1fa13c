#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/daemon-parts.h"

#include <sys/stat.h>
#include <sys/un.h>

#define REQUESTS (1u << RECORD_REQUEST)
#define API_CONFIG \
	"sources:\n  api:\n    type: cloudwatch\n    region: eu-west-1\n    log_group: g\n"
#define FILE_CONFIG \
	"sources:\n  api:\n    type: file\n    content: access-log\n    files: [/dev/null]\n"

static struct roster_source *source_of(struct parts *parts, const char *name)
{
	return roster_find(keeper_roster(parts->daemon.keeper), str_of(name));
}

static void tick(struct parts *parts)
{
	assert_int_equal(watch_tick(&parts->daemon, &parts->err), 0);
}

static void commit(struct parts *parts)
{
	assert_int_equal(intake_commit(&parts->daemon, &parts->err), 0);
}

#define PATIENCE_NS (100 * NS_PER_MS)

static int on_guard(void *owner, struct error *err)
{
	struct parts *parts = owner;
	(void)err;
	parts->frame.type = FEED_ERROR; /* the mark that it came to this */
	loop_stop(parts->daemon.loop);
	return 0;
}

/* Looks around in the loop. Whether the loop goes on after that. */
static bool goes_on(struct parts *parts)
{
	struct loop_event *guard = NULL;
	parts->frame.type = 0;
	assert_int_equal(loop_add_timer(parts->daemon.loop, (struct loop_call){on_guard, parts},
					&guard, &parts->err),
			 0);
	loop_set_timer(parts->daemon.watch_timer, 0);
	loop_set_timer(guard, clock_monotonic_ns() + PATIENCE_NS);
	assert_int_equal(loop_run(parts->daemon.loop, &parts->err), 0);
	loop_remove(guard);
	return parts->frame.type == FEED_ERROR;
}

static void notes_tell_who_and_why(void **state)
{
	/* a lifecycle record is the daemon's own, with its event and reason; two of them are two */
	struct parts parts;
	(void)state;
	parts_init(&parts, "{}\n");
	assert_int_equal(watch_note(&parts.daemon, "start", "because", &parts.err), 0);
	assert_int_equal(parts_count(&parts, RECORD_LIFECYCLE, 0, NULL), 0); /* not yet */
	commit(&parts);
	assert_int_equal(watch_note(&parts.daemon, "start", "again", &parts.err), 0);
	commit(&parts);
	assert_int_equal(parts_count(&parts, RECORD_LIFECYCLE, FIELD_event, "start"), 2);
	assert_int_equal(parts_count(&parts, RECORD_LIFECYCLE, FIELD_reason, "because"), 1);
	assert_int_equal(parts_count(&parts, RECORD_LIFECYCLE, FIELD_program, "querytraild"), 2);
	parts_done(&parts);
}

static void silence_is_said_once(void **state)
{
	/* a source that was last heard longer ago than the limit: one gap from then on, however often one looks; the next silence is another */
	struct parts parts;
	(void)state;
	parts_init(&parts, "daemon:\n  silence_limit: 1h\n" API_CONFIG);
	struct roster_source *source = source_of(&parts, "api");
	int64_t heard_ns = clock_now_ns() - 2 * PARTS_HOUR_NS;
	tick(&parts);
	commit(&parts);
	assert_int_equal(parts_count(&parts, RECORD_GAP, 0, NULL), 0);
	source->heard_ns = heard_ns;
	for (int i = 0; i < 3; i++) {
		tick(&parts);
		commit(&parts);
	}
	assert_int_equal(parts_count(&parts, RECORD_GAP, FIELD_gap_kind, "silence"), 1);
	assert_int_equal(parts_count(&parts, RECORD_GAP, FIELD_reason,
				     "nothing was heard of the source for 1h or longer"),
			 1);
	assert_string_equal(source->about.state, "silent");
	assert_int_equal(source->about.gaps, 1);
	roster_heard(source, heard_ns + 1);
	tick(&parts);
	commit(&parts);
	assert_int_equal(parts_count(&parts, RECORD_GAP, FIELD_gap_kind, "silence"), 2);
	parts_done(&parts);
}

static void gap_begins_where_it_was_last_heard(void **state)
{
	/* the gap is of the source, from the moment it was last heard */
	const struct scan_options everything = {.from_ns = INT64_MIN, .to_ns = INT64_MAX};
	struct parts parts;
	struct store *store = NULL;
	struct scan *scan = NULL;
	const struct scan_block *block = NULL;
	struct record record;
	(void)state;
	parts_init(&parts, API_CONFIG);
	int64_t heard_ns = clock_now_ns() - 2 * PARTS_HOUR_NS;
	source_of(&parts, "api")->heard_ns = heard_ns;
	tick(&parts);
	commit(&parts);
	assert_int_equal(store_open(parts.store, STORE_READ, &store, &parts.err), 0);
	assert_int_equal(scan_open(store, &everything, &scan, &parts.err), 0);
	assert_int_equal(scan_next(scan, &block, &parts.err), 0);
	assert_int_equal(scan_row_count(block), 1);
	assert_int_equal(scan_record(block, 0, &record, &parts.err), 0);
	assert_true(str_is(record.source, "api"));
	assert_int_equal(record.kind, RECORD_GAP);
	assert_int_equal(record.time_ns, heard_ns);
	assert_int_equal(record_number(&record, FIELD_gap_from, 0), heard_ns);
	scan_close(scan);
	store_close(store);
	parts_done(&parts);
}

static void several_may_be_silent(void **state)
{
	/* one look finds all of them; one that is done is not silent */
	struct parts parts;
	(void)state;
	parts_init(&parts, API_CONFIG
		   "  web:\n    type: cloudwatch\n    region: eu-west-1\n    log_group: h\n"
		   "  old:\n    type: cloudwatch\n    region: eu-west-1\n    log_group: i\n");
	struct roster *roster = keeper_roster(parts.daemon.keeper);
	for (size_t i = 0; i < roster->count; i++) {
		roster->sources[i]->heard_ns = 1;
	}
	roster_set_state(source_of(&parts, "old"), "done", (struct str){0}, 1);
	tick(&parts);
	commit(&parts);
	assert_int_equal(parts_count(&parts, RECORD_GAP, 0, NULL), 2);
	assert_string_equal(source_of(&parts, "old")->about.state, "done");
	parts_done(&parts);
}

static void stop_with_a_child(bool at_deadline)
{
	const char *const arguments[] = {"sleeper", NULL};
	struct parts parts;
	parts_init(&parts, API_CONFIG);
	const char *path = fixture_path(&parts.fixture, "sleeper");
	assert_int_equal(
		io_replace_file(path, STR_LIT("#!/bin/sh\nexec sleep 60\n"), 0700, &parts.err), 0);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(setenv("QUERYTRAIL_LIBEXEC", parts.fixture.dir, 1), 0);
	parts.daemon.spawn = spawn_new(parts.daemon.loop, NULL, NULL);
	assert_int_equal(spawn_add(parts.daemon.spawn, "child", arguments, &parts.err), 0);
	source_of(&parts, "api")->heard_ns = 1;
	parts.daemon.stopping = true;
	parts.daemon.stop_deadline_ns = clock_monotonic_ns() + PARTS_HOUR_NS;
	assert_true(goes_on(&parts));
	assert_int_equal(keeper_pending_records(parts.daemon.keeper), 0);
	if (at_deadline) {
		parts.daemon.stop_deadline_ns = clock_monotonic_ns();
	} else {
		spawn_close(parts.daemon.spawn, 0);
		parts.daemon.spawn = NULL;
	}
	assert_false(goes_on(&parts));
	parts_done(&parts);
}

static void stop_waits_for_the_children(void **state)
{
	/* stopping: no more silence; the loop ends when no child runs */
	(void)state;
	stop_with_a_child(false);
}

static void stop_waits_no_longer_than_its_deadline(void **state)
{
	/* a child that does not end holds nothing up past the deadline */
	(void)state;
	stop_with_a_child(true);
}

static void import_ends_when_all_is_done(void **state)
{
	/* not before its file source said done, its peer left and all is committed */
	struct parts parts;
	(void)state;
	parts_prepare(&parts, FILE_CONFIG);
	parts.daemon.options.import = true;
	parts_open(&parts);
	struct roster_source *source = source_of(&parts, "api");
	assert_true(goes_on(&parts));
	roster_set_state(source, "done", (struct str){0}, 1);
	source->peer = &parts;
	assert_true(goes_on(&parts));
	source->peer = NULL;
	parts.daemon.first_waits_ns = 1;
	assert_true(goes_on(&parts));
	parts.daemon.first_waits_ns = 0;
	assert_false(goes_on(&parts));
	parts_done(&parts);
}

static void failed_import_ends_at_once(void **state)
{
	/* a source that could not be imported ends it, whatever the others do */
	struct parts parts;
	(void)state;
	parts_prepare(&parts, FILE_CONFIG);
	parts.daemon.options.import = true;
	parts_open(&parts);
	(void)error_set(&parts.daemon.import_failed, ERR_INPUT, "no file"); /* only told */
	assert_false(goes_on(&parts));
	parts_done(&parts);
}

/* What the service manager is told next. */
static void read_status(int fd, char *out, size_t size)
{
	ssize_t len = recv(fd, out, size - 1, MSG_DONTWAIT);
	assert_true(len > 0);
	out[len] = '\0';
}

static void status_line_tells_the_figures(void **state)
{
	/* records, what is open, rules and alerts; channels without querytrail-notify are told of */
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char said[2048];
	struct parts parts;
	(void)state;
	parts_init(&parts, "{}\n");
	assert_true(snprintf(address.sun_path, sizeof address.sun_path, "%s/notify.sock",
			     parts.fixture.dir) > 0);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
	tick(&parts);
	read_status(fd, said, sizeof said);
	assert_string_equal(
		said,
		"STATUS=0 records, 0 of them in the join, 0 statements and 0 requests open; 0 "
		"rules, 0 "
		"alerts firing");
	assert_int_equal(watch_note(&parts.daemon, "start", "because", &parts.err), 0);
	commit(&parts);
	parts.daemon.settings.alerts.channels.count = 1;
	tick(&parts); /* two seconds are not over: nothing is told */
	assert_true(recv(fd, said, sizeof said, MSG_DONTWAIT) < 0);
	parts.daemon.status_due_ns = 0;
	tick(&parts);
	read_status(fd, said, sizeof said);
	assert_string_equal(
		said,
		"STATUS=1 records, 0 of them in the join, 0 statements and 0 requests open; 0 "
		"rules, 0 "
		"alerts firing, querytrail-notify is not connected");
	parts.daemon.settings.alerts.channels.count = 0;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(close(fd), 0);
	parts_done(&parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes_tell_who_and_why),
		cmocka_unit_test(silence_is_said_once),
		cmocka_unit_test(gap_begins_where_it_was_last_heard),
		cmocka_unit_test(several_may_be_silent),
		cmocka_unit_test(stop_waits_for_the_children),
		cmocka_unit_test(stop_waits_no_longer_than_its_deadline),
		cmocka_unit_test(import_ends_when_all_is_done),
		cmocka_unit_test(failed_import_ends_at_once),
		cmocka_unit_test(status_line_tells_the_figures),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
