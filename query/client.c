#include "query/client.h"

#include "base/io.h"
#include "query/protocol.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static int connect_serve(struct session *session, struct error *err)
{
	char path[4096];
	int fd = -1;
	int result = session_load_config(session, NULL, err);
	if (result != 0) {
		if (session_option(session, OPTION_CONFIG) == NULL &&
		    access(session_config_path(session), F_OK) != 0) {
			return error_set(
				err, ERR_CONFIG,
				"there is no %s to say where querytrail-serve is; name a store "
				"with --store DIR or a configuration with --config FILE",
				session_config_path(session));
		}
		return result;
	}
	const char *folder = config_text(session->config, "", "runtime");
	int len = snprintf(path, sizeof(path), "%s/query.sock", folder);
	if (len < 0 || (size_t)len >= sizeof(path)) {
		return error_set(err, ERR_CONFIG, "the runtime folder's path is too long: %s",
				 folder);
	}
	result = io_unix_connect(path, &fd, err);
	if (result != 0) {
		error_prefix(err, "querytrail-serve does not answer (--store DIR reads a store "
				  "without it)");
		return result == -ERR_GONE ? -ERR_IO : result;
	}
	return fd;
}

/* Passes frames on until END. Returns the exit status or a failure. */
static int pass_on(struct session *session, int fd, struct error *err)
{
	struct buf buffer;
	buf_init(&buffer, PROTOCOL_FRAME_MAX + 16);
	int status = -1;
	while (status == -1) {
		enum protocol_type type;
		struct str payload;
		int result = protocol_receive(fd, &buffer, &type, &payload, err);
		if (result == -ERR_GONE) {
			result = error_set(err, ERR_IO,
					   "querytrail-serve ended before the answer did");
		}
		if (result == 0 && (type == PROTOCOL_OUT || type == PROTOCOL_ERR)) {
			result = io_write_all(type == PROTOCOL_OUT ? session->surroundings->out_fd
								   : session->surroundings->err_fd,
					      payload, err);
		} else if (result == 0 && type == PROTOCOL_END && payload.len == 1) {
			status = (uint8_t)payload.ptr[0];
		} else if (result == 0) {
			result = error_set(err, ERR_IO, "querytrail-serve sent what is no answer");
		}
		if (result != 0) {
			status = result;
			break;
		}
	}
	buf_done(&buffer);
	return status;
}

/* The command line without --config, which is about us and not about the question. out holds argc + 1. */
static int without_config(int argc, char *const *argv, char **out)
{
	int count = 0;
	bool words = false;
	for (int i = 0; i < argc; i++) {
		words = words || strcmp(argv[i], "--") == 0;
		if (!words && strcmp(argv[i], "--config") == 0) {
			i++;
			continue;
		}
		if (words || strncmp(argv[i], "--config=", 9) != 0) {
			out[count++] = argv[i];
		}
	}
	out[count] = NULL;
	return count;
}

/* Sends the question. Who was refused before he asked finds the connection closed: the refusal is there to be read all the same. */
static int send_question(int fd, struct str question, struct error *err)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction before;
	(void)sigaction(SIGPIPE, &ignore, &before); /* cannot fail with these arguments */
	int result = protocol_send(fd, PROTOCOL_ASK, question, err);
	(void)sigaction(SIGPIPE, &before, NULL); /* stdout may still end us with it */
	if (result == -ERR_GONE) {
		error_clear(err);
		result = 0;
	}
	return result;
}

int client_ask(struct session *session, int argc, char *const *argv, struct error *err)
{
	IO_CLOSE int fd = connect_serve(session, err);
	if (fd < 0) {
		return fd;
	}
	char **kept = calloc((size_t)argc + 1, sizeof(*kept));
	if (kept == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the question");
	}
	struct ask ask = {.surroundings = *session->surroundings, .argv = kept};
	ask.argc = without_config(argc, argv, kept);
	struct buf payload;
	buf_init(&payload, PROTOCOL_FRAME_MAX);
	ask_encode(&ask, &payload);
	int result = buf_check(&payload, "the question", err);
	if (result == 0) {
		result = send_question(fd, buf_str(&payload), err);
	}
	buf_done(&payload);
	free(kept);
	return result != 0 ? result : pass_on(session, fd, err);
}
