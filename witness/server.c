#include "witness/server.h"

#include "base/clock.h"
#include "base/parse.h"
#include "witness/request.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>

#define CONNECTION_BYTES 16384 /* of headers */

struct server {
	struct witness *witness;
	struct MHD_Daemon *daemon;
	struct witness_answer answer; /* one thread: one at a time */
};

struct upload {
	struct buf body;
	int64_t until_ns; /* monotonic */
	bool too_large;
};

static enum MHD_Result reply(struct MHD_Connection *connection, const struct witness_answer *answer)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->body.len, answer->body.ptr, MHD_RESPMEM_MUST_COPY);
	if (response == NULL) {
		return MHD_NO;
	}
	enum MHD_Result good =
		MHD_add_response_header(response, "Content-Type", answer->content_type);
	if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED) {
		good = MHD_add_response_header(response, "Allow", "POST");
	}
	if (good == MHD_YES) {
		good = MHD_queue_response(connection, answer->status, response);
	}
	MHD_destroy_response(response);
	return good;
}

static enum MHD_Result refuse(struct server *server, struct MHD_Connection *connection,
			      unsigned status, const char *text)
{
	server->answer.status = status;
	server->answer.content_type = "text/plain; charset=utf-8";
	buf_clear(&server->answer.body);
	buf_put_text(&server->answer.body, text);
	return reply(connection, &server->answer);
}

static enum MHD_Result begin(struct server *server, struct MHD_Connection *connection,
			     const char *url, const char *method, struct upload **out_upload)
{
	if (strcmp(url, "/add-checkpoint") != 0) {
		return refuse(server, connection, MHD_HTTP_NOT_FOUND,
			      "there is only /add-checkpoint\n");
	}
	if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
		return refuse(server, connection, MHD_HTTP_METHOD_NOT_ALLOWED,
			      "checkpoints are posted\n");
	}
	struct upload *upload = calloc(1, sizeof *upload);
	if (upload == NULL) {
		return MHD_NO;
	}
	buf_init(&upload->body, REQUEST_MAX_BYTES);
	upload->until_ns = clock_monotonic_ns() + SERVER_BODY_NS;
	*out_upload = upload;
	return MHD_YES;
}

/* Called with nothing, then with each part of the body, then with nothing again. */
static enum MHD_Result handle(void *owner, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *bytes,
			      size_t *len, void **state)
{
	struct server *server = owner;
	struct upload *upload = *state;
	(void)version;
	if (upload == NULL) {
		return begin(server, connection, url, method, (struct upload **)state);
	}
	if (*len > 0) {
		if (clock_monotonic_ns() > upload->until_ns) {
			return MHD_NO; /* closes the connection */
		}
		buf_put(&upload->body, bytes, *len);
		upload->too_large |= upload->body.failed;
		*len = 0;
		return MHD_YES;
	}
	if (upload->too_large) {
		return refuse(server, connection, MHD_HTTP_CONTENT_TOO_LARGE,
			      "the request is too large\n");
	}
	witness_add_checkpoint(server->witness, buf_str(&upload->body), clock_now_ns() / NS_PER_SEC,
			       &server->answer);
	return reply(connection, &server->answer);
}

static void completed(void *owner, struct MHD_Connection *connection, void **state,
		      enum MHD_RequestTerminationCode how)
{
	struct upload *upload = *state;
	(void)owner;
	(void)connection;
	(void)how;
	if (upload != NULL) {
		buf_done(&upload->body);
		free(upload);
		*state = NULL;
	}
}

/* Takes "ADDRESS:PORT" apart. */
static bool parse_listen(const char *text, struct sockaddr_storage *out)
{
	struct str whole = str_of(text);
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
	char host[INET6_ADDRSTRLEN];
	uint64_t port = 0;
	const char *colon = strrchr(text, ':');
	*out = (struct sockaddr_storage){0};
	if (colon == NULL || !parse_u64(str_of(colon + 1), &port) || port > UINT16_MAX) {
		return false;
	}
	struct str address = str_slice(whole, 0, (size_t)(colon - text));
	bool brackets =
		str_has_prefix(address, STR_LIT("[")) && str_has_suffix(address, STR_LIT("]"));
	address = brackets ? str_slice(address, 1, address.len - 2) : address;
	if (address.len == 0 || address.len >= sizeof host) {
		return false;
	}
	memcpy(host, address.ptr, address.len);
	host[address.len] = '\0';
	if (brackets) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host, &six->sin6_addr) == 1;
	}
	four->sin_family = AF_INET;
	four->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &four->sin_addr) == 1;
}

int server_start(struct witness *witness, const char *listen, struct server **out_server,
		 unsigned *out_port, struct error *err)
{
	struct sockaddr_storage address;
	if (!parse_listen(listen, &address)) {
		return error_set(err, ERR_CONFIG,
				 "\"%s\" is no address and port, like 127.0.0.1:8080", listen);
	}
	struct server *server = calloc(1, sizeof *server);
	if (server == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the server");
	}
	server->witness = witness;
	buf_init(&server->answer.body, REQUEST_MAX_BYTES);
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ERROR_LOG;
	flags |= address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0;
	server->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, handle, server, MHD_OPTION_SOCK_ADDR, &address,
		MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
		SERVER_CLIENTS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, SERVER_CLIENTS_EACH,
		MHD_OPTION_CONNECTION_TIMEOUT, SERVER_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_BYTES, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
	const union MHD_DaemonInfo *info =
		server->daemon == NULL
			? NULL
			: MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
	if (info == NULL) {
		int rc = error_errno(err, "cannot listen at %s", listen);
		server_stop(server);
		return rc;
	}
	*out_port = info->port;
	*out_server = server;
	return 0;
}

void server_stop(struct server *server)
{
	if (server == NULL) {
		return;
	}
	if (server->daemon != NULL) {
		MHD_stop_daemon(server->daemon);
	}
	buf_done(&server->answer.body);
	free(server);
}
