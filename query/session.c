#include "query/session.h"

#include "base/clock.h"
#include "base/parse.h"
#include "base/secret.h"
#include "model/options.h"
#include "query/when.h"
#include "query/writer.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static size_t terminal_width(int fd)
{
	uint64_t columns;
	const char *text = getenv("COLUMNS");
	if (text != NULL && parse_u64(str_of(text), &columns) && columns > 0 && columns < 10000) {
		return (size_t)columns;
	}
	struct winsize size;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
		return size.ws_col;
	}
	return 80;
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);
	return value != NULL && value[0] != '\0';
}

struct surroundings surroundings_detect(void)
{
	const char *term = getenv("TERM");
	struct surroundings surroundings = {
		.out_fd = STDOUT_FILENO,
		.err_fd = STDERR_FILENO,
		.out_is_terminal = isatty(STDOUT_FILENO) == 1,
		.err_is_terminal = isatty(STDERR_FILENO) == 1,
		.color = !is_set("NO_COLOR") && !is_set("QUERYTRAIL_NO_COLOR") && term != NULL &&
			 strcmp(term, "dumb") != 0,
		.now_ns = clock_now_ns(),
		.tz = is_set("QUERYTRAIL_TZ") ? getenv("QUERYTRAIL_TZ") : "",
	};
	if (surroundings.out_is_terminal) {
		surroundings.width = terminal_width(STDOUT_FILENO);
	}
	return surroundings;
}

int session_number(const struct session *session, enum option_id id, uint64_t fallback,
		   uint64_t *out_value, struct error *err)
{
	const char *text = session_option(session, id);
	if (text == NULL) {
		*out_value = fallback;
		return 0;
	}
	if (!parse_u64(str_of(text), out_value)) {
		return error_set(err, ERR_USAGE, "--%s wants a number, not \"%s\"", option_name(id),
				 text);
	}
	return 0;
}

int session_init(struct session *session, const struct surroundings *surroundings,
		 struct error *err)
{
	session->surroundings = surroundings;
	session->zone = zone_utc();
	output_init(&session->out, surroundings->out_fd, &session->zone);
	output_init(&session->err, surroundings->err_fd, &session->zone);
	bool color = surroundings->color && session_option(session, OPTION_NO_COLOR) == NULL;
	session->out.is_terminal = surroundings->out_is_terminal;
	session->out.color = color && surroundings->out_is_terminal;
	session->err.is_terminal = surroundings->err_is_terminal;
	session->err.color = color && surroundings->err_is_terminal;
	uint64_t width;
	int result = session_number(session, OPTION_WIDTH, surroundings->width, &width, err);
	if (result != 0) {
		return result;
	}
	session->out.width = width > 100000 ? 100000 : (size_t)width;
	if (session->out.width > 0 && session->out.width < 40) {
		session->out.width = 40; /* narrower columns would say nothing */
	}
	const char *tz = session_option(session, OPTION_TZ);
	tz = tz != NULL ? tz : surroundings->tz;
	return tz[0] == '\0' ? 0 : zone_open(str_of(tz), NULL, &session->zone, err);
}

void session_done(struct session *session)
{
	store_close(session->store);
	config_free(session->config);
	output_done(&session->out);
	output_done(&session->err);
	zone_close(&session->zone);
}

const char *session_store_dir(const struct session *session)
{
	if (session->surroundings->served != NULL) {
		return session->surroundings->served;
	}
	if (session_option(session, OPTION_STORE) != NULL) {
		return session_option(session, OPTION_STORE);
	}
	return is_set("QUERYTRAIL_STORE") ? getenv("QUERYTRAIL_STORE") : NULL;
}

bool session_daemon_runs(const struct session *session)
{
	long pid;
	const char *dir = session_store_dir(session);
	return session->surroundings->served != NULL || (dir != NULL && writer_alive(dir, &pid));
}

/* The file with the key of the store: by the environment, else by the configuration that serve or the command line names; "" is none. */
static const char *store_key_file(struct session *session)
{
	const struct config *config = session->surroundings->config;
	if (session->surroundings->served == NULL && is_set("QUERYTRAIL_STORE_KEY_FILE")) {
		return getenv("QUERYTRAIL_STORE_KEY_FILE");
	}
	bool named = session_option(session, OPTION_CONFIG) != NULL || is_set("QUERYTRAIL_CONFIG");
	if (config == NULL && session->config == NULL && named) {
		struct error ignored; /* a command that needs it says so itself */
		(void)session_load_config(session, NULL, &ignored);
	}
	config = config != NULL ? config : session->config;
	return config != NULL ? config_text(config, "", "store_key_file") : "";
}

int session_read_store_key(struct session *session, struct secret *out, struct error *err)
{
	const char *path = store_key_file(session);
	secret_done(out);
	return path[0] != '\0' ? secret_read(out, path, err) : 0;
}

int session_open_store(struct session *session, struct error *err)
{
	struct secret key;
	secret_init(&key);
	int result = store_open(session_store_dir(session), STORE_READ, &session->store, err);
	result = result < 0 ? result : session_read_store_key(session, &key, err);
	if (result == 0 && key.len > 0) {
		result = store_use_key(session->store, secret_peek(&key), err);
	}
	secret_done(&key);
	return result;
}

const char *session_config_path(const struct session *session)
{
	if (session_option(session, OPTION_CONFIG) != NULL) {
		return session_option(session, OPTION_CONFIG);
	}
	return is_set("QUERYTRAIL_CONFIG") ? getenv("QUERYTRAIL_CONFIG") : SESSION_CONFIG_PATH;
}

int session_load_config(struct session *session, struct buf *out_report, struct error *err)
{
	if (session->config != NULL && out_report == NULL) {
		return 0; /* the key of the store was looked up in it */
	}
	config_free(session->config);
	session->config = NULL;
	return config_load(options_schema(), session_config_path(session), &session->config,
			   out_report, err);
}

static int one_bound(const struct session *session, enum option_id id, int64_t fallback,
		     int64_t *out_ns, struct error *err)
{
	struct when when;
	*out_ns = fallback;
	if (session_option(session, id) == NULL) {
		return 0;
	}
	int result = when_parse(str_of(session_option(session, id)), &session->zone,
				session->surroundings->now_ns, &when, err);
	if (result != 0) {
		error_prefix(err, "--%s", option_name(id));
		return result;
	}
	*out_ns = when.from_ns;
	return 0;
}

int session_range(const struct session *session, int64_t *out_from_ns, int64_t *out_to_ns,
		  struct error *err)
{
	int result = one_bound(session, OPTION_SINCE, INT64_MIN, out_from_ns, err);
	if (result == 0) {
		result = one_bound(session, OPTION_UNTIL, INT64_MAX, out_to_ns, err);
	}
	if (result == 0 && *out_from_ns >= *out_to_ns) {
		return error_set(err, ERR_USAGE, "--since %s is not before --until %s",
				 session_option(session, OPTION_SINCE),
				 session_option(session, OPTION_UNTIL));
	}
	return result;
}
