#include "tests/sim/scene.h"

#include "base/io.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define SQL_USER     "querytrail"
#define SQL_PASSWORD "Auditor-1"
#define PATH_BYTES   4096

static int path_in(const char *dir, const char *name, char out[PATH_BYTES], struct error *err)
{
	int size = snprintf(out, PATH_BYTES, "%s/%s", dir, name);
	return size > 0 && size < PATH_BYTES
		       ? 0
		       : error_set(err, ERR_LIMIT, "The path %s/%s is too long.", dir, name);
}

static int write_text(const char *dir, const char *name, struct str text, struct error *err)
{
	char path[PATH_BYTES];
	int result = path_in(dir, name, path, err);
	return result == 0 ? io_replace_file(path, text, 0600, err) : result;
}

/* The names that the incident's story needs, one "key value" a line, for the demo. */
static int write_story(const struct world *world, const char *dir, struct error *err)
{
	struct world_story story = world_story(world);
	struct buf text;
	buf_init(&text, 0);
	buf_putf(&text, "insider %.*s\nbypass_login %.*s\ntable %.*s\nextended_request_id %.*s\n",
		 STR_ARG(story.insider), STR_ARG(story.bypass_login), STR_ARG(story.table),
		 STR_ARG(story.extended_request_id));
	int result = write_text(dir, "story.txt", buf_str(&text), err);
	buf_done(&text);
	return result;
}

static int write_world(const struct world *world, const char *dir, struct error *err)
{
	static const struct {
		const char *name;
		int (*write)(const struct world *world, const char *path);
	} files[] = {{"truth.jsonl", world_write_truth},
		     {"access.log", world_write_access_log},
		     {"audit.jsonl", world_write_audit_rows}};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[PATH_BYTES];
		int result = path_in(dir, files[i].name, path, err);
		if (result == 0 && files[i].write(world, path) != 0) {
			result = error_errno(err, "%s cannot be written", path);
		}
		if (result != 0) {
			return result;
		}
	}
	int result = write_text(dir, "identity.yaml", world_identity_yaml(world), err);
	result = result == 0 ? write_text(dir, "signing.key", world_signing_key(world), err)
			     : result;
	result = result == 0 ? write_story(world, dir, err) : result;
	return result == 0 ? write_text(dir, "password", str_of(SQL_PASSWORD), err) : result;
}

static void put_gateway(const struct scene_options *options, const struct scene *scene,
			struct buf *out)
{
	const struct cloudwatch_options *cloudwatch = &options->cloudwatch;
	const char *scheme = cloudwatch->certificate_path != NULL ? "https" : "http";
	int64_t back = cloudwatch->clock.now_ns(cloudwatch->clock.owner) - options->world.from_ns;
	buf_putf(out, "  gateway:\n    type: cloudwatch\n    region: %s\n    log_group: %s\n",
		 cloudwatch->region, cloudwatch->log_group);
	const char *names[] = {"endpoint", "sts_endpoint", "imds_endpoint"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		buf_putf(out, "    %s: %s://127.0.0.1:%u\n", names[i], scheme,
			 scene->cloudwatch_port);
	}
	if (cloudwatch->certificate_path != NULL) {
		buf_putf(out, "    ca_file: %s\n", cloudwatch->certificate_path);
	}
	buf_putf(out, "    credentials_file: %s/aws-credentials\n    format: '", options->dir);
	buf_put_str(out, world_format(scene->world));
	buf_putf(out, "'\n    start: %llds\n", (long long)(back / NS_PER_SEC + 3600));
	/* quick, so that tests and the demo need not wait for what a real service would be spared */
	buf_put_text(out,
		     "    poll_interval: 250ms\n    settle_interval: 1s\n    settle_window: 25h\n"
		     "    settle_delay: 0s\n    requests_per_second: 200\n");
}

static void put_database(const struct scene_options *options, const struct scene *scene,
			 struct buf *out)
{
	int64_t skew_ns = options->world.server_skew_ns;
	buf_putf(out, "  database:\n    type: sqlserver\n    host: 127.0.0.1\n    port: %u\n",
		 scene->sql_port);
	buf_putf(out, "    user: %s\n    password_file: %s/password\n    ca_file: %s/ca.pem\n",
		 SQL_USER, options->dir, options->dir);
	buf_putf(out, "    audit: %.*s\n    poll_interval: 250ms\n    part_timeout: 5s\n",
		 STR_ARG(world_audit(scene->world)));
	if (options->sql.rds) {
		buf_put_text(out, "    adapter: rds\n");
	}
	if (options->sql.encryption == TDS_ENCRYPTION_OFF) {
		buf_put_text(out, "    encrypt: false\n");
	}
	if (skew_ns != 0) {
		buf_putf(out, "    clock_offset: %lldns\n    clock_ahead: %s\n",
			 (long long)(skew_ns < 0 ? -skew_ns : skew_ns),
			 skew_ns > 0 ? "true" : "false");
	}
}

static int write_config(const struct scene_options *options, const struct scene *scene,
			struct error *err)
{
	struct buf text;
	buf_init(&text, 0);
	buf_putf(&text, "store: %s/store\nruntime: %s/run\n", options->dir, options->dir);
	buf_putf(&text, "join:\n  signing_key_file: %s/signing.key\n", options->dir);
	buf_put_str(&text, world_identity_yaml(scene->world));
	buf_put_text(&text, "rules:\n  lists:\n    classified_tables: [crm.Customers]\n"
			    "    application_logins: [\"svc_*\"]\n");
	buf_put_text(&text, "sources:\n");
	put_gateway(options, scene, &text);
	put_database(options, scene, &text);
	int result = buf_check(&text, "querytrail.yaml", err);
	result = result == 0 ? write_text(options->dir, "querytrail.yaml", buf_str(&text), err)
			     : result;
	buf_clear(&text);
	buf_putf(&text, "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
		 options->cloudwatch.access_key, options->cloudwatch.secret_key);
	result = result == 0 ? write_text(options->dir, "aws-credentials", buf_str(&text), err)
			     : result;
	buf_done(&text);
	return result;
}

static int start_sql(const struct scene_options *options, struct scene *scene, struct error *err)
{
	struct tds_server_options sql = options->sql;
	char ca_path[PATH_BYTES];
	sql.world = scene->world;
	sql.user = SQL_USER;
	sql.password = SQL_PASSWORD;
	if (options->dir != NULL) {
		int result = path_in(options->dir, "ca.pem", ca_path, err);
		if (result != 0) {
			return result;
		}
		sql.ca_path = ca_path;
	}
	int result = tds_server_start(&sql, &scene->sql, &scene->sql_port, err);
	for (size_t i = 0; i < options->sql_fault_count && result == 0; i++) {
		result = tds_server_fault(scene->sql, str_of(options->sql_faults[i]), err);
	}
	return result;
}

static int sql_fault(void *owner, struct str line, struct error *err)
{
	return tds_server_fault(owner, line, err);
}

static void put_sql_stats(void *owner, struct buf *out)
{
	struct tds_server_counts counts = tds_server_counts(owner);
	const struct {
		const char *name;
		uint64_t value;
	} members[] = {
		{"connections", counts.connections},
		{"logins", counts.logins},
		{"refused_logins", counts.refused_logins},
		{"batches", counts.batches},
		{"rpcs", counts.rpcs},
		{"attentions", counts.attentions},
		{"rows", counts.rows},
		{"errors", counts.errors},
	};
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		buf_putf(out, "%s\"%s\":", i > 0 ? "," : "{", members[i].name);
		buf_put_u64(out, members[i].value);
	}
	buf_put_byte(out, '}');
}

static int start_cloudwatch(const struct scene_options *options, struct scene *scene,
			    struct error *err)
{
	struct cloudwatch_options cloudwatch = options->cloudwatch;
	char secret[256];
	cloudwatch.world = scene->world;
	(void)snprintf(secret, sizeof(secret), /* cannot be cut: all parts are short */
		       "{\"engine\":\"sqlserver\",\"host\":\"127.0.0.1\",\"port\":\"%u\","
		       "\"username\":\"%s\",\"password\":\"%s\",\"dbname\":\"master\"}",
		       scene->sql_port, SQL_USER, SQL_PASSWORD);
	cloudwatch.secret_text = secret;
	cloudwatch.sql = (struct cloudwatch_neighbour){sql_fault, put_sql_stats, scene->sql};
	int result =
		cloudwatch_start(&cloudwatch, &scene->cloudwatch, &scene->cloudwatch_port, err);
	if (result != 0 || options->faults_path == NULL) {
		return result;
	}
	struct buf script;
	buf_init(&script, 0);
	result = io_read_file(options->faults_path, 1 << 20, &script, err);
	result = result == 0 ? cloudwatch_fault(scene->cloudwatch, buf_str(&script), err) : result;
	buf_done(&script);
	return result;
}

static int write_files(const struct scene_options *options, const struct scene *scene,
		       struct error *err)
{
	if (options->dir == NULL) {
		return 0;
	}
	int result = write_world(scene->world, options->dir, err);
	return result == 0 ? write_config(options, scene, err) : result;
}

/* Makes the folder and sets *path to its absolute path: relative ones in querytrail.yaml would begin at the file's own folder. */
static int make_folder(const char **path, char absolute[PATH_MAX], struct error *err)
{
	if (*path == NULL) {
		return 0;
	}
	int result = io_make_dir(*path, 0700, err);
	if (result == 0 && realpath(*path, absolute) == NULL) {
		result = error_errno(err, "%s", *path);
	}
	*path = absolute;
	return result;
}

int scene_open(const struct scene_options *options, struct scene *out_scene, struct error *err)
{
	struct scene scene = {.world = world_new(&options->world)};
	struct scene_options rooted = *options;
	char absolute[PATH_MAX];
	if (scene.world == NULL) {
		return error_set(err, ERR_NOMEM, "No memory for a world of %u requests.",
				 options->world.request_count);
	}
	int result = make_folder(&rooted.dir, absolute, err);
	result = result == 0 ? start_sql(&rooted, &scene, err) : result;
	result = result == 0 ? start_cloudwatch(&rooted, &scene, err) : result;
	result = result == 0 ? write_files(&rooted, &scene, err) : result;
	if (result != 0) {
		scene_close(&scene);
		return result;
	}
	*out_scene = scene;
	return 0;
}

int scene_command(struct scene *scene, struct str line, struct error *err)
{
	struct str rest = str_trim(line);
	struct str who = str_split(&rest, ' ');
	if (str_is(who, "sql")) {
		return tds_server_fault(scene->sql, rest, err);
	}
	if (str_is(who, "cloudwatch")) {
		return cloudwatch_fault(scene->cloudwatch, rest, err);
	}
	return error_set(err, ERR_INPUT, "There is no server \"%.*s\" here.", STR_ARG(who));
}

void scene_close(struct scene *scene)
{
	cloudwatch_stop(scene->cloudwatch);
	tds_server_stop(scene->sql);
	world_free(scene->world);
	*scene = (struct scene){0};
}
