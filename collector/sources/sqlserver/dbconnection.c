#include "collector/sources/sqlserver/dbconnection.h"

#include "base/clock.h"
#include "collector/sources/sqlserver/dbhandler.h"
#include "collector/sources/sqlserver/hangup.h"
#include "collector/sources/sqlserver/tdslogin.h"

#define MSDBLIB 1
#include <sybfront.h>

#include <sybdb.h>

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFINITIONS_MAX 1024
#define SYB_UNIQUE      36 /* types on the wire that sybdb.h does not name */
#define XSYB_VARBINARY  165
#define XSYB_BINARY     173

struct dbconnection {
	struct dbconnection_options options;
	char where[320]; /* "SQL Server host:port" */
	struct dbhandler handler;
	DBPROCESS *process;
	int64_t deadline_ns;
	int stop_fd;
	bool has_query; /* results are not read to their end */
	bool was_stopped, was_late;
};

int dbconnection_new(const struct dbconnection_options *options, struct dbconnection **out,
		     struct error *err)
{
	if (!tdslogin_is_host(options->host)) {
		return error_set(err, ERR_CONFIG, "host \"%s\" is no host name or address",
				 options->host);
	}
	int status = hangup_init(err);
	if (status != 0) {
		return status;
	}
	struct dbconnection *connection = calloc(1, sizeof(*connection));
	if (connection == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a connection");
	}
	connection->options = *options;
	snprintf(connection->where, sizeof(connection->where), "SQL Server %s:%u", options->host,
		 options->port);
	dbhandler_init(&connection->handler);
	connection->deadline_ns = INT64_MAX;
	tdslogin_clear_environment();
	if (dbinit() == FAIL) {
		free(connection);
		return error_set(err, ERR_NOMEM, "DB-Library does not start");
	}
	dbhandler_install();
	*out = connection;
	return 0;
}

static void disconnect(struct dbconnection *connection)
{
	(void)hangup_disarm(); /* it must not shut down who gets the descriptor next */
	if (connection->process != NULL) {
		dbclose(connection->process);
		connection->process = NULL;
	}
	connection->has_query = false;
}

void dbconnection_free(struct dbconnection *connection)
{
	if (connection == NULL) {
		return;
	}
	disconnect(connection);
	dbhandler_done(&connection->handler);
	dbexit();
	free(connection);
}

void dbconnection_set_deadline(struct dbconnection *connection, int64_t deadline_ns, int stop_fd)
{
	connection->deadline_ns = deadline_ns;
	connection->stop_fd = stop_fd;
}

/* Whether the call that runs must end now, and why. */
static bool is_over(struct dbconnection *connection)
{
	struct pollfd pollfd = {.fd = connection->stop_fd, .events = POLLIN};
	if (connection->stop_fd > 0 && poll(&pollfd, 1, 0) > 0) {
		connection->was_stopped = true;
	} else if (clock_monotonic_ns() >= connection->deadline_ns) {
		connection->was_late = true;
	}
	return connection->was_stopped || connection->was_late;
}

static int check_interrupt(void *process)
{
	struct dbhandler *handler = (struct dbhandler *)dbgetuserdata(process);
	assert(handler != NULL);
	struct dbconnection *connection =
		(struct dbconnection *)((char *)handler - offsetof(struct dbconnection, handler));
	return is_over(connection) ? TRUE : FALSE;
}

static int handle_interrupt(void *process)
{
	(void)process;
	return INT_CANCEL;
}

/* When a call that begins now must be over: by its timeout or the deadline. */
static int64_t end_of_call_ns(const struct dbconnection *connection)
{
	int64_t timeout_ns = clock_monotonic_ns() + connection->options.timeout_ns;
	return timeout_ns < connection->deadline_ns ? timeout_ns : connection->deadline_ns;
}

/* Whole seconds until then, at least one: FreeTDS counts in seconds and takes 0 for ever. */
static int seconds_left(const struct dbconnection *connection)
{
	int64_t left_ns = end_of_call_ns(connection) - clock_monotonic_ns();
	int64_t seconds = (left_ns + NS_PER_SEC - 1) / NS_PER_SEC;
	return seconds < 1 ? 1 : (int)seconds;
}

int dbconnection_begin(struct dbconnection *connection, bool *out_is_new, struct error *err)
{
	if (connection->process != NULL && dbdead(connection->process) == FALSE) {
		*out_is_new = false;
		return 0;
	}
	disconnect(connection);
	connection->was_late = connection->was_stopped = false;
	const struct tdslogin login = {
		.options = &connection->options,
		.where = connection->where,
		.handler = &connection->handler,
		.deadline_ns = end_of_call_ns(connection),
	};
	int status = tdslogin_open(&login, &connection->process, err);
	if (status == 0) {
		dbsetuserdata(connection->process, (BYTE *)&connection->handler);
		dbsetinterrupt(connection->process, check_interrupt, handle_interrupt);
	}
	*out_is_new = status == 0;
	return status;
}

/* What a failed call means. A server message on a connection that lives leaves it usable. */
static int failure(struct dbconnection *connection, struct error *err)
{
	connection->was_late |= hangup_disarm();
	bool is_answer = connection->handler.message != 0 && connection->process != NULL &&
			 dbdead(connection->process) == FALSE &&
			 dbcancel(connection->process) == SUCCEED;
	connection->has_query = false;
	int status;
	if (connection->was_stopped) {
		status = error_set(err, ERR_CANCELLED, "%s: stopped", connection->where);
	} else if (connection->was_late) {
		status = error_set(err, ERR_AGAIN, "%s did not answer in time", connection->where);
	} else {
		status = dbhandler_error(&connection->handler, connection->where, err);
	}
	if (!is_answer || connection->was_stopped || connection->was_late) {
		disconnect(connection);
	}
	return status;
}

static void put_definitions(const struct dbconnection_parameter *parameters, size_t count,
			    struct buf *out)
{
	for (size_t i = 0; i < count; i++) {
		buf_putf(out, "%s%s %s", i > 0 ? ", " : "", parameters[i].name,
			 parameters[i].is_number ? "bigint" : "nvarchar(4000)");
	}
}

static bool bind(DBPROCESS *process, const char *name, struct str text)
{
	/* Sent as nvarchar; a length of 0 is NULL. FreeTDS copies nothing before dbrpcsend and writes nothing. */
	return dbrpcparam(process, name, 0, SYBVARCHAR, -1, (DBINT)text.len,
			  (BYTE *)(uintptr_t)text.ptr) == SUCCEED;
}

static bool send_call(struct dbconnection *connection, struct str text, struct str definitions,
		      const struct dbconnection_parameter *parameters, size_t count)
{
	DBPROCESS *process = connection->process;
	int64_t numbers[8];
	assert(count <= sizeof(numbers) / sizeof(numbers[0]));
	bool ok = dbrpcinit(process, "sp_executesql", 0) == SUCCEED && bind(process, NULL, text);
	if (ok && count > 0) {
		ok = bind(process, NULL, definitions);
	}
	for (size_t i = 0; i < count && ok; i++) {
		const struct dbconnection_parameter *parameter = &parameters[i];
		numbers[i] = parameter->number;
		ok = parameter->is_number ? dbrpcparam(process, parameter->name, 0, SYBINT8, -1, -1,
						       (BYTE *)&numbers[i]) == SUCCEED
					  : bind(process, parameter->name, parameter->text);
	}
	return ok && dbrpcsend(process) == SUCCEED && dbsqlok(process) == SUCCEED;
}

/* Goes to the first row set; results without columns come before it. Returns false on failure or when there is none. */
static bool first_row_set(DBPROCESS *process)
{
	RETCODE code;
	while ((code = dbresults(process)) == SUCCEED) {
		if (dbnumcols(process) > 0) {
			return true;
		}
	}
	return false;
}

int dbconnection_query(struct dbconnection *connection, struct str text,
		       const struct dbconnection_parameter *parameters, size_t parameter_count,
		       struct error *err)
{
	char seconds[16];
	struct buf definitions;
	assert(connection->process != NULL);
	dbconnection_stop(connection);
	if (connection->process == NULL) {
		return error_set(err, ERR_AGAIN, "%s closed the connection", connection->where);
	}
	buf_init(&definitions, DEFINITIONS_MAX);
	put_definitions(parameters, parameter_count, &definitions);
	assert(!definitions.failed);
	dbhandler_clear(&connection->handler);
	connection->was_late = connection->was_stopped = false;
	snprintf(seconds, sizeof(seconds), "%d", seconds_left(connection));
	connection->has_query = true;
	hangup_arm(end_of_call_ns(connection), dbiordesc(connection->process));
	bool ok = !is_over(connection) &&
		  dbsetopt(connection->process, DBSETTIME, seconds, 0) == SUCCEED &&
		  send_call(connection, text, buf_str(&definitions), parameters, parameter_count) &&
		  first_row_set(connection->process);
	buf_done(&definitions);
	if (ok && connection->handler.message == 0) {
		return 0;
	}
	return failure(connection, err);
}

int dbconnection_next_row(struct dbconnection *connection, struct error *err)
{
	assert(connection->has_query);
	DBPROCESS *process = connection->process;
	STATUS row = FAIL;
	if (!is_over(connection)) {
		row = dbnextrow(process);
	}
	if (row == REG_ROW) {
		return 1;
	}
	if (row != NO_MORE_ROWS) {
		return failure(connection, err);
	}
	/* An error may stand behind the last row; only when all is read is the end clean. */
	RETCODE code;
	while ((code = dbresults(process)) == SUCCEED) {
		while (dbnextrow(process) == REG_ROW) {
		}
	}
	if (code != NO_MORE_RESULTS || connection->handler.message != 0 ||
	    dbdead(process) == TRUE) {
		return failure(connection, err);
	}
	connection->has_query = false;
	(void)hangup_disarm(); /* the end came before it, or with it */
	return 0;
}

void dbconnection_stop(struct dbconnection *connection)
{
	if (!connection->has_query) {
		return;
	}
	connection->has_query = false;
	bool is_usable = connection->process != NULL && dbcancel(connection->process) == SUCCEED;
	if (hangup_disarm() || !is_usable) {
		disconnect(connection);
	}
}

size_t dbconnection_column_count(const struct dbconnection *connection)
{
	int count = dbnumcols(connection->process);
	return count > 0 ? (size_t)count : 0;
}

static enum auditquery_shape natural_shape(int type)
{
	switch (type) {
	case SYBINT1:
	case SYBINT2:
	case SYBINT4:
	case SYBINT8:
		return AUDITQUERY_INT;
	case SYBBIT:
	case SYBBITN:
		return AUDITQUERY_BIT;
	case SYBMSDATETIME2:
		return AUDITQUERY_TIME;
	case SYBBINARY:
	case SYBVARBINARY:
	case XSYB_VARBINARY:
	case XSYB_BINARY:
		return AUDITQUERY_BINARY;
	case SYB_UNIQUE:
		return AUDITQUERY_GUID;
	default:
		return AUDITQUERY_TEXT;
	}
}

void dbconnection_column(const struct dbconnection *connection, size_t index,
			 struct auditquery_column *out)
{
	const char *name = dbcolname(connection->process, (int)index + 1);
	snprintf(out->name, sizeof(out->name), "%s", name != NULL ? name : "");
	out->shape = natural_shape(dbcoltype(connection->process, (int)index + 1));
	if (out->shape == AUDITQUERY_TEXT && auditquery_is_wide(str_of(out->name))) {
		out->shape = AUDITQUERY_WIDE_TEXT;
	}
}

bool dbconnection_column_fits(const struct dbconnection *connection, size_t index,
			      enum auditquery_shape shape)
{
	enum auditquery_shape natural =
		natural_shape(dbcoltype(connection->process, (int)index + 1));
	if (shape == AUDITQUERY_WIDE_TEXT || shape == AUDITQUERY_TEXT) {
		return natural == AUDITQUERY_BINARY;
	}
	return natural == shape;
}

static int64_t integer_of(const BYTE *data, int type)
{
	int64_t wide;
	DBINT four;
	DBSMALLINT two;
	switch (type) {
	case SYBINT8:
		memcpy(&wide, data, sizeof(wide));
		return wide;
	case SYBINT4:
		memcpy(&four, data, sizeof(four));
		return four;
	case SYBINT2:
		memcpy(&two, data, sizeof(two));
		return two;
	default:
		return data[0];
	}
}

void dbconnection_cell(const struct dbconnection *connection, size_t index,
		       enum auditquery_shape shape, struct sqlrow_cell *out)
{
	int column = (int)index + 1;
	const BYTE *data = dbdata(connection->process, column);
	*out = (struct sqlrow_cell){.is_null = data == NULL};
	if (data == NULL) {
		return;
	}
	DBDATETIMEALL time;
	switch (shape) {
	case AUDITQUERY_INT:
	case AUDITQUERY_BIT:
		out->number = integer_of(data, dbcoltype(connection->process, column));
		return;
	case AUDITQUERY_TIME:
		memcpy(&time, data, sizeof(time));
		out->days = time.date;
		out->time_100ns = (int64_t)time.time;
		return;
	case AUDITQUERY_BINARY:
	case AUDITQUERY_GUID:
	case AUDITQUERY_WIDE_TEXT:
	case AUDITQUERY_TEXT:
		out->bytes = str_make(data, (size_t)dbdatlen(connection->process, column));
		return;
	}
}

struct str dbconnection_text(const struct dbconnection *connection, size_t index)
{
	const BYTE *data = dbdata(connection->process, (int)index + 1);
	if (data == NULL ||
	    natural_shape(dbcoltype(connection->process, (int)index + 1)) != AUDITQUERY_TEXT) {
		return (struct str){0};
	}
	return str_make(data, (size_t)dbdatlen(connection->process, (int)index + 1));
}

static void move_texts(struct buf *from, struct buf *to)
{
	buf_put_str(to, buf_str(from));
	buf_clear(from);
}

void dbconnection_take_messages(struct dbconnection *connection, struct buf *skipped,
				struct buf *told)
{
	move_texts(&connection->handler.skipped, skipped);
	move_texts(&connection->handler.told, told);
}
