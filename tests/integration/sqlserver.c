/* The sqlserver source against a simulated SQL Server: every audit row once, and every fault said and survived. */
#include "tests/integration/sqlserver-site.h"

static uint32_t row_count(const struct site *site)
{
	uint32_t count;
	(void)world_rows(site->world, &count);
	return count;
}

static uint32_t statement_count(const struct site *site)
{
	uint32_t count;
	(void)world_statements(site->world, &count);
	return count;
}

/* The record says what the world's rows say, bit for bit. */
static void compare(struct site *site, const struct record *record)
{
	uint32_t count;
	const struct world_row *rows = world_rows(site->world, &count);
	const struct world_statement *statements = world_statements(site->world, &count);
	int64_t transaction = record_number(record, FIELD_transaction_id, -1);
	for (uint32_t i = 0; i < count; i++) {
		const struct world_row *first = &rows[statements[i].first_row];
		if (first->transaction_id != transaction) {
			continue;
		}
		struct buf text;
		buf_init(&text, 0);
		for (uint32_t part = 0; part < statements[i].row_count; part++) {
			buf_put_str(&text, first[part].statement_text);
		}
		assert_true(str_equal(record_text(record, FIELD_statement), buf_str(&text)));
		buf_done(&text);
		assert_true(record->time_ns == first->time_ns);
		assert_true(str_equal(record_text(record, FIELD_principal), first->principal));
		assert_true(str_equal(record_text(record, FIELD_application), first->application));
		assert_true(str_equal(record_text(record, FIELD_session_context),
				      first->session_context));
		assert_true(str_equal(record_text(record, FIELD_object), first->object));
		assert_int_equal(record_number(record, FIELD_file_offset, -1), first->offset);
		assert_int_equal(record_number(record, FIELD_session_id, -1), first->session_id);
		assert_int_equal(record_number(record, FIELD_incomplete, 0), 0);
		return;
	}
	fail_msg("no statement has transaction %lld", (long long)transaction);
}

static void check_complete(struct site *site)
{
	assert_int_equal(site->raw_rows, row_count(site));
	assert_int_equal(site->statements, statement_count(site));
	assert_int_equal(site->repeats, 0);
	assert_int_equal(site->gaps, 0);
	assert_int_equal(site->rejects, 0);
}

/* Over verified TLS each row arrives once and bit for bit, split statements whole; a second pass adds nothing. */
static void test_every_row(void **state)
{
	(void)state;
	static struct site site;
	site_init(&site, 400);
	site.on_statement = compare;
	site_start(&site);
	site_open(&site, "localhost", "    batch_rows: 100\n");
	site_drain(&site, 0);
	check_complete(&site);
	assert_true(site.batch.done);
	assert_true(site_has(&site.notes, "reading from"));
	site_drain(&site, 0);
	assert_int_equal(site.repeats, 0);
	/* Read again from the start, every key is one that is known. */
	buf_clear(&site.cursor);
	site_drain(&site, 0);
	assert_int_equal(site.repeats, statement_count(&site));
	assert_int_equal(site.statements, statement_count(&site));
	site_done(&site);
}

/* Every release's columns work, and both adapters. */
static void test_releases(void **state)
{
	(void)state;
	static const int releases[] = {2008, 2012, 2016, 2017, 2019, 2022};
	static struct site site;
	for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
		site_init(&site, 40);
		site.options.release = releases[i];
		site_start(&site);
		site_open(&site, "127.0.0.1", "");
		site_drain(&site, 0);
		assert_int_equal(site.raw_rows, row_count(&site));
		assert_int_equal(site.gaps + site.rejects + site.repeats, 0);
		site_done(&site);
	}
	site_init(&site, 100);
	site.options.rds = site.options.rds_retention = true;
	site_start(&site);
	site_open(&site, "localhost", "    adapter: rds\n    batch_rows: 50\n");
	site_drain(&site, 0);
	check_complete(&site);
	site_done(&site);
}

/* Restarted after each batch, the source goes on where the committed cursor says. */
static void test_restarts(void **state)
{
	(void)state;
	static struct site site;
	site_init(&site, 60);
	site_start(&site);
	do {
		site_open(&site, "localhost", "    batch_rows: 17\n");
		assert_int_equal(site_fetch(&site), 0);
	} while (!site.batch.done);
	check_complete(&site);
	site_done(&site);
}

static void expect(struct site *site, int status, const char *text)
{
	int got = site_fetch(site);
	if (got != -status || strstr(site->err.text, text) == NULL) {
		print_message("status %d: %s\n", got, site->err.text);
	}
	assert_int_equal(got, -status);
	assert_non_null(strstr(site->err.text, text));
	assert_int_equal(site->statements, 0);
}

/* A wrong password is the server's own text and ERR_AUTH; the right one afterwards works. */
static void test_wrong_password(void **state)
{
	(void)state;
	static struct site site;
	site_init(&site, 20);
	site_start(&site);
	site_write(site.password_path, "wrong");
	site_open(&site, "localhost", "");
	expect(&site, ERR_AUTH, "18456");
	assert_non_null(strstr(site.err.text, "Login failed for user"));
	assert_null(strstr(site.err.text, "wrong"));
	site_write(site.password_path, "Auditor-1");
	site_drain(&site, 0);
	check_complete(&site);
	site_done(&site);
}

/* What is wrong with a certificate is said: another name, an unknown authority, out of date. */
static void test_certificates(void **state)
{
	(void)state;
	static struct site site;
	site_init(&site, 20);
	site_start(&site);
	site_open(&site, "localhost", "");
	site_fault(&site, "bad-certificate kind=name");
	expect(&site, ERR_CONFIG, "not for localhost");
	site_fault(&site, "clear");
	site_fault(&site, "bad-certificate kind=ca");
	expect(&site, ERR_CONFIG, "issuer");
	site_fault(&site, "clear");
	site_fault(&site, "bad-certificate kind=expired");
	expect(&site, ERR_CONFIG, "expired");
	site_fault(&site, "clear");
	site_fault(&site, "no-encryption");
	expect(&site, ERR_CONFIG, "does not offer encryption");
	site_fault(&site, "clear");
	assert_int_equal(tds_server_counts(site.server).logins, 0);
	site_drain(&site, 0);
	check_complete(&site);
	site_done(&site);
}

/* A server that is known by another name than its certificate's: certificate_host verifies that one, and only that one. */
static void test_certificate_host(void **state)
{
	(void)state;
	static struct site site;
	site_init(&site, 20);
	site.options.certificate_name = "db.fjordkjop.example";
	site_start(&site);
	site_open(&site, "127.0.0.1", "");
	expect(&site, ERR_CONFIG, "db.fjordkjop.example");
	site_open(&site, "127.0.0.1", "    certificate_host: other.example\n");
	expect(&site, ERR_CONFIG, "not for other.example");
	site_open(&site, "127.0.0.1", "    certificate_host: db.fjordkjop.example\n");
	site_drain(&site, 0);
	check_complete(&site);
	site_done(&site);
}

/* A missing file of authorities and a host that is none are said before anything is sent. */
static void test_bad_options(void **state)
{
	(void)state;
	static struct site site;
	site_init(&site, 20);
	site.options.ca_path = NULL;
	site_start(&site);
	site_open(&site, "localhost", "");
	expect(&site, ERR_CONFIG, "ca_file");
	assert_int_equal(tds_server_counts(site.server).connections, 0);
	site_done(&site);
}

/* encrypt: false reads from a server without TLS, and warns. */
static void test_clear_text(void **state)
{
	(void)state;
	static struct site site;
	site_init(&site, 20);
	site.options.encryption = TDS_ENCRYPTION_OFF;
	site_start(&site);
	site_open(&site, "localhost", "    encrypt: false\n");
	site_drain(&site, 0);
	check_complete(&site);
	assert_true(site_has(&site.notes, "in the clear"));
	site_done(&site);
}

/* A connection that breaks in a row, again and again, loses nothing and doubles nothing. */
static void test_breaks(void **state)
{
	(void)state;
	static const char *const faults[] = {
		"close rows=37 times=3",
		"bad-length where=row times=2",
		"bad-length where=packet times=2",
		"bad-length where=colmetadata times=2",
		"bad-token times=2",
	};
	static struct site site;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		site_init(&site, 40);
		site_start(&site);
		site_open(&site, "localhost", "    batch_rows: 50\n");
		assert_int_equal(site_fetch(&site), 0);
		site_fault(&site, faults[i]);
		site.timeout_ns = 2 * NS_PER_SEC;
		site_drain(&site, 6);
		check_complete(&site);
		site_done(&site);
	}
}

/* A server that falls silent is given up at the deadline, wherever it does. */
static void test_silence(void **state)
{
	(void)state;
	static const char *const faults[] = {
		"silent when=prelogin times=1",
		"silent when=login times=1",
		"silent when=query times=1",
		"silent when=row rows=5 times=1",
	};
	static struct site site;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		site_init(&site, 20);
		site_start(&site);
		site_open(&site, "localhost", "");
		site_fault(&site, faults[i]);
		site.timeout_ns = NS_PER_SEC;
		int64_t begin_ns = clock_monotonic_ns();
		assert_int_equal(site_fetch(&site), -ERR_AGAIN);
		int64_t took_ns = clock_monotonic_ns() - begin_ns;
		assert_in_range(took_ns, NS_PER_SEC / 2, 5 * NS_PER_SEC);
		site.timeout_ns = 10 * NS_PER_SEC;
		site_drain(&site, 2);
		check_complete(&site);
		site_done(&site);
	}
}

/* A server that sends a byte now and then is given up at the deadline too, in a query and in a login. */
static void test_drip(void **state)
{
	(void)state;
	static struct site site;
	site_init(&site, 20);
	site_start(&site);
	for (int in_login = 0; in_login <= 1; in_login++) {
		site_open(&site, "localhost", "");
		if (!in_login) {
			assert_int_equal(site_fetch(&site), 0);
		}
		site_fault(&site, "drip ms=300 bytes=1");
		site.timeout_ns = NS_PER_SEC;
		int64_t begin_ns = clock_monotonic_ns();
		assert_int_equal(site_fetch(&site), -ERR_AGAIN);
		assert_non_null(strstr(site.err.text, "in time"));
		assert_in_range(clock_monotonic_ns() - begin_ns, NS_PER_SEC / 2, 5 * NS_PER_SEC);
		site_fault(&site, "clear");
	}
	site.timeout_ns = 10 * NS_PER_SEC;
	site_drain(&site, 1);
	check_complete(&site);
	site_done(&site);
}

static int64_t stepped_now(void *owner)
{
	return __atomic_load_n((int64_t *)owner, __ATOMIC_RELAXED);
}

/* Rows that become visible while the source polls, in buffers that grow and files that fill, all come, once. */
static void test_live(void **state)
{
	(void)state;
	static struct site site;
	static int64_t now_ns;
	site_init(&site, 20);
	world_free(site.world);
	struct world_options options = world_defaults(11, 1500, SITE_NOW);
	options.visible_base_ns = options.from_ns;
	options.visible_speed = 1;
	site.world = world_new(&options);
	assert_non_null(site.world);
	__atomic_store_n(&now_ns, options.from_ns, __ATOMIC_RELAXED);
	site.options.world = site.world;
	site.options.clock = (struct clock){.now_ns = stepped_now, .owner = &now_ns};
	site.finite = false;
	site_start(&site);
	site_open(&site, "localhost", "    batch_rows: 60\n    part_timeout: 1h\n");
	for (int i = 0; i < 150; i++) {
		__atomic_store_n(&now_ns, options.from_ns + i * (NS_PER_DAY / 140),
				 __ATOMIC_RELAXED);
		if (i % 40 == 39) {
			site_open(&site, "localhost", "    batch_rows: 60\n    part_timeout: 1h\n");
		}
		site_drain(&site, 0);
	}
	uint32_t files;
	(void)world_files(site.world, &files);
	assert_true(files >= 3);
	check_complete(&site);
	site_done(&site);
}

/* Packets and writes of one byte change nothing. */
static void test_tiny_packets(void **state)
{
	(void)state;
	static struct site site;
	site_init(&site, 10);
	site_start(&site);
	site_open(&site, "localhost", "");
	site_fault(&site, "packet bytes=1");
	site_fault(&site, "write bytes=1");
	site.timeout_ns = 30 * NS_PER_SEC;
	site_drain(&site, 0);
	check_complete(&site);
	site_done(&site);
}

/* A file that is deleted under the reader is a gap; what is left is read. */
static void test_deleted_file(void **state)
{
	(void)state;
	static struct site site;
	uint32_t files;
	site_init(&site, 2000);
	const struct world_file *file = world_files(site.world, &files);
	assert_true(files >= 3);
	site_start(&site);
	site_open(&site, "localhost", "    batch_rows: 100\n");
	assert_int_equal(site_fetch(&site), 0);
	assert_true(file[0].row_count > 150);
	site_fault(&site, "delete-file index=0");
	site_drain(&site, 0);
	assert_int_equal(site.gaps, 1);
	assert_true(site_has(&site.gap_text, "deleted_file"));
	assert_true(site_has(&site.gap_text, "33224") || site_has(&site.gap_text, "33225"));
	assert_int_equal(site.raw_rows, row_count(&site) - file[0].row_count + 100);
	assert_int_equal(site.repeats, 0);
	site_done(&site);
}

/* Message 33226, severity 10, is a gap record, and reading goes on behind it. */
static void test_skipped(void **state)
{
	(void)state;
	static struct site site;
	site_init(&site, 40);
	site_start(&site);
	site_open(&site, "localhost", "    batch_rows: 1000\n");
	site_fault(&site, "skip row=10");
	site_drain(&site, 0);
	assert_int_equal(site.gaps, 1);
	assert_true(site_has(&site.gap_text, "skipped_records"));
	assert_true(site.raw_rows < row_count(&site));
	assert_true(site.raw_rows > 10);
	site_done(&site);
}

/* Without the rights to see the audit's state every row still comes, and each refusal is told once. */
static void test_denied(void **state)
{
	(void)state;
	static struct site site;
	char options[256];
	uint32_t files;
	site_init(&site, 200);
	const struct world_file *file = world_files(site.world, &files);
	snprintf(options, sizeof(options), "    file_pattern: '%.*s*.sqlaudit'\n",
		 STR_ARG(file->folder));
	site_start(&site);
	site_fault(&site, "deny object=dm_server_audit_status");
	site_fault(&site, "deny object=server_file_audits");
	site_open(&site, "localhost", options);
	site_drain(&site, 0);
	check_complete(&site);
	assert_true(site_has(&site.notes, "300"));
	site_done(&site);

	site_init(&site, 20);
	site_start(&site);
	site_fault(&site, "deny object=fn_get_audit_file");
	site_open(&site, "localhost", "");
	expect(&site, ERR_AUTH, "300");
	site_done(&site);
}

/* Nobody listens, then somebody does. */
static void test_server_gone(void **state)
{
	(void)state;
	static struct site site;
	site_init(&site, 20);
	site_start(&site);
	site_open(&site, "localhost", "    batch_rows: 20\n");
	assert_int_equal(site_fetch(&site), 0);
	site_fault(&site, "gone");
	assert_int_equal(site_fetch(&site), -ERR_AGAIN);
	assert_int_equal(site_fetch(&site), -ERR_AGAIN);
	assert_non_null(strstr(site.err.text, "localhost"));
	site_fault(&site, "back");
	site_drain(&site, 1);
	check_complete(&site);
	site_done(&site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row),    cmocka_unit_test(test_releases),
		cmocka_unit_test(test_restarts),     cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_certificates), cmocka_unit_test(test_certificate_host),
		cmocka_unit_test(test_bad_options),  cmocka_unit_test(test_clear_text),
		cmocka_unit_test(test_breaks),       cmocka_unit_test(test_silence),
		cmocka_unit_test(test_drip),         cmocka_unit_test(test_live),
		cmocka_unit_test(test_tiny_packets), cmocka_unit_test(test_deleted_file),
		cmocka_unit_test(test_skipped),      cmocka_unit_test(test_denied),
		cmocka_unit_test(test_server_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
