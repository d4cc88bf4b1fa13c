#include "collector/sources/sqlserver/tdslogin.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/secret.h"
#include "collector/sources/sqlserver/hangup.h"
#include "collector/sources/sqlserver/tlsprobe.h"

#define MSDBLIB 1
#include <sybfront.h>

#include <sybdb.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"
#define SECTION        "querytrail"
#define HOST_MAX_BYTES 200 /* FreeTDS reads lines of 255 bytes */
#define PEM_MAX_BYTES  65536
#define CONF_MAX_BYTES 4096

void tdslogin_clear_environment(void)
{
	static const char *const names[] = {"TDSVER",  "TDSPORT",       "TDSHOST",     "TDSQUERY",
					    "TDSDUMP", "TDSDUMPCONFIG", "FREETDSCONF", "FREETDS",
					    "DSQUERY", "SYBASE"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)unsetenv(names[i]); /* fails only for malformed names */
	}
}

/* What FreeTDS would take for the end of the value, a comment, or a second word. */
bool tdslogin_is_host(const char *host)
{
	size_t len = strlen(host);
	return len > 0 && len <= HOST_MAX_BYTES &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    ".-_:%") == len;
}

/* A file in memory that FreeTDS and GnuTLS can open by the path /proc/self/fd/N. */
static int memory_file(const char *name, struct str text, int *out_fd, struct error *err)
{
	*out_fd = memfd_create(name, MFD_CLOEXEC);
	if (*out_fd < 0) {
		return error_errno(err, "a file in memory for FreeTDS");
	}
	return io_write_all(*out_fd, text, err);
}

static const char *ca_file_of(const struct tdslogin *login)
{
	const char *path = login->options->ca_file;
	return path != NULL && path[0] != '\0' ? path : SYSTEM_CA_FILE;
}

static struct tlsprobe_target tlsprobe_target(const struct tdslogin *login, const char *name)
{
	return (struct tlsprobe_target){
		.host = login->options->host,
		.port = login->options->port,
		.name = name,
		.ca_file = ca_file_of(login),
		.deadline_ns = login->deadline_ns,
	};
}

/* The name that must be in the certificate when FreeTDS cannot check it by itself, else NULL. */
static const char *other_name(const struct tdslogin *login)
{
	const char *name = login->options->certificate_host;
	if (name == NULL || name[0] == '\0' ||
	    str_equal_fold(str_of(name), str_of(login->options->host))) {
		return NULL;
	}
	return name;
}

/* Opens what FreeTDS shall trust: the authorities, or one certificate that was verified already. A path of the operator's may
 * hold what ends a value in FreeTDS's file, hence the descriptor. */
static int open_trust(const struct tdslogin *login, int *out_fd, struct error *err)
{
	const char *name = other_name(login);
	if (name == NULL) {
		*out_fd = open(ca_file_of(login), O_RDONLY | O_CLOEXEC);
		if (*out_fd < 0) {
			return error_set(err, ERR_CONFIG, "ca_file %s: %s", ca_file_of(login),
					 strerror(errno));
		}
		return 0;
	}
	struct tlsprobe_target target = tlsprobe_target(login, name);
	struct buf pem;
	buf_init(&pem, PEM_MAX_BYTES);
	int status = tlsprobe_run(&target, &pem, err);
	if (status == 0) {
		status = buf_check(&pem, "the server's certificate", err);
	}
	if (status == 0) {
		status = memory_file("querytrail-peer", buf_str(&pem), out_fd, err);
	}
	buf_done(&pem);
	return status;
}

static void put_conf(const struct tdslogin *login, int trust_fd, struct buf *out)
{
	buf_putf(out,
		 "[" SECTION "]\n"
		 "host = %s\n"
		 "port = %u\n"
		 "tds version = 7.4\n"
		 "client charset = UTF-8\n",
		 login->options->host, login->options->port);
	if (!login->options->encrypt) {
		buf_put_text(out, "encryption = off\n");
		return;
	}
	buf_putf(out,
		 "encryption = require\n"
		 "ca file = /proc/self/fd/%d\n"
		 "check certificate hostname = %s\n",
		 trust_fd, other_name(login) == NULL ? "yes" : "no");
}

/* Fills in the record. The password is wiped here; FreeTDS wipes its copy with the record. */
static int fill_record(const struct tdslogin *login, LOGINREC *record, struct error *err)
{
	struct secret password;
	secret_init(&password);
	int status = secret_read(&password, login->options->password_file, err);
	if (status != 0) {
		return status;
	}
	bool ok = DBSETLUSER(record, login->options->user) == SUCCEED &&
		  DBSETLPWD(record, secret_peek(&password).ptr) == SUCCEED &&
		  DBSETLDBNAME(record, login->options->database) == SUCCEED &&
		  DBSETLAPP(record, "querytrail") == SUCCEED &&
		  DBSETLVERSION(record, DBVERSION_74) == SUCCEED;
	secret_done(&password);
	return ok ? 0 : dbhandler_error(login->handler, login->where, err);
}

/* Whole seconds until the deadline, at least one: FreeTDS counts in seconds and takes 0 for ever. */
static int seconds_left(const struct tdslogin *login)
{
	int64_t seconds = (login->deadline_ns - clock_monotonic_ns() + NS_PER_SEC - 1) / NS_PER_SEC;
	return seconds < 1 ? 1 : (int)seconds;
}

static int log_in(const struct tdslogin *login, int conf_fd, DBPROCESS **out_process,
		  struct error *err)
{
	char conf[64];
	snprintf(conf, sizeof(conf), "/proc/self/fd/%d", conf_fd);
	dbsetifile(conf);
	dbsetlogintime(seconds_left(login));
	LOGINREC *record = dblogin();
	if (record == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a login");
	}
	dbhandler_clear(login->handler);
	dbhandler_set_login(login->handler);
	int status = fill_record(login, record, err);
	if (status == 0) {
		hangup_arm(login->deadline_ns, -1);
		DBPROCESS *process = dbopen(record, SECTION);
		login->handler->timed_out |= hangup_disarm();
		if (process == NULL) {
			status = dbhandler_error(login->handler, login->where, err);
		} else {
			*out_process = process;
		}
	}
	dbloginfree(record);
	dbhandler_set_login(NULL);
	return status;
}

/* FreeTDS says of every TLS failure only that the login failed: asks again, without a login, what it is. */
static int explain(const struct tdslogin *login, int status, struct error *err)
{
	const struct dbhandler *handler = login->handler;
	if (!login->options->encrypt || other_name(login) != NULL || handler->message != 0 ||
	    handler->timed_out || handler->system != 0) {
		return status;
	}
	struct error why = {0};
	struct tlsprobe_target target = tlsprobe_target(login, login->options->host);
	int verdict = tlsprobe_run(&target, NULL, &why);
	if (verdict == -ERR_CONFIG) {
		return error_set(err, ERR_CONFIG, "%s", why.text);
	}
	return status;
}

int tdslogin_open(const struct tdslogin *login, struct tds_dblib_dbprocess **out_process,
		  struct error *err)
{
	IO_CLOSE int trust_fd = -1;
	IO_CLOSE int conf_fd = -1;
	struct buf conf;
	buf_init(&conf, CONF_MAX_BYTES);
	int status = login->options->encrypt ? open_trust(login, &trust_fd, err) : 0;
	if (status == 0) {
		put_conf(login, trust_fd, &conf);
		status = buf_check(&conf, "the configuration of FreeTDS", err);
	}
	if (status == 0) {
		status = memory_file("querytrail-tds", buf_str(&conf), &conf_fd, err);
	}
	buf_done(&conf);
	if (status == 0) {
		status = log_in(login, conf_fd, out_process, err);
		if (status == -ERR_AGAIN) {
			status = explain(login, status, err);
		}
	}
	return status;
}
