/* tds-service - what all connections of the simulated server share: the world, its files as they are now, faults, counts.
 *
 * Shape:   an audit file is there from the moment its first row is visible (the first file always), until it is deleted; on RDS a file
 *          that is full moves to the folder transmitted, or is gone.
 * Threads: any, but init and done.
 * Source:  facts on fn_get_audit_file and RDS. Tests: tests/unit/tds-audit.c
 */
#ifndef TESTS_SIM_TDS_SERVICE_H
#define TESTS_SIM_TDS_SERVICE_H

#include <pthread.h>

#include "base/buf.h"
#include "tests/sim/tds-certificate.h"
#include "tests/sim/tds-fault.h"
#include "tests/sim/tds.h"

#define TDS_NAME_MAX 129

enum tds_file_state { TDS_FILE_PRESENT, TDS_FILE_TRANSMITTED, TDS_FILE_GONE };

struct tds_service {
	struct tds_server_options
		options; /* its texts: user, password below; the others are not kept */
	char user[TDS_NAME_MAX], password[TDS_NAME_MAX];
	const struct world_row *row;
	const struct world_file *file;
	uint32_t row_count, file_count;
	struct tds_faults faults;
	struct tds_certificates certificates;
	pthread_mutex_t lock; /* what follows */
	uint8_t *moved;       /* an enum tds_file_state for each file, by faults */
	int64_t *first_visible_ns;
	int64_t frozen_ns; /* 0: time runs */
	struct tds_server_counts counts;
};

/* Copies the options, makes the certificates. Errors as tds_server_start. */
int tds_service_init(struct tds_service *service, const struct tds_server_options *options,
		     struct error *err);
void tds_service_done(struct tds_service *service);

/* What time it is for the rows. */
int64_t tds_service_now(struct tds_service *service);

/* Stops and starts that time. */
void tds_service_freeze(struct tds_service *service, bool stop);

/* Where a file is at a time. TDS_FILE_GONE also for one that is not there yet. */
enum tds_file_state tds_service_file(struct tds_service *service, uint32_t index, int64_t now_ns);

/* The file that is written at a time: the last one that was begun. */
uint32_t tds_service_current(struct tds_service *service, int64_t now_ns);

/* Moves a file; index -1 is the oldest that is present. Returns 0, or ERR_INPUT when there is no such file. */
int tds_service_move(struct tds_service *service, int64_t index, enum tds_file_state state,
		     struct error *err);

/* Appends the folder of the audit, the path of a file. */
void tds_service_put_folder(const struct tds_service *service, struct buf *out);
void tds_service_put_path(const struct tds_service *service, uint32_t index,
			  enum tds_file_state state, struct buf *out);

/* Adds to a counter of counts. */
#define tds_service_count(service, what, by) \
	((void)__atomic_add_fetch(&(service)->counts.what, (uint64_t)(by), __ATOMIC_RELAXED))

#endif
