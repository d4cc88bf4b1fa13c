#include "tests/sim/arguments.h"

#include "base/parse.h"

#include <argp.h>

enum option_key {
	KEY_SEED = 's',
	KEY_REQUESTS = 'n',
	KEY_DIR = 'd',
	KEY_FROM = 256,
	KEY_TO,
	KEY_SPEED,
	KEY_LIVE,
	KEY_SKEW,
	KEY_STALE,
	KEY_LOST,
	KEY_LATE,
	KEY_LATE_MAX,
	KEY_PLAIN,
	KEY_NO_INCIDENT,
	KEY_CERT,
	KEY_KEY,
	KEY_FAULTS,
	KEY_CLOUDWATCH_PORT,
	KEY_SQL_PORT,
	KEY_SQL_FAULT,
	KEY_SQL_TLS,
	KEY_SQL_RELEASE,
	KEY_RDS,
};

static const struct argp_option option_list[] = {
	{"seed", KEY_SEED, "N", 0, "The seed of the world (1)", 0},
	{"requests", KEY_REQUESTS, "N", 0, "How many requests there are (2000)", 0},
	{"dir", KEY_DIR, "DIR", 0,
	 "Write the truth, the lines and rows, keys and querytrail.yaml here", 0},
	{"from", KEY_FROM, "TIME", 0, "Begin of the world, RFC 3339 (24 hours before --to)", 0},
	{"to", KEY_TO, "TIME", 0, "End of the world (now)", 0},
	{"speed", KEY_SPEED, "X", 0,
	 "World time passes X times as fast as the clock, from now on; 0: all is visible at once "
	 "(0)",
	 0},
	{"live", KEY_LIVE, "DURATION", 0, "The world begins now, at speed 1, and lasts this long",
	 0},
	{"skew", KEY_SKEW, "MS", 0, "The SQL Server's clock is this much ahead (0)", 0},
	{"stale", KEY_STALE, "PERMILLE", 0, "Requests that forget to set their context (5)", 0},
	{"lost", KEY_LOST, "PERMILLE", 0, "Access log lines that never arrive (2)", 0},
	{"late", KEY_LATE, "PERMILLE", 0, "Access log lines that arrive late (0)", 0},
	{"late-max", KEY_LATE_MAX, "DURATION", 0, "How late they are at most (10m)", 0},
	{"plain", KEY_PLAIN, NULL, 0, "No hostile text, no forgeries, nothing lost or stale", 0},
	{"no-incident", KEY_NO_INCIDENT, NULL, 0, "Nothing worth an alert happens", 0},
	{"cert", KEY_CERT, "FILE", 0, "CloudWatch by HTTPS with this certificate (PEM)", 1},
	{"key", KEY_KEY, "FILE", 0, "Its key (PEM)", 1},
	{"faults", KEY_FAULTS, "FILE", 0, "A script of faults for CloudWatch (JSON)", 1},
	{"cloudwatch-port", KEY_CLOUDWATCH_PORT, "PORT", 0, "Port of CloudWatch (a free one)", 1},
	{"sql-port", KEY_SQL_PORT, "PORT", 0, "Port of the SQL Server (a free one)", 2},
	{"sql-fault", KEY_SQL_FAULT, "WORDS", 0, "A fault of the SQL Server (see tests/sim/tds.h)",
	 2},
	{"tls-sql", KEY_SQL_TLS, "HOW", 0, "required, optional or off (required)", 2},
	{"sql-release", KEY_SQL_RELEASE, "YEAR", 0, "2008, 2012, 2016, 2017, 2019 or 2022 (2022)",
	 2},
	{"rds", KEY_RDS, NULL, 0, "The SQL Server is one of Amazon RDS", 2},
	{0},
};

static uint64_t number(struct argp_state *state, const char *text, uint64_t max)
{
	uint64_t value = 0;
	if (!parse_u64(str_of(text), &value) || value > max) {
		argp_error(state, "\"%s\" is no number up to %llu", text, (unsigned long long)max);
	}
	return value;
}

static int64_t duration(struct argp_state *state, const char *text)
{
	int64_t value = 0;
	if (!clock_parse_duration(str_of(text), &value) || value <= 0) {
		argp_error(state, "\"%s\" is no duration, like 30s", text);
	}
	return value;
}

static int64_t point(struct argp_state *state, const char *text)
{
	int64_t value = 0;
	if (!clock_parse_rfc3339(str_of(text), &value)) {
		argp_error(state, "\"%s\" is no time, like 2026-11-22T10:00:00Z", text);
	}
	return value;
}

static void set_plain(struct world_options *world)
{
	world->hostile = false;
	world->stale_permille = 0;
	world->lost_permille = 0;
	world->late_permille = 0;
}

static void set_encryption(struct argp_state *state, const char *text,
			   struct scene_options *options)
{
	struct str how = str_of(text);
	if (str_is(how, "required")) {
		options->sql.encryption = TDS_ENCRYPTION_REQUIRED;
	} else if (str_is(how, "optional")) {
		options->sql.encryption = TDS_ENCRYPTION_OPTIONAL;
	} else if (str_is(how, "off")) {
		options->sql.encryption = TDS_ENCRYPTION_OFF;
	} else {
		argp_error(state, "--tls-sql is required, optional or off");
	}
}

static bool take_server(int key, char *text, struct argp_state *state)
{
	struct scene_options *options = state->input;
	switch (key) {
	case KEY_CERT:
		options->cloudwatch.certificate_path = text;
		return true;
	case KEY_KEY:
		options->cloudwatch.key_path = text;
		return true;
	case KEY_FAULTS:
		options->faults_path = text;
		return true;
	case KEY_CLOUDWATCH_PORT:
		options->cloudwatch.port = (uint16_t)number(state, text, 65535);
		return true;
	case KEY_SQL_PORT:
		options->sql.port = (uint16_t)number(state, text, 65535);
		return true;
	case KEY_SQL_FAULT:
		if (options->sql_fault_count == SCENE_SQL_FAULTS_MAX) {
			argp_error(state, "more than %d faults", SCENE_SQL_FAULTS_MAX);
		}
		options->sql_faults[options->sql_fault_count++] = text;
		return true;
	case KEY_SQL_TLS:
		set_encryption(state, text, options);
		return true;
	case KEY_SQL_RELEASE:
		options->sql.release = (int)number(state, text, 9999);
		return true;
	case KEY_RDS:
		options->sql.rds = true;
		options->sql.rds_retention = true;
		return true;
	default:
		return false;
	}
}

static bool take_fault(int key, char *text, struct argp_state *state)
{
	struct world_options *world = &((struct scene_options *)state->input)->world;
	int64_t skew_ms = 0;
	switch (key) {
	case KEY_SKEW:
		if (!parse_i64(str_of(text), &skew_ms) || skew_ms > 86400000 ||
		    skew_ms < -86400000) {
			argp_error(state, "\"%s\" is no number of milliseconds", text);
		}
		world->server_skew_ns = skew_ms * NS_PER_MS;
		return true;
	case KEY_STALE:
		world->stale_permille = (uint32_t)number(state, text, 1000);
		return true;
	case KEY_LOST:
		world->lost_permille = (uint32_t)number(state, text, 1000);
		return true;
	case KEY_LATE:
		world->late_permille = (uint32_t)number(state, text, 1000);
		return true;
	case KEY_LATE_MAX:
		world->late_max_ns = duration(state, text);
		return true;
	case KEY_PLAIN:
		set_plain(world);
		return true;
	case KEY_NO_INCIDENT:
		world->incident = false;
		return true;
	default:
		return take_server(key, text, state);
	}
}

static void take_speed(struct argp_state *state, const char *text, struct world_options *world)
{
	int64_t milli = 0;
	if (!parse_decimal(str_of(text), 1000, &milli) || milli < 0) {
		argp_error(state, "\"%s\" is no speed", text);
	}
	world->visible_speed = (double)milli / 1000.0;
}

static error_t take_option(int key, char *text, struct argp_state *state)
{
	struct scene_options *options = state->input;
	struct world_options *world = &options->world;
	int64_t now_ns = clock_now_ns();
	switch (key) {
	case KEY_SEED:
		world->seed = number(state, text, UINT64_MAX);
		break;
	case KEY_REQUESTS:
		world->request_count = (uint32_t)number(state, text, 2000000);
		break;
	case KEY_DIR:
		options->dir = text;
		break;
	case KEY_FROM:
		world->from_ns = point(state, text);
		break;
	case KEY_TO:
		world->to_ns = point(state, text);
		break;
	case KEY_SPEED:
		take_speed(state, text, world);
		break;
	case KEY_LIVE:
		world->from_ns = now_ns;
		world->to_ns = now_ns + duration(state, text);
		world->visible_speed = 1;
		break;
	case ARGP_KEY_END:
		world->from_ns = world->from_ns != 0 ? world->from_ns : world->to_ns - NS_PER_DAY;
		if (world->to_ns - world->from_ns < NS_PER_SEC) {
			argp_error(state, "--to must be at least a second after --from");
		}
		world->visible_base_ns = world->from_ns;
		world->wall_start_ns = now_ns;
		break;
	default:
		return take_fault(key, text, state) ? 0 : ARGP_ERR_UNKNOWN;
	}
	return 0;
}

void arguments_read(int argc, char **argv, struct scene_options *out_options)
{
	static const struct argp argp = {
		.options = option_list,
		.parser = take_option,
		.doc = "Simulates CloudWatch Logs and a SQL Server over one made-up company.\v"
		       "Prints one line when ready, serves until SIGTERM or the end of its input."};
	struct scene_options options = {.world = world_defaults(1, 2000, clock_now_ns()),
					.cloudwatch = cloudwatch_defaults(NULL),
					.sql = tds_server_defaults(NULL)};
	options.world.from_ns = 0; /* set at the end, from --to */
	options.world.late_max_ns = 10 * NS_PER_MIN;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	*out_options = options;
}
