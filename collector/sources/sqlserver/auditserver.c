#include "collector/sources/sqlserver/auditserver.h"

#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>

#define TEXT_MAX_BYTES     32768
#define MESSAGES_MAX_BYTES 131072

struct auditserver {
	struct auditdb db;
	struct dbconnection *connection;
	enum auditquery_adapter adapter;
	struct clock clock;
	int64_t deadline_ns;
	int stop_fd;
	struct auditquery_column columns[AUDITROW_COLUMNS_MAX];
	size_t column_count; /* 0: to be discovered */
	struct buf text;
	struct buf skipped, told; /* messages not yet given out, each ended by NUL */
	size_t skipped_pos, told_pos;
	struct buf raw;
	bool at_end; /* rows are over; messages may be left */
};

static int ensure(struct auditserver *server, struct error *err)
{
	bool is_new = false;
	int status = dbconnection_begin(server->connection, &is_new, err);
	if (is_new) {
		server->column_count = 0;
	}
	return status;
}

static int on_begin(void *owner, int64_t deadline_ns, struct error *err)
{
	struct auditserver *server = owner;
	server->deadline_ns = deadline_ns;
	dbconnection_set_deadline(server->connection, deadline_ns, server->stop_fd);
	return ensure(server, err);
}

static struct dbconnection_parameter text_parameter(const char *name, struct str text)
{
	return (struct dbconnection_parameter){.name = name, .text = text};
}

static struct dbconnection_parameter number_parameter(const char *name, int64_t number)
{
	return (struct dbconnection_parameter){.name = name, .is_number = true, .number = number};
}

/* Asks for the columns that the function of this server has. */
static int discover(struct auditserver *server, struct str pattern, struct error *err)
{
	struct dbconnection_parameter parameter = text_parameter("@p", pattern);
	int status =
		dbconnection_query(server->connection, str_of(auditquery_columns(server->adapter)),
				   &parameter, 1, err);
	if (status != 0) {
		return status;
	}
	size_t count = dbconnection_column_count(server->connection);
	if (count > AUDITROW_COLUMNS_MAX) {
		dbconnection_stop(server->connection);
		return error_set(err, ERR_CONFIG,
				 "the audit function has %zu columns; at most %d are possible",
				 count, AUDITROW_COLUMNS_MAX);
	}
	for (size_t i = 0; i < count; i++) {
		dbconnection_column(server->connection, i, &server->columns[i]);
	}
	status = dbconnection_next_row(server->connection, err);
	dbconnection_stop(server->connection);
	if (status < 0) {
		return status;
	}
	server->column_count = count;
	return 0;
}

/* The answer must have the columns asked for, in the shapes asked for: they are read by place. */
static int check_answer(struct auditserver *server, struct error *err)
{
	size_t count = dbconnection_column_count(server->connection);
	const char *wrong = count == server->column_count ? NULL : "their number";
	for (size_t i = 0; i < count && wrong == NULL; i++) {
		if (!dbconnection_column_fits(server->connection, i, server->columns[i].shape)) {
			wrong = server->columns[i].name;
		}
	}
	if (wrong == NULL) {
		return 0;
	}
	server->column_count = 0;
	dbconnection_stop(server->connection);
	return error_set(err, ERR_INPUT, "the columns of the answer are not those asked for: %s",
			 wrong);
}

static int on_read(void *owner, const struct auditdb_range *range, struct error *err)
{
	struct auditserver *server = owner;
	bool from_start = range->file.len == 0;
	server->at_end = false;
	int status = ensure(server, err);
	/* What was skipped while names of files were asked for is skipped again, and then said, when rows are read. */
	dbconnection_take_messages(server->connection, &server->skipped, &server->told);
	buf_clear(&server->skipped);
	server->skipped_pos = 0;
	if (status == 0 && server->column_count == 0) {
		status = discover(server, range->pattern, err);
	}
	if (status == 0) {
		buf_clear(&server->text);
		const struct auditquery_read read = {
			.adapter = server->adapter,
			.columns = server->columns,
			.column_count = server->column_count,
			.from_start = from_start,
		};
		status = auditquery_rows(&read, &server->text, err);
	}
	if (status != 0) {
		return status;
	}
	int64_t limit = range->row_limit < INT32_MAX ? (int64_t)range->row_limit : INT32_MAX;
	const struct dbconnection_parameter parameters[] = {
		number_parameter("@n", limit),
		text_parameter("@p", range->pattern),
		text_parameter("@f", range->file),
		number_parameter("@o", range->offset),
	};
	status = dbconnection_query(server->connection, buf_str(&server->text), parameters,
				    from_start ? 2 : 4, err);
	return status != 0 ? status : check_answer(server, err);
}

/* The next message of a list, if there is one left. */
static bool take_message(struct buf *messages, size_t *pos, struct arena *arena, struct str *out)
{
	if (*pos >= messages->len) {
		buf_clear(messages);
		*pos = 0;
		return false;
	}
	const char *text = messages->ptr + *pos;
	size_t len = strnlen(text, messages->len - *pos);
	*pos += len + 1;
	return arena_str(arena, str_make(text, len), out) == 0;
}

static bool next_message(struct auditserver *server, struct arena *arena, struct auditdb_item *out)
{
	dbconnection_take_messages(server->connection, &server->skipped, &server->told);
	if (take_message(&server->skipped, &server->skipped_pos, arena, &out->reason)) {
		out->kind = AUDITDB_SKIPPED;
		return true;
	}
	if (take_message(&server->told, &server->told_pos, arena, &out->reason)) {
		out->kind = AUDITDB_TOLD;
		return true;
	}
	return false;
}

static int fill_row(struct auditserver *server, struct arena *arena, struct auditdb_item *out,
		    struct error *err)
{
	struct sqlrow_cell cells[AUDITROW_COLUMNS_MAX];
	struct error why = {0};
	for (size_t i = 0; i < server->column_count; i++) {
		dbconnection_cell(server->connection, i, server->columns[i].shape, &cells[i]);
	}
	out->kind = AUDITDB_ROW;
	const struct sqlrow row = {server->columns, cells, server->column_count};
	int status = sqlrow_convert(&row, arena, &out->row, &why);
	if (status == 0) {
		return 0;
	}
	out->kind = AUDITDB_BAD_ROW;
	buf_clear(&server->raw);
	sqlrow_put_raw(&row, &server->raw);
	if (arena_str(arena, buf_str(&server->raw), &out->raw) != 0 ||
	    arena_str(arena, str_of(why.text), &out->reason) != 0) {
		return error_set(err, ERR_NOMEM, "no memory for a row that does not convert");
	}
	return 0;
}

static int on_next(void *owner, struct arena *arena, struct auditdb_item *out, struct error *err)
{
	struct auditserver *server = owner;
	if (next_message(server, arena, out)) {
		return 0;
	}
	if (server->at_end) {
		out->kind = AUDITDB_END;
		return 0;
	}
	int status = dbconnection_next_row(server->connection, err);
	if (status < 0) {
		return status;
	}
	if (status == 1) {
		return fill_row(server, arena, out, err);
	}
	server->at_end = true;
	if (!next_message(server, arena, out)) {
		out->kind = AUDITDB_END;
	}
	return 0;
}

static void on_stop(void *owner)
{
	struct auditserver *server = owner;
	dbconnection_stop(server->connection);
}

struct question {
	const char *text;
	const struct dbconnection_parameter *parameters;
	size_t parameter_count;
};

/* Runs a query of one text column and appends each value and a NUL. */
static int collect_names(struct auditserver *server, const struct question *question,
			 struct buf *out, struct error *err)
{
	int status = ensure(server, err);
	if (status == 0) {
		status = dbconnection_query(server->connection, str_of(question->text),
					    question->parameters, question->parameter_count, err);
	}
	if (status != 0) {
		return status;
	}
	while ((status = dbconnection_next_row(server->connection, err)) == 1) {
		buf_put_str(out, dbconnection_text(server->connection, 0));
		buf_put_byte(out, '\0');
	}
	return status;
}

/* The first of them, without its NUL. */
static int collect_name(struct auditserver *server, const struct question *question,
			struct buf *out, struct error *err)
{
	size_t begin = out->len;
	int status = collect_names(server, question, out, err);
	if (status == 0 && out->len > begin) {
		buf_truncate(out, begin + strnlen(out->ptr + begin, out->len - begin));
	}
	return status;
}

static int on_next_file(void *owner, const struct auditdb_range *range, struct str base_name,
			struct buf *out, struct error *err)
{
	struct auditserver *server = owner;
	const struct dbconnection_parameter parameters[] = {
		text_parameter("@p", range->pattern),
		text_parameter("@f", range->file),
		number_parameter("@o", range->offset),
		text_parameter("@b", base_name),
	};
	const struct question question = {auditquery_next_file(server->adapter), parameters, 4};
	return collect_name(server, &question, out, err);
}

/* Reads all files, so it gets half of the time that is left: the first file alone can be asked for after it. */
static int on_list_files(void *owner, struct str pattern, struct buf *out, struct error *err)
{
	struct auditserver *server = owner;
	struct dbconnection_parameter parameter = text_parameter("@p", pattern);
	int64_t now_ns = clock_monotonic_ns();
	dbconnection_set_deadline(server->connection, now_ns + (server->deadline_ns - now_ns) / 2,
				  server->stop_fd);
	const struct question question = {auditquery_list_files(server->adapter), &parameter, 1};
	int status = collect_names(server, &question, out, err);
	dbconnection_set_deadline(server->connection, server->deadline_ns, server->stop_fd);
	return status;
}

static int on_first_file(void *owner, struct str pattern, struct buf *out, struct error *err)
{
	struct auditserver *server = owner;
	struct dbconnection_parameter parameter = text_parameter("@p", pattern);
	const struct question question = {auditquery_first_file(server->adapter), &parameter, 1};
	return collect_name(server, &question, out, err);
}

static int ask(struct auditserver *server, const char *text, struct str audit, size_t columns,
	       struct error *err)
{
	struct dbconnection_parameter parameter = text_parameter("@a", audit);
	int status = ensure(server, err);
	if (status == 0) {
		status = dbconnection_query(server->connection, str_of(text), &parameter, 1, err);
	}
	if (status == 0 && dbconnection_column_count(server->connection) != columns) {
		dbconnection_stop(server->connection);
		status = error_set(err, ERR_INPUT, "%zu columns came where %zu were asked for",
				   dbconnection_column_count(server->connection), columns);
	}
	return status;
}

/* Copies a text cell; a value that does not fit the arena stays empty, which metadata may be. */
static struct str copy_text(struct auditserver *server, size_t index, struct arena *arena)
{
	struct str copy = {0};
	if (arena_str(arena, dbconnection_text(server->connection, index), &copy) != 0) {
		copy = (struct str){0};
	}
	return copy;
}

static int64_t number_of(struct auditserver *server, size_t index)
{
	struct sqlrow_cell cell;
	if (!dbconnection_column_fits(server->connection, index, AUDITQUERY_INT)) {
		return 0;
	}
	dbconnection_cell(server->connection, index, AUDITQUERY_INT, &cell);
	return cell.is_null ? 0 : cell.number;
}

static int on_status(void *owner, struct str audit, struct arena *arena, struct auditdb_status *out,
		     struct error *err)
{
	struct auditserver *server = owner;
	struct auditdb_status found = {0};
	int status = ask(server, auditquery_status(), audit, 3, err);
	if (status != 0) {
		return status;
	}
	buf_clear(&server->text);
	while ((status = dbconnection_next_row(server->connection, err)) == 1) {
		buf_put_text(&server->text, found.audit_count++ > 0 ? ", " : "");
		buf_put_str(&server->text, dbconnection_text(server->connection, 0));
		found.state = copy_text(server, 1, arena);
		found.path = copy_text(server, 2, arena);
	}
	if (status == 0 && arena_str(arena, buf_str(&server->text), &found.names) == 0) {
		*out = found;
	}
	return status;
}

static int on_settings(void *owner, struct str audit, struct arena *arena,
		       struct auditdb_settings *out, struct error *err)
{
	struct auditserver *server = owner;
	struct auditdb_settings found = {0};
	int status = ask(server, auditquery_settings(), audit, 5, err);
	if (status != 0) {
		return status;
	}
	while ((status = dbconnection_next_row(server->connection, err)) == 1) {
		found.audit_count++;
		found.folder = copy_text(server, 1, arena);
		found.file_name = copy_text(server, 2, arena);
		int64_t delay_ns = number_of(server, 3) * NS_PER_MS;
		if (delay_ns > found.queue_delay_ns) {
			found.queue_delay_ns = delay_ns;
		}
		found.on_failure = copy_text(server, 4, arena);
	}
	if (status == 0) {
		*out = found;
	}
	return status;
}

static int on_server(void *owner, struct arena *arena, struct auditdb_server *out,
		     struct error *err)
{
	struct auditserver *server = owner;
	struct auditdb_server found = {0};
	int status = ensure(server, err);
	found.asked_ns = clock_now(&server->clock);
	if (status == 0) {
		status = dbconnection_query(server->connection, str_of(auditquery_server()), NULL,
					    0, err);
	}
	if (status == 0) {
		status = dbconnection_next_row(server->connection, err);
	}
	if (status < 0) {
		return status;
	}
	found.answered_ns = clock_now(&server->clock);
	struct sqlrow_cell now = {.is_null = true};
	if (status == 1 && dbconnection_column_count(server->connection) == 3 &&
	    dbconnection_column_fits(server->connection, 0, AUDITQUERY_TIME)) {
		dbconnection_cell(server->connection, 0, AUDITQUERY_TIME, &now);
	}
	if (now.is_null || !sqlrow_time_ns(now.days, now.time_100ns, &found.now_ns)) {
		dbconnection_stop(server->connection);
		return error_set(err, ERR_INPUT, "the server's clock did not come as a time");
	}
	found.name = copy_text(server, 1, arena);
	found.version = copy_text(server, 2, arena);
	status = dbconnection_next_row(server->connection, err);
	if (status < 0) {
		return status;
	}
	dbconnection_stop(server->connection);
	*out = found;
	return 0;
}

int auditserver_new(const struct dbconnection_options *options, enum auditquery_adapter adapter,
		    struct clock clock, struct auditserver **out_server, struct error *err)
{
	struct auditserver *server = calloc(1, sizeof(*server));
	if (server == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a server");
	}
	int status = dbconnection_new(options, &server->connection, err);
	if (status != 0) {
		free(server);
		return status;
	}
	server->adapter = adapter;
	server->clock = clock;
	buf_init(&server->text, TEXT_MAX_BYTES);
	buf_init(&server->skipped, MESSAGES_MAX_BYTES);
	buf_init(&server->told, MESSAGES_MAX_BYTES);
	buf_init(&server->raw, 0);
	server->db = (struct auditdb){
		.owner = server,
		.begin = on_begin,
		.read = on_read,
		.next = on_next,
		.stop = on_stop,
		.next_file = on_next_file,
		.list_files = on_list_files,
		.first_file = on_first_file,
		.status = on_status,
		.settings = on_settings,
		.server = on_server,
	};
	*out_server = server;
	return 0;
}

void auditserver_free(struct auditserver *server)
{
	if (server == NULL) {
		return;
	}
	dbconnection_free(server->connection);
	buf_done(&server->text);
	buf_done(&server->skipped);
	buf_done(&server->told);
	buf_done(&server->raw);
	free(server);
}

const struct auditdb *auditserver_auditdb(const struct auditserver *server)
{
	return &server->db;
}

void auditserver_set_stop_fd(struct auditserver *server, int fd)
{
	server->stop_fd = fd;
}
