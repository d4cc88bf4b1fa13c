/* faults-access - wrong passwords and keys, certificates of others: the source is told as failed with its cause, nothing is taken from
 * a server that is not the right one, and with the right ones and SIGHUP it collects all. Speaks TAP. */
#include "tests/stage/same.h"
#include "tests/stage/tap.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define LIMIT_MS 15000
#define CONFIG   "company/querytrail.yaml"

static void reload(struct stage *stage)
{
	(void)kill(stage->daemon.pid, SIGHUP); /* a daemon that is gone shows in what follows */
}

/* Nothing was stored of a source. */
static bool is_untouched(const struct stage *stage, const char *name)
{
	struct store_source source;
	return !stage_source(stage, name, &source) || source.stored == 0;
}

static bool failed(const struct stage *stage, const char *name, const char *why)
{
	struct store_source source;
	bool good = stage_wait_state(stage, name, "failed", why, LIMIT_MS);
	if (!good && stage_source(stage, name, &source)) {
		printf("# %s is %s: %s\n", name, source.state, source.state_text);
	}
	return good && is_untouched(stage, name);
}

/* A self-signed certificate for a name, as FOLDER/name.pem and FOLDER/name.key. */
static bool make_certificate(struct stage *stage, const char *name, const char *subject)
{
	char pem[STAGE_PATH_MAX], key[STAGE_PATH_MAX], file[64];
	(void)snprintf(file, sizeof(file), "%s.pem", name); /* fits */
	(void)stage_path(stage, file, pem);
	(void)snprintf(file, sizeof(file), "%s.key", name); /* fits */
	const char *argv[] = {"openssl",  "req",
			      "-x509",    "-newkey",
			      "rsa:2048", "-nodes",
			      "-days",    "2",
			      "-subj",    "/CN=sim",
			      "-addext",  subject,
			      "-keyout",  stage_path(stage, file, key),
			      "-out",     pem,
			      NULL};
	struct process_start how = {.path = "/usr/bin/openssl",
				    .argv = argv,
				    .out_fd = stage->log,
				    .err_fd = stage->log};
	struct process process;
	int status = -1;
	if (process_start(&how, &process, NULL) == 0) {
		(void)process_wait(&process, -1, &status); /* waits for ever */
	}
	return status == 0;
}

static void expect_all(struct stage *stage, struct tap *tap, const char *what)
{
	tap_check(tap,
		  stage_settle(stage, 1000, LIMIT_MS) && stage_stop_daemon(stage) == 0 &&
			  same_all(stage, "gateway", "company/access.log") &&
			  same_all(stage, "database", "company/audit.jsonl"),
		  what);
}

static void wrong_words(struct tap *tap)
{
	const char *company[] = {"--requests", "300", NULL};
	struct stage stage;
	struct buf password, keys;
	int before = tap->failures;
	stage_init(&stage, "faults-access");
	stage_start_company(&stage, company);
	stage_read(&stage, "company/password", &password);
	stage_read(&stage, "company/aws-credentials", &keys);
	stage_write(&stage, "company/password", STR_LIT("Auditor-2-wrong"));
	stage_write(&stage, "company/aws-credentials",
		    STR_LIT("[default]\naws_access_key_id = AKIASIMULATED0000001\n"
			    "aws_secret_access_key = wrong-all-the-way\n"));
	stage_start_daemon(&stage, CONFIG, true);
	tap_check(tap, failed(&stage, "database", "18456"), "a wrong password is told");
	tap_check(tap, failed(&stage, "gateway", "ignature"), "a wrong secret key is told");
	tap_check(tap,
		  !stage_wait_said(&stage, "Auditor-2", 0, 0) &&
			  !stage_wait_said(&stage, "wrong-all-the-way", 0, 0),
		  "and neither is shown");
	stage_write(&stage, "company/aws-credentials",
		    STR_LIT("[default]\naws_access_key_id = AKIANOBODY\n"
			    "aws_secret_access_key = x\n"));
	reload(&stage);
	tap_check(tap, failed(&stage, "gateway", "UnrecognizedClient"), "an unknown key is told");
	stage_write(&stage, "company/password", buf_str(&password));
	stage_write(&stage, "company/aws-credentials", buf_str(&keys));
	reload(&stage);
	expect_all(&stage, tap, "with the right ones all is collected, once");
	buf_done(&password);
	buf_done(&keys);
	stage_done(&stage, tap->failures != before);
}

static void wrong_certificates(struct tap *tap)
{
	struct stage stage;
	char pem[STAGE_PATH_MAX], key[STAGE_PATH_MAX];
	int before = tap->failures;
	stage_init(&stage, "faults-access");
	const char *company[] = {"--requests", "300",
				 "--cert",     stage_path(&stage, "good.pem", pem),
				 "--key",      stage_path(&stage, "good.key", key),
				 NULL};
	bool made = make_certificate(&stage, "good", "subjectAltName=IP:127.0.0.1") &&
		    make_certificate(&stage, "other", "subjectAltName=IP:127.0.0.1");
	stage_start_company(&stage, company);
	stage_edit(&stage, CONFIG, "stranger.yaml", "/good.pem", "/other.pem");
	stage_command(&stage, "sql bad-certificate kind=ca");
	stage_start_daemon(&stage, "stranger.yaml", true);
	tap_check(tap, made && failed(&stage, "gateway", "certificate"),
		  "CloudWatch with a certificate of an unknown authority is refused");
	tap_check(tap, failed(&stage, "database", "certificate"),
		  "SQL Server with a certificate of an unknown authority is refused");
	stage_command(&stage, "sql bad-certificate kind=name");
	stage_edit(&stage, "stranger.yaml", "stranger.yaml", "/other.pem", "/good.pem");
	stage_edit(&stage, "stranger.yaml", "stranger.yaml", "endpoint: https://127.0.0.1",
		   "endpoint: https://localhost");
	reload(&stage);
	tap_check(tap, failed(&stage, "gateway", "localhost"),
		  "CloudWatch with a certificate of another name is refused");
	tap_check(tap, failed(&stage, "database", "other.invalid"),
		  "SQL Server with a certificate of another name is refused");
	stage_command(&stage, "sql bad-certificate kind=expired");
	reload(&stage);
	tap_check(tap, failed(&stage, "database", "expired"),
		  "SQL Server with a certificate of the past is refused");
	stage_command(&stage, "sql clear");
	stage_command(&stage, "sql no-encryption");
	reload(&stage);
	tap_check(tap, failed(&stage, "database", "does not offer encryption"),
		  "SQL Server that wants clear text is refused");
	stage_command(&stage, "sql clear");
	stage_edit(&stage, "stranger.yaml", "stranger.yaml", "endpoint: https://localhost",
		   "endpoint: https://127.0.0.1");
	reload(&stage);
	expect_all(&stage, tap, "with the right ones all is collected, once");
	stage_done(&stage, tap->failures != before);
}

int main(void)
{
	struct tap tap = {0};
	wrong_words(&tap);
	wrong_certificates(&tap);
	return tap_end(&tap);
}
