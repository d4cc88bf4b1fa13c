#include "tests/sim/tds.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/sim/tds-link.h"
#include "tests/sim/tds-service.h"
#include "tests/sim/tds-session.h"

#define CONNECTIONS_MAX 256
#define FIRST_SPID      51 /* lower ones are the server's own */

struct seat { /* of one connection */
	struct tds_server *server;
	pthread_t thread;
	int fd; /* of the session, which closes it */
	int own_fd; /* the same socket, ours until the seat is free: what is shut through it is no other's */
	int16_t spid;
	bool taken;    /* there is a thread to join */
	bool finished; /* it is at its end */
};

struct tds_server {
	struct tds_service service;
	pthread_mutex_t control; /* held by who starts or stops to listen */
	pthread_mutex_t lock;    /* what follows */
	struct seat seat[CONNECTIONS_MAX];
	int listen_fd; /* -1: gone */
	uint16_t port;
	pthread_t acceptor;
	bool stopping;
};

struct tds_server_options tds_server_defaults(const struct world *world)
{
	return (struct tds_server_options){.world = world, .clock = clock_system()};
}

static void *run_seat(void *owner)
{
	struct seat *seat = owner;
	struct tds_server *server = seat->server;
	tds_session_run(&server->service, seat->fd, seat->spid);
	(void)pthread_mutex_lock(&server->lock);
	seat->finished = true;
	(void)pthread_mutex_unlock(&server->lock);
	return NULL;
}

/* Joins the threads that are at their end; all of them when `all`. The lock is not held. */
static void clear_seats(struct tds_server *server, bool all)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct seat *seat = &server->seat[i];
		(void)pthread_mutex_lock(&server->lock);
		bool ready = seat->taken && (all || seat->finished);
		(void)pthread_mutex_unlock(&server->lock);
		if (ready) {
			(void)pthread_join(seat->thread,
					   NULL); /* it was started, and joined once */
			(void)pthread_mutex_lock(&server->lock);
			(void)close(seat->own_fd); /* nothing is left in it */
			seat->taken = false;
			(void)pthread_mutex_unlock(&server->lock);
		}
	}
}

static void shut_seats(struct tds_server *server)
{
	(void)pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (server->seat[i].taken && !server->seat[i].finished) {
			tds_link_shut(server->seat[i].own_fd);
		}
	}
	(void)pthread_mutex_unlock(&server->lock);
}

/* Gives a client a seat and a thread; without one it is turned away. The lock is held. */
static void seat_client(struct tds_server *server, int fd)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct seat *seat = &server->seat[i];
		if (seat->taken) {
			continue;
		}
		int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		*seat = (struct seat){.server = server,
				      .fd = fd,
				      .own_fd = own_fd,
				      .spid = (int16_t)(FIRST_SPID + i),
				      .taken = true};
		if (own_fd >= 0 && pthread_create(&seat->thread, NULL, run_seat, seat) == 0) {
			return;
		}
		seat->taken = false;
		if (own_fd >= 0) {
			(void)close(own_fd); /* nothing was sent */
		}
		break;
	}
	(void)close(fd); /* nothing was sent */
}

static void *run_acceptor(void *owner)
{
	struct tds_server *server = owner;
	for (;;) {
		int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED || errno == EMFILE)) {
			clear_seats(server, false);
			(void)poll(
				NULL, 0,
				10); /* until a connection has ended, and given its descriptors back */
			continue;
		}
		if (fd < 0) {
			return NULL; /* the listener was shut */
		}
		clear_seats(server, false);
		tds_service_count(&server->service, connections, 1);
		(void)pthread_mutex_lock(&server->lock);
		if (server->stopping) {
			(void)close(fd); /* nothing was sent */
		} else {
			seat_client(server, fd);
		}
		(void)pthread_mutex_unlock(&server->lock);
	}
}

/* Listens on server->port, or on a free one when that is 0, and starts to accept. */
static int start_listening(struct tds_server *server, struct error *err)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(server->port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return error_errno(err, "Cannot make a socket for the simulated SQL Server");
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
			 sizeof(on)); /* bind says whether it mattered */
	if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
		int rc = error_errno(err, "Cannot listen on 127.0.0.1:%u", server->port);
		(void)close(fd); /* nobody has it yet */
		return rc;
	}
	server->port = ntohs(address.sin_port);
	server->listen_fd = fd;
	if (pthread_create(&server->acceptor, NULL, run_acceptor, server) != 0) {
		(void)close(fd); /* nobody has it yet */
		server->listen_fd = -1;
		return error_set(err, ERR_IO,
				 "Cannot start a thread for the simulated SQL Server.");
	}
	return 0;
}

/* Ends the listener, all connections and their threads. */
static void stop_listening(struct tds_server *server)
{
	(void)pthread_mutex_lock(&server->lock);
	server->stopping = true;
	int fd = server->listen_fd;
	(void)pthread_mutex_unlock(&server->lock);
	if (fd >= 0) {
		(void)shutdown(fd, SHUT_RDWR);              /* wakes the acceptor */
		(void)pthread_join(server->acceptor, NULL); /* it was started, and is joined once */
		(void)close(fd);                            /* nobody uses it any more */
	}
	shut_seats(server);
	clear_seats(server, true);
	(void)pthread_mutex_lock(&server->lock);
	server->listen_fd = -1;
	server->stopping = false;
	(void)pthread_mutex_unlock(&server->lock);
}

int tds_server_start(const struct tds_server_options *options, struct tds_server **out_server,
		     uint16_t *out_port, struct error *err)
{
	struct tds_server *server = calloc(1, sizeof(*server));
	if (server == NULL) {
		return error_set(err, ERR_NOMEM, "No memory for the simulated SQL Server.");
	}
	int rc = tds_service_init(&server->service, options, err);
	if (rc != 0) {
		free(server);
		return rc;
	}
	server->port = options->port;
	server->listen_fd = -1;
	(void)pthread_mutex_init(&server->control, NULL); /* cannot fail with these attributes */
	(void)pthread_mutex_init(&server->lock, NULL);    /* cannot fail with these attributes */
	rc = start_listening(server, err);
	if (rc != 0) {
		tds_server_stop(server);
		return rc;
	}
	*out_server = server;
	*out_port = server->port;
	return 0;
}

void tds_server_stop(struct tds_server *server)
{
	if (server == NULL) {
		return;
	}
	stop_listening(server);
	(void)pthread_mutex_destroy(&server->control); /* nobody holds it any more */
	(void)pthread_mutex_destroy(&server->lock);    /* nobody holds it any more */
	tds_service_done(&server->service);
	free(server);
}

/* Listens again, or no more. */
static int come_or_go(struct tds_server *server, bool come, struct error *err)
{
	int rc = 0;
	(void)pthread_mutex_lock(&server->control);
	if (!come) {
		stop_listening(server);
	} else if (server->listen_fd < 0) {
		rc = start_listening(server, err);
	}
	(void)pthread_mutex_unlock(&server->control);
	return rc;
}

int tds_server_fault(struct tds_server *server, struct str line, struct error *err)
{
	struct tds_fault fault;
	int rc = tds_fault_parse(line, &fault, err);
	if (rc != 0) {
		return rc;
	}
	switch (fault.kind) {
	case TDS_FAULT_DELETE_FILE:
		return tds_service_move(&server->service, fault.number, TDS_FILE_GONE, err);
	case TDS_FAULT_TRANSMIT_FILE:
		return tds_service_move(&server->service, fault.number, TDS_FILE_TRANSMITTED, err);
	case TDS_FAULT_GONE:
	case TDS_FAULT_BACK:
		return come_or_go(server, fault.kind == TDS_FAULT_BACK, err);
	case TDS_FAULT_CLEAR:
	case TDS_FAULT_FREEZE:
		tds_service_freeze(&server->service, fault.kind == TDS_FAULT_FREEZE);
		break;
	case TDS_FAULT_ERROR:
	case TDS_FAULT_SKIP:
	case TDS_FAULT_LOGIN_FAILED:
	case TDS_FAULT_CLOSE:
	case TDS_FAULT_SILENT:
	case TDS_FAULT_DRIP:
	case TDS_FAULT_PACKET:
	case TDS_FAULT_WRITE:
	case TDS_FAULT_BAD_LENGTH:
	case TDS_FAULT_BAD_TOKEN:
	case TDS_FAULT_NO_ENCRYPTION:
	case TDS_FAULT_BAD_CERTIFICATE:
	case TDS_FAULT_DENY:
		break;
	}
	return tds_faults_set(&server->service.faults, &fault, err);
}

struct tds_server_counts tds_server_counts(struct tds_server *server)
{
	struct tds_server_counts *counts = &server->service.counts;
	return (struct tds_server_counts){
		.connections = __atomic_load_n(&counts->connections, __ATOMIC_RELAXED),
		.logins = __atomic_load_n(&counts->logins, __ATOMIC_RELAXED),
		.refused_logins = __atomic_load_n(&counts->refused_logins, __ATOMIC_RELAXED),
		.batches = __atomic_load_n(&counts->batches, __ATOMIC_RELAXED),
		.rpcs = __atomic_load_n(&counts->rpcs, __ATOMIC_RELAXED),
		.attentions = __atomic_load_n(&counts->attentions, __ATOMIC_RELAXED),
		.rows = __atomic_load_n(&counts->rows, __ATOMIC_RELAXED),
		.errors = __atomic_load_n(&counts->errors, __ATOMIC_RELAXED),
	};
}
