/* The simulator's certificates: the good one verifies for its names, each of the others fails for its own reason. */
#include "tests/sim/tds-certificate.h"

#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* What verification of a server certificate under the authority at ca_path says about a host. */
static int verified(SSL_CTX *context, const char *ca_path, const char *host, const char *address)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *check = X509_STORE_CTX_new();
	assert_int_equal(X509_STORE_load_file(store, ca_path), 1);
	assert_int_equal(X509_STORE_CTX_init(check, store, SSL_CTX_get0_certificate(context), NULL),
			 1);
	X509_VERIFY_PARAM *parameter = X509_STORE_CTX_get0_param(check);
	assert_int_equal(X509_VERIFY_PARAM_set_purpose(parameter, X509_PURPOSE_SSL_SERVER), 1);
	if (host != NULL) {
		assert_int_equal(X509_VERIFY_PARAM_set1_host(parameter, host, 0), 1);
	}
	if (address != NULL) {
		assert_int_equal(X509_VERIFY_PARAM_set1_ip_asc(parameter, address), 1);
	}
	(void)X509_verify_cert(check);
	int error = X509_STORE_CTX_get_error(check);
	X509_STORE_CTX_free(check);
	X509_STORE_free(store);
	return error;
}

/* Each kind verifies, or fails for the reason that it is there for. */
static void test_kinds(void **state)
{
	(void)state;
	char dir[] = "/tmp/tds-certificate.XXXXXX";
	char path[64];
	struct tds_certificates made;
	struct error err;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/ca.pem", dir);
	assert_int_equal(tds_certificates_init(&made, NULL, path, &err), 0);
	SSL_CTX *good = made.context[TDS_CERTIFICATE_GOOD];
	assert_int_equal(verified(good, path, "localhost", NULL), X509_V_OK);
	assert_int_equal(verified(good, path, NULL, "127.0.0.1"), X509_V_OK);
	assert_int_equal(verified(good, path, "db.example", NULL), X509_V_ERR_HOSTNAME_MISMATCH);
	assert_int_equal(
		verified(made.context[TDS_CERTIFICATE_WRONG_NAME], path, "localhost", NULL),
		X509_V_ERR_HOSTNAME_MISMATCH);
	assert_int_equal(verified(made.context[TDS_CERTIFICATE_EXPIRED], path, "localhost", NULL),
			 X509_V_ERR_CERT_HAS_EXPIRED);
	assert_int_equal(
		verified(made.context[TDS_CERTIFICATE_UNKNOWN_CA], path, "localhost", NULL),
		X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	tds_certificates_done(&made);
	assert_int_equal(tds_certificates_init(&made, "db.example", path, &err), 0);
	assert_int_equal(verified(made.context[TDS_CERTIFICATE_GOOD], path, "db.example", NULL),
			 X509_V_OK);
	tds_certificates_done(&made);
	(void)unlink(path);
	(void)rmdir(dir);
}

/* A path that cannot be written is said by name. */
static void test_path(void **state)
{
	(void)state;
	struct tds_certificates made;
	struct error err;
	assert_int_equal(tds_certificates_init(&made, NULL, "/nowhere/ca.pem", &err), -ERR_IO);
	assert_non_null(strstr(err.text, "/nowhere/ca.pem"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds),
					   cmocka_unit_test(test_path)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
