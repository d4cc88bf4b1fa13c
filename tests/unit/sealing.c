#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/daemon-parts.h"

static struct seal_view look(struct parts *parts)
{
	struct seal_view view;
	assert_int_equal(seal_look(keeper_store(parts->daemon.keeper), &view, &parts->err), 0);
	return view;
}

/* One record of the daemon's own in the head. */
static void note(struct parts *parts)
{
	assert_int_equal(watch_note(&parts->daemon, "start", "a test", &parts->err), 0);
	assert_int_equal(intake_commit(&parts->daemon, &parts->err), 0);
	assert_int_equal(look(parts).head_records, 1);
}

static void old_records_are_sealed(void **state)
{
	/* on quiet days a turn seals what is old enough, step by step, and not before */
	struct parts parts;
	(void)state;
	parts_init(&parts, "log_level: error\n");
	parts.daemon.options.records_only = false;
	note(&parts);
	assert_int_equal(sealing_turn(&parts.daemon, &parts.err), 0);
	assert_int_equal(look(&parts).head_records, 1);
	parts.daemon.sealer.settings.age_ns = 0;
	parts.daemon.sealer.look_ns = 0;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(sealing_turn(&parts.daemon, &parts.err), 0);
	}
	assert_int_equal(look(&parts).head_records, 0);
	assert_int_equal(look(&parts).blocks, 1);
	parts_done(&parts);
}

static void not_while_others_write(void **state)
{
	/* nothing is begun in an open transaction, by a daemon that judges nothing, or by one that is stopping */
	struct parts parts;
	(void)state;
	parts_init(&parts, "log_level: error\n");
	note(&parts);
	parts.daemon.sealer.settings.age_ns = 0;
	parts.daemon.sealer.look_ns = 0;
	parts.daemon.options.records_only = true;
	assert_int_equal(sealing_turn(&parts.daemon, &parts.err), 0);
	assert_null(parts.daemon.sealer.seal);
	parts.daemon.options.records_only = false;
	parts.daemon.stopping = true;
	assert_int_equal(sealing_turn(&parts.daemon, &parts.err), 0);
	assert_null(parts.daemon.sealer.seal);
	parts.daemon.stopping = false;
	assert_int_equal(watch_note(&parts.daemon, "config", "a test", &parts.err), 0);
	assert_int_equal(sealing_turn(&parts.daemon, &parts.err), 0);
	assert_null(parts.daemon.sealer.seal);
	assert_int_equal(intake_commit(&parts.daemon, &parts.err), 0);
	assert_non_null(parts.daemon.sealer.seal); /* the commit was followed by a turn */
	parts_done(&parts);
}

static void the_end_leaves_nothing(void **state)
{
	/* the end of an import seals all */
	struct parts parts;
	(void)state;
	parts_init(&parts, "log_level: error\n");
	note(&parts);
	sealing_finish(&parts.daemon);
	assert_int_equal(look(&parts).head_records, 0);
	parts_done(&parts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_records_are_sealed),
		cmocka_unit_test(not_while_others_write),
		cmocka_unit_test(the_end_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
