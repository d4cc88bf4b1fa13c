/* querytrail-sim - serves a made-up company by the protocols of CloudWatch Logs and SQL Server, for tests and the demo. */
#include "tests/sim/arguments.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int fail(const struct error *err)
{
	(void)fprintf(stderr, "querytrail-sim: %s\n",
		      err->text); /* there is no other place to say it */
	return error_exit_status(err->code);
}

/* Obeys the lines that are complete in input (see scene_command), and answers each with "ok" or what is wrong. */
static void obey(struct scene *scene, struct buf *input)
{
	ptrdiff_t end;
	while ((end = str_find_byte(buf_str(input), '\n', 0)) >= 0) {
		struct error err;
		struct str line = str_slice(buf_str(input), 0, (size_t)end);
		bool done = scene_command(scene, line, &err) == 0;
		(void)printf("%s\n", done ? "ok" : err.text);
		(void)fflush(stdout); /* a reader that is gone shows as the end of stdin */
		buf_consume(input, (size_t)end + 1);
	}
}

/* Serves until a signal to stop comes or standard input ends, obeying the lines that come there. */
static int serve(struct scene *scene, int signals)
{
	struct pollfd waits[2] = {{.fd = signals, .events = POLLIN},
				  {.fd = STDIN_FILENO, .events = POLLIN}};
	struct buf input __attribute__((cleanup(buf_done)));
	buf_init(&input, 1 << 20);
	for (;;) {
		if (poll(waits, 2, -1) < 0 && errno != EINTR) {
			return 2;
		}
		if (waits[0].revents != 0) {
			return 0;
		}
		char bytes[4096];
		ssize_t got = waits[1].revents != 0 ? read(STDIN_FILENO, bytes, sizeof(bytes)) : 0;
		if (waits[1].revents != 0 && got <= 0) {
			return 0;
		}
		buf_put(&input, bytes, (size_t)got);
		obey(scene, &input);
	}
}

int main(int argc, char **argv)
{
	struct scene_options options;
	struct scene scene;
	struct error err;
	arguments_read(argc, argv, &options);
	/* blocked before the servers start their threads, so that only signalfd sees them */
	sigset_t stops;
	(void)sigemptyset(&stops);
	(void)sigaddset(&stops, SIGTERM);
	(void)sigaddset(&stops, SIGINT);
	if (pthread_sigmask(SIG_BLOCK, &stops, NULL) != 0) {
		return 2;
	}
	int signals = signalfd(-1, &stops, SFD_CLOEXEC);
	if (signals < 0) {
		error_errno(&err, "No signalfd");
		return fail(&err);
	}
	if (scene_open(&options, &scene, &err) != 0) {
		return fail(&err);
	}
	const char *scheme = options.cloudwatch.certificate_path != NULL ? "https" : "http";
	(void)printf("ready cloudwatch=%s://127.0.0.1:%u sqlserver=127.0.0.1:%u\n", scheme,
		     scene.cloudwatch_port, scene.sql_port);
	(void)fflush(stdout); /* a reader that is gone shows as the end of stdin */
	int status = serve(&scene, signals);
	scene_close(&scene);
	(void)close(signals);
	return status;
}
