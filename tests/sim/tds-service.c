#include "tests/sim/tds-service.h"

#include <stdio.h>
#include <stdlib.h>

#define RDS_FOLDER "D:\\rdsdbdata\\SQLAudit\\"

static bool copy_name(char to[TDS_NAME_MAX], const char *from, const char *otherwise)
{
	int len = snprintf(to, TDS_NAME_MAX, "%s", from != NULL ? from : otherwise);
	return len >= 0 && len < TDS_NAME_MAX;
}

static bool known_release(int release)
{
	static const int known[] = {2008, 2012, 2016, 2017, 2019, 2022};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i] == release) {
			return true;
		}
	}
	return false;
}

/* When each file begins to be there. */
static void note_files(struct tds_service *service)
{
	for (uint32_t i = 0; i < service->file_count; i++) {
		const struct world_file *file = &service->file[i];
		int64_t first = i == 0 ? INT64_MIN : INT64_MAX;
		for (uint32_t row = 0; row < file->row_count; row++) {
			int64_t at = service->row[file->first_row + row].visible_ns;
			first = at < first ? at : first;
		}
		service->first_visible_ns[i] = first;
	}
}

int tds_service_init(struct tds_service *service, const struct tds_server_options *options,
		     struct error *err)
{
	memset(service, 0, sizeof(*service));
	service->options = *options;
	service->options.release = options->release != 0 ? options->release : 2022;
	service->options.queue_delay_ms =
		options->queue_delay_ms != 0 ? options->queue_delay_ms : 1000;
	if (!known_release(service->options.release)) {
		return error_set(err, ERR_CONFIG, "There is no SQL Server %d.", options->release);
	}
	if (!copy_name(service->user, options->user, "querytrail") ||
	    !copy_name(service->password, options->password, "Auditor-1")) {
		return error_set(err, ERR_CONFIG, "User and password have at most %d bytes.",
				 TDS_NAME_MAX - 1);
	}
	service->row = world_rows(options->world, &service->row_count);
	service->file = world_files(options->world, &service->file_count);
	service->moved = calloc((size_t)service->file_count + 1, 1);
	service->first_visible_ns = calloc((size_t)service->file_count + 1, sizeof(int64_t));
	if (service->moved == NULL || service->first_visible_ns == NULL) {
		free(service->moved);
		free(service->first_visible_ns);
		return error_set(err, ERR_NOMEM, "No memory for the simulated server.");
	}
	note_files(service);
	int rc = tds_certificates_init(&service->certificates, options->certificate_name,
				       options->ca_path, err);
	if (rc != 0) {
		free(service->moved);
		free(service->first_visible_ns);
		return rc;
	}
	tds_faults_init(&service->faults);
	(void)pthread_mutex_init(&service->lock, NULL); /* cannot fail with these attributes */
	return 0;
}

void tds_service_done(struct tds_service *service)
{
	tds_certificates_done(&service->certificates);
	tds_faults_done(&service->faults);
	(void)pthread_mutex_destroy(&service->lock); /* nobody holds it any more */
	free(service->moved);
	free(service->first_visible_ns);
}

int64_t tds_service_now(struct tds_service *service)
{
	(void)pthread_mutex_lock(&service->lock);
	int64_t frozen_ns = service->frozen_ns;
	(void)pthread_mutex_unlock(&service->lock);
	return frozen_ns != 0 ? frozen_ns : clock_now(&service->options.clock);
}

void tds_service_freeze(struct tds_service *service, bool stop)
{
	int64_t now_ns = clock_now(&service->options.clock);
	(void)pthread_mutex_lock(&service->lock);
	service->frozen_ns = stop ? now_ns : 0;
	(void)pthread_mutex_unlock(&service->lock);
}

uint32_t tds_service_current(struct tds_service *service, int64_t now_ns)
{
	uint32_t current = 0;
	for (uint32_t i = 0; i < service->file_count; i++) {
		current = service->first_visible_ns[i] <= now_ns ? i : current;
	}
	return current;
}

enum tds_file_state tds_service_file(struct tds_service *service, uint32_t index, int64_t now_ns)
{
	if (service->first_visible_ns[index] > now_ns) {
		return TDS_FILE_GONE;
	}
	(void)pthread_mutex_lock(&service->lock);
	enum tds_file_state state = service->moved[index];
	(void)pthread_mutex_unlock(&service->lock);
	if (state == TDS_FILE_PRESENT && service->options.rds &&
	    index < tds_service_current(service, now_ns)) {
		return service->options.rds_retention ? TDS_FILE_TRANSMITTED : TDS_FILE_GONE;
	}
	return state;
}

int tds_service_move(struct tds_service *service, int64_t index, enum tds_file_state state,
		     struct error *err)
{
	(void)pthread_mutex_lock(&service->lock);
	for (uint32_t i = 0; i < service->file_count && index < 0; i++) {
		index = service->moved[i] == TDS_FILE_PRESENT ? i : index;
	}
	bool there = index >= 0 && index < service->file_count;
	if (there) {
		service->moved[index] = (uint8_t)state;
	}
	(void)pthread_mutex_unlock(&service->lock);
	return there ? 0
		     : error_set(err, ERR_INPUT, "There is no audit file %lld.", (long long)index);
}

void tds_service_put_folder(const struct tds_service *service, struct buf *out)
{
	bool own = service->options.rds || service->file_count == 0;
	buf_put_str(out, own ? STR_LIT(RDS_FOLDER) : service->file[0].folder);
}

void tds_service_put_path(const struct tds_service *service, uint32_t index,
			  enum tds_file_state state, struct buf *out)
{
	tds_service_put_folder(service, out);
	if (state == TDS_FILE_TRANSMITTED) {
		buf_put_text(out, "transmitted\\");
	}
	buf_put_str(out, service->file[index].name);
}
