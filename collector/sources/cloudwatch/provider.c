#include "collector/sources/cloudwatch/provider.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/process.h"
#include "collector/sources/cloudwatch/awsfile.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>

#define FILE_MAX_BYTES  (1u << 20)
#define ROLE_DEPTH_MAX  4
#define PROCESS_WORDS   32
#define PROCESS_MAX_NS  (60 * NS_PER_SEC)
#define PROCESS_MAX_OUT 65536

static struct str environment(const char *name)
{
	return str_of(getenv(name));
}

int provider_environment(struct credentials *out, struct error *err)
{
	struct str id = environment("AWS_ACCESS_KEY_ID");
	struct str secret = environment("AWS_SECRET_ACCESS_KEY");

	if (id.len == 0 && secret.len == 0) {
		return -ERR_GONE;
	}
	struct credentials_parts parts = {.access_key_id = id,
					  .secret_key = secret,
					  .session_token = environment("AWS_SESSION_TOKEN"),
					  .from = "the environment"};
	return credentials_set(out, &parts, err);
}

int provider_web_identity(const struct credentials_options *options,
			  const struct credentials_reach *reach, struct credentials *out,
			  struct error *err)
{
	struct provider_role role = {.role_arn = environment("AWS_ROLE_ARN"),
				     .session_name = environment("AWS_ROLE_SESSION_NAME"),
				     .token_file = environment("AWS_WEB_IDENTITY_TOKEN_FILE")};

	if (role.token_file.len == 0 || role.role_arn.len == 0) {
		return -ERR_GONE;
	}
	return provider_assume_role(options, reach, &role, out, err);
}

/* The two shared files, read whole. */
struct shared_files {
	struct buf credentials, config;
};

struct search { /* one look into the profiles */
	const struct credentials_options *options;
	const struct credentials_reach *reach;
	const struct shared_files *files;
};

/* Appends a file; one that does not exist is empty. */
static int read_shared(const char *chosen, const char *variable, const char *below_home,
		       struct buf *out, struct error *err)
{
	struct buf path;
	const char *named = chosen != NULL && chosen[0] != '\0' ? chosen : getenv(variable);
	const char *home = getenv("HOME");
	int rc = 0;

	buf_init(&path, 4096);
	if (named != NULL && named[0] != '\0') {
		buf_put_text(&path, named);
	} else if (home != NULL) {
		buf_putf(&path, "%s/%s", home, below_home);
	}
	bool exists = path.len > 0 && !path.failed && access(path.ptr, F_OK) == 0;
	if (exists) {
		rc = io_read_file(path.ptr, FILE_MAX_BYTES, out, err);
	}
	if (rc != 0 || (!exists && chosen != NULL && chosen[0] != '\0')) {
		if (rc == 0) {
			(void)error_set(err, ERR_CONFIG, "there is no file %s", chosen);
		}
		err->code = ERR_CONFIG;
		rc = -ERR_CONFIG;
	}
	buf_done(&path);
	return rc;
}

/* A value of the profile: from the credentials file, else from the configuration file. */
static struct str profile_value(const struct shared_files *files, const char *profile,
				const char *key)
{
	struct str value = {0};

	if (!awsfile_get(buf_str(&files->credentials), profile, false, key, &value)) {
		(void)awsfile_get(buf_str(&files->config), profile, true, key,
				  &value); /* then it stays empty */
	}
	return value;
}

static int profile_keys(struct str text, const char *profile, bool prefixed,
			struct credentials *out, struct error *err)
{
	struct credentials_parts parts = {.from = prefixed ? "the shared configuration file"
							   : "the shared credentials file"};

	if (!awsfile_get(text, profile, prefixed, "aws_access_key_id", &parts.access_key_id)) {
		return -ERR_GONE;
	}
	(void)awsfile_get(text, profile, prefixed, "aws_secret_access_key", &parts.secret_key);
	(void)awsfile_get(text, profile, prefixed, "aws_session_token", &parts.session_token);
	return credentials_set(out, &parts, err);
}

/* Keys and credential_process of a profile, without roles. */
static int profile_static(const struct search *search, const char *profile, struct credentials *out,
			  struct error *err)
{
	const struct shared_files *files = search->files;

	int rc = profile_keys(buf_str(&files->credentials), profile, false, out, err);
	if (rc != -ERR_GONE) {
		return rc;
	}
	struct str command = profile_value(files, profile, "credential_process");
	if (command.len > 0) {
		return provider_process(command, search->reach, out, err);
	}
	return profile_keys(buf_str(&files->config), profile, true, out, err);
}

static int credential_source(const struct search *search, struct str name, struct credentials *out,
			     struct error *err)
{
	int rc = -ERR_GONE;

	if (str_is(name, "Environment")) {
		rc = provider_environment(out, err);
	} else if (str_is(name, "Ec2InstanceMetadata")) {
		rc = provider_instance(search->options, search->reach, out, err);
	} else if (str_is(name, "EcsContainer")) {
		rc = provider_container(search->reach, out, err);
	} else {
		return error_set(err, ERR_CONFIG, "credential_source %.*s is not known",
				 STR_ARG(name));
	}
	return rc != -ERR_GONE
		       ? rc
		       : error_set(err, ERR_AUTH, "credential_source %.*s has no credentials",
				   STR_ARG(name));
}

static int load_profile(const struct search *search, const char *profile, unsigned depth,
			struct credentials *out, struct error *err);

/* What the profile's role is assumed with: the credentials of its source. */
static int role_base(const struct search *search, const char *profile, unsigned depth,
		     struct credentials *out, struct error *err)
{
	struct str source = profile_value(search->files, profile, "source_profile");
	struct str place = profile_value(search->files, profile, "credential_source");
	char name[128];

	if (source.len == 0 && place.len > 0) {
		return credential_source(search, place, out, err);
	}
	if (source.len == 0 || source.len >= sizeof(name)) {
		return error_set(
			err, ERR_CONFIG,
			"profile %s has a role_arn but no source_profile or credential_source",
			profile);
	}
	memcpy(name, source.ptr, source.len);
	name[source.len] = '\0';
	int rc = strcmp(name, profile) == 0 ? profile_static(search, name, out, err)
					    : load_profile(search, name, depth + 1, out, err);
	return rc != -ERR_GONE
		       ? rc
		       : error_set(err, ERR_CONFIG, "source_profile %s has no credentials", name);
}

static int profile_role(const struct search *search, const char *profile, unsigned depth,
			struct credentials *out, struct error *err)
{
	const struct shared_files *files = search->files;
	struct provider_role role = {
		.role_arn = profile_value(files, profile, "role_arn"),
		.session_name = profile_value(files, profile, "role_session_name"),
		.external_id = profile_value(files, profile, "external_id"),
		.token_file = profile_value(files, profile, "web_identity_token_file"),
	};
	struct str duration = profile_value(files, profile, "duration_seconds");
	struct credentials base;

	if (role.role_arn.len == 0) {
		return -ERR_GONE;
	}
	if (duration.len > 0 && (!parse_i64(duration, &role.duration_s) || role.duration_s < 900 ||
				 role.duration_s > 43200)) {
		return error_set(err, ERR_CONFIG,
				 "duration_seconds of profile %s is not 900..43200", profile);
	}
	credentials_init(&base);
	int rc = 0;
	if (role.token_file.len == 0) {
		rc = role_base(search, profile, depth, &base, err);
		role.base = &base;
	}
	if (rc == 0) {
		rc = provider_assume_role(search->options, search->reach, &role, out, err);
	}
	credentials_done(&base);
	return rc;
}

static int load_profile(const struct search *search, const char *profile, unsigned depth,
			struct credentials *out, struct error *err)
{
	if (depth > ROLE_DEPTH_MAX) {
		return error_set(err, ERR_CONFIG,
				 "source_profile leads through more than %d profiles",
				 ROLE_DEPTH_MAX);
	}
	int rc = profile_role(search, profile, depth, out, err);
	return rc != -ERR_GONE ? rc : profile_static(search, profile, out, err);
}

int provider_profile(const struct credentials_options *options,
		     const struct provider_choice *choice, const struct credentials_reach *reach,
		     struct credentials *out, struct error *err)
{
	struct shared_files files;
	struct search search = {.options = options, .reach = reach, .files = &files};

	buf_init(&files.credentials, FILE_MAX_BYTES + 1);
	buf_init(&files.config, FILE_MAX_BYTES + 1);
	int rc = read_shared(options->credentials_file, "AWS_SHARED_CREDENTIALS_FILE",
			     ".aws/credentials", &files.credentials, err);
	if (rc == 0) {
		rc = read_shared(NULL, "AWS_CONFIG_FILE", ".aws/config", &files.config, err);
	}
	if (rc == 0) {
		rc = load_profile(&search, choice->profile, 0, out, err);
		bool named =
			options->credentials_file != NULL && options->credentials_file[0] != '\0';
		if (rc == -ERR_GONE && (choice->chosen || named)) {
			rc = error_set(err, ERR_CONFIG,
				       "profile %s has no credentials in the shared files",
				       choice->profile);
		}
	}
	if (files.credentials.ptr != NULL) {
		explicit_bzero(files.credentials.ptr, files.credentials.capacity);
	}
	if (files.config.ptr != NULL) {
		explicit_bzero(files.config.ptr, files.config.capacity);
	}
	buf_done(&files.credentials);
	buf_done(&files.config);
	return rc;
}

/* Splits a command line at white space outside quotes, in place: words end up NUL-terminated in text. */
static size_t split_words(struct str command, struct buf *text, size_t starts[PROCESS_WORDS])
{
	size_t count = 0;
	char quote = '\0';
	bool inside = false;

	for (size_t i = 0; i < command.len; i++) {
		char c = command.ptr[i];
		bool space = quote == '\0' && (c == ' ' || c == '\t');
		if (space && inside) {
			buf_put_byte(text, 0);
			inside = false;
		}
		if (space) {
			continue;
		}
		if (!inside) {
			if (count == PROCESS_WORDS - 1) {
				return 0;
			}
			starts[count++] = text->len;
			inside = true;
		}
		if (quote != '\0' ? c == quote : c == '"' || c == '\'') {
			quote = quote != '\0' ? '\0' : c;
		} else {
			buf_put_byte(text, (uint8_t)c);
		}
	}
	buf_put_byte(text, 0);
	return quote == '\0' ? count : 0;
}

/* Reads what the child writes until it ends or the time is over. */
static int read_output(struct process *child, int64_t timeout_ns, struct buf *out)
{
	int64_t end_ns = clock_monotonic_ns() + timeout_ns;

	for (;;) {
		struct pollfd ready = {.fd = child->out_fd, .events = POLLIN};
		int64_t left_ms = (end_ns - clock_monotonic_ns()) / NS_PER_MS;
		if (left_ms <= 0 || poll(&ready, 1, (int)left_ms) < 0) {
			return -1;
		}
		if (ready.revents == 0) {
			continue;
		}
		if (buf_reserve(out, 4096) != 0) {
			return -1;
		}
		ssize_t got = read(child->out_fd, out->ptr + out->len, 4096);
		if (got <= 0) {
			return (int)got;
		}
		out->len += (size_t)got;
		out->ptr[out->len] = '\0';
	}
}

static int run(const char *const *argv, int64_t timeout_ns, struct buf *output, struct error *err)
{
	struct process child = {.pid = -1, .in_fd = -1, .out_fd = -1};
	struct process_start how = {
		.path = argv[0], .argv = argv, .pipe_out = true, .out_fd = -1, .err_fd = -1};
	int status = 0;

	int rc = process_start(&how, &child, err);
	if (rc != 0) {
		return rc;
	}
	int read_rc = read_output(&child, timeout_ns, output);
	if (read_rc != 0 || !process_wait(&child, 1000, &status)) {
		(void)process_stop(&child, 100); /* whatever its status is */
		return error_set(err, ERR_AGAIN, "credential_process %s did not finish in time",
				 argv[0]);
	}
	(void)process_stop(&child, 0); /* closes the pipes */
	if (status != 0) {
		return error_set(err, ERR_AUTH, "credential_process %s ended with status %d",
				 argv[0], status);
	}
	return 0;
}

int provider_process(struct str command, const struct credentials_reach *reach,
		     struct credentials *out, struct error *err)
{
	size_t starts[PROCESS_WORDS];
	const char *argv[PROCESS_WORDS] = {0};
	struct buf text;
	struct buf output;
	int64_t timeout_ns =
		reach->timeout_ns < PROCESS_MAX_NS ? reach->timeout_ns : PROCESS_MAX_NS;

	buf_init(&text, 65536);
	buf_init(&output, PROCESS_MAX_OUT);
	size_t count = split_words(command, &text, starts);
	int rc = buf_check(&text, "credential_process", err);
	if (rc == 0 && (count == 0 || text.ptr[starts[0]] != '/')) {
		rc = error_set(
			err, ERR_CONFIG,
			"credential_process must begin with an absolute path and close its quotes");
	}
	if (rc == 0) {
		for (size_t i = 0; i < count; i++) {
			argv[i] = text.ptr + starts[i];
		}
		rc = run(argv, timeout_ns, &output, err);
	}
	if (rc == 0) {
		rc = credentials_from_json(out, buf_str(&output), "credential_process", err);
	}
	if (output.ptr != NULL) {
		explicit_bzero(output.ptr, output.capacity);
	}
	buf_done(&output);
	buf_done(&text);
	return rc;
}
