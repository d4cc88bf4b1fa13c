#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct seen {
	struct loop *loop;
	struct loop_event *event;
	int calls, order;
	unsigned ready;
	int result;
};

static int on_fd(void *owner, unsigned ready, struct error *err)
{
	struct seen *seen = owner;
	seen->calls++;
	seen->ready = ready;
	loop_stop(seen->loop);
	return seen->result < 0 ? error_set(err, (enum error_code) - seen->result, "as asked") : 0;
}

static int on_event(void *owner, struct error *err)
{
	struct seen *seen = owner;
	(void)err;
	seen->calls++;
	loop_stop(seen->loop);
	return 0;
}

static struct loop *new_loop(void)
{
	struct loop *loop = NULL;
	struct error err;
	assert_int_equal(loop_new(&loop, &err), 0);
	return loop;
}

static void descriptors(void **state)
{
	/* readable, writable and hung up are told apart, and what is not wanted is not told */
	struct seen seen = {.loop = new_loop()};
	struct error err;
	int pair[2];
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(loop_add_fd(seen.loop, pair[0],
				     (struct loop_fd_call){on_fd, &seen, LOOP_READ}, &seen.event,
				     &err),
			 0);
	assert_int_equal(loop_step(seen.loop, 0, &err), 0);
	assert_int_equal(seen.calls, 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(loop_run(seen.loop, &err), 0);
	assert_int_equal(seen.ready, LOOP_READ);
	loop_want(seen.event, 0);
	assert_int_equal(loop_step(seen.loop, 0, &err), 0);
	assert_int_equal(seen.calls, 1);
	loop_want(seen.event, LOOP_WRITE);
	assert_int_equal(loop_run(seen.loop, &err), 0);
	assert_int_equal(seen.ready, LOOP_WRITE);
	loop_want(seen.event, 0);
	assert_int_equal(close(pair[1]), 0);
	assert_int_equal(loop_run(seen.loop, &err), 0);
	assert_int_equal(seen.ready & LOOP_GONE, LOOP_GONE);
	loop_remove(seen.event);
	assert_int_equal(loop_step(seen.loop, 0, &err), 0);
	assert_int_equal(seen.calls, 3);
	assert_int_equal(close(pair[0]), 0);
	loop_free(seen.loop);
}

static void failing_callback_ends_the_run(void **state)
{
	/* its code and sentence come out of loop_run */
	struct seen seen = {.loop = new_loop(), .result = -ERR_CORRUPT};
	struct error err;
	int pair[2];
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(loop_add_fd(seen.loop, pair[0],
				     (struct loop_fd_call){on_fd, &seen, LOOP_WRITE}, &seen.event,
				     &err),
			 0);
	assert_int_equal(loop_run(seen.loop, &err), -ERR_CORRUPT);
	assert_string_equal(err.text, "as asked");
	loop_free(seen.loop);
	assert_int_equal(close(pair[0]) | close(pair[1]), 0);
}

static void timers(void **state)
{
	/* not before they are due, once, not when unset, and behind descriptors that are ready */
	struct seen seen = {.loop = new_loop()};
	struct error err;
	int64_t start = clock_monotonic_ns();
	(void)state;
	assert_int_equal(
		loop_add_timer(seen.loop, (struct loop_call){on_event, &seen}, &seen.event, &err),
		0);
	loop_set_timer(seen.event, start + 20 * NS_PER_MS);
	assert_int_equal(loop_run(seen.loop, &err), 0);
	assert_true(clock_monotonic_ns() - start >= 20 * NS_PER_MS);
	assert_int_equal(loop_step(seen.loop, 2 * NS_PER_MS, &err), 0);
	assert_int_equal(seen.calls, 1);
	loop_set_timer(seen.event, 0);
	loop_unset_timer(seen.event);
	assert_int_equal(loop_step(seen.loop, 2 * NS_PER_MS, &err), 0);
	assert_int_equal(seen.calls, 1);
	struct seen other = {.loop = seen.loop};
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(loop_add_fd(seen.loop, pair[0],
				     (struct loop_fd_call){on_fd, &other, LOOP_WRITE}, &other.event,
				     &err),
			 0);
	loop_set_timer(seen.event, 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(loop_step(seen.loop, 0, &err), 0);
	}
	assert_int_equal(other.calls, 5);
	assert_int_equal(seen.calls, 1);
	loop_remove(other.event);
	assert_int_equal(loop_step(seen.loop, 0, &err), 0);
	assert_int_equal(seen.calls, 2);
	assert_int_equal(close(pair[0]) | close(pair[1]), 0);
	loop_free(seen.loop);
}

static void signals_and_children(void **state)
{
	/* a signal and the end of a child are told once */
	struct seen seen = {.loop = new_loop()};
	struct error err;
	(void)state;
	assert_int_equal(loop_add_signal(seen.loop, SIGUSR1, (struct loop_call){on_event, &seen},
					 &seen.event, &err),
			 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(loop_run(seen.loop, &err), 0);
	assert_int_equal(seen.calls, 1);
	struct seen child = {.loop = seen.loop};
	pid_t pid = fork();
	if (pid == 0) {
		_exit(5);
	}
	assert_int_equal(loop_add_child(seen.loop, pid, (struct loop_call){on_event, &child},
					&child.event, &err),
			 0);
	assert_int_equal(loop_run(seen.loop, &err), 0);
	assert_int_equal(child.calls, 1);
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 5);
	assert_int_equal(loop_add_child(seen.loop, pid, (struct loop_call){on_event, &child},
					&child.event, &err),
			 -ERR_IO);
	loop_free(seen.loop);
	loop_free(NULL);
	loop_remove(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors),
		cmocka_unit_test(failing_callback_ends_the_run),
		cmocka_unit_test(timers),
		cmocka_unit_test(signals_and_children),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
