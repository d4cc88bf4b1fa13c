#include "collector/source.h"

#include "collector/sources/sqlserver/auditreader.h"
#include "collector/sources/sqlserver/auditserver.h"

#include <assert.h>
#include <stdlib.h>

#define CLEAR_WARNING                                                                        \
	"encrypt is false: password and statements cross the network in the clear, and the " \
	"server "                                                                            \
	"is not verified"

struct source {
	struct auditserver *server;
	struct auditreader *reader;
};

static struct dbconnection_options dbconnection_options(const struct source_open *how)
{
	const struct config *config = how->config;
	const char *section = how->section;
	return (struct dbconnection_options){
		.host = config_text(config, section, "host"),
		.port = (uint16_t)config_int(config, section, "port"),
		.user = config_text(config, section, "user"),
		.password_file = config_text(config, section, "password_file"),
		.database = config_text(config, section, "database"),
		.ca_file = config_text(config, section, "ca_file"),
		.certificate_host = config_text(config, section, "certificate_host"),
		.encrypt = config_bool(config, section, "encrypt"),
		.timeout_ns = config_int(config, section, "timeout"),
	};
}

static struct auditreader_options auditreader_options(const struct source_open *how)
{
	const struct config *config = how->config;
	const char *section = how->section;
	return (struct auditreader_options){
		.source_name = how->name,
		.audit = config_text(config, section, "audit"),
		.file_pattern = config_text(config, section, "file_pattern"),
		.server_name = config_text(config, section, "server_name"),
		.warning = config_bool(config, section, "encrypt") ? NULL : CLEAR_WARNING,
		.rds = str_is(str_of(config_text(config, section, "adapter")), "rds"),
		.finite = how->finite,
		.batch_rows = (uint32_t)config_int(config, section, "batch_rows"),
		.part_timeout_ns = config_int(config, section, "part_timeout"),
		.poll_interval_ns = config_int(config, section, "poll_interval"),
		.clock = how->clock,
	};
}

static void sqlserver_close(struct source *source)
{
	if (source != NULL) {
		auditreader_free(source->reader);
		auditserver_free(source->server);
		free(source);
	}
}

static int sqlserver_open(const struct source_open *how, struct source **out_source,
			  struct error *err)
{
	struct dbconnection_options connection = dbconnection_options(how);
	struct auditreader_options reader = auditreader_options(how);
	struct source *source = calloc(1, sizeof(*source));
	if (source == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for source %s", how->name);
	}
	int status = auditserver_new(&connection,
				     reader.rds ? AUDITQUERY_RDS : AUDITQUERY_FN_GET_AUDIT_FILE,
				     how->clock, &source->server, err);
	if (status == 0) {
		status = auditreader_new(&reader, auditserver_auditdb(source->server),
					 &source->reader, err);
	}
	if (status != 0) {
		sqlserver_close(source);
		error_prefix(err, "source %s", how->name);
		return status;
	}
	*out_source = source;
	return 0;
}

static int sqlserver_fetch(struct source *source, const struct source_request *request,
			   struct source_batch *batch, struct error *err)
{
	auditserver_set_stop_fd(source->server, request->stop_fd);
	return auditreader_fetch(source->reader, request, batch, err);
}

const struct source_type source_sqlserver = {
	.name = "sqlserver",
	.summary = "SQL Server Audit: the files of a server audit, read over TDS.",
	.kinds = 1u << RECORD_STATEMENT,
	.open = sqlserver_open,
	.fetch = sqlserver_fetch,
	.close = sqlserver_close,
};
