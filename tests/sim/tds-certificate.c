#include "tests/sim/tds-certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>

#define DAY_SECONDS (24L * 3600)

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

struct order { /* what a certificate is to say */
	const char *common_name;
	const char *alternative_names; /* NULL: an authority */
	const struct identity *issuer; /* NULL: itself */
	bool expired;
};

static void identity_done(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->certificate);
	*identity = (struct identity){0};
}

static void free_extension(X509_EXTENSION **extension)
{
	X509_EXTENSION_free(*extension);
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension __attribute__((cleanup(free_extension))) =
		X509V3_EXT_conf_nid(NULL, &context, nid, value);
	return extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
}

static bool add_extensions(X509 *certificate, X509 *issuer, const struct order *order)
{
	if (!add_extension(certificate, issuer, NID_subject_key_identifier, "hash") ||
	    !add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always")) {
		return false;
	}
	if (order->alternative_names == NULL) {
		return add_extension(certificate, issuer, NID_basic_constraints,
				     "critical,CA:TRUE") &&
		       add_extension(certificate, issuer, NID_key_usage,
				     "critical,keyCertSign,cRLSign");
	}
	return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth") &&
	       add_extension(certificate, issuer, NID_subject_alt_name, order->alternative_names);
}

static bool set_times(X509 *certificate, bool expired)
{
	long from = expired ? -30 * DAY_SECONDS : -DAY_SECONDS;
	long to = expired ? -DAY_SECONDS : 30 * DAY_SECONDS;
	return X509_gmtime_adj(X509_getm_notBefore(certificate), from) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(certificate), to) != NULL;
}

static bool set_names(X509 *certificate, const struct order *order)
{
	unsigned char serial[8];
	X509_NAME *name = X509_get_subject_name(certificate);
	if (RAND_bytes(serial, sizeof(serial)) != 1) {
		return false;
	}
	uint64_t number = 1;
	for (size_t i = 0; i + 1 < sizeof(serial); i++) {
		number = number << 8 | serial[i];
	}
	X509_NAME *issuer =
		order->issuer != NULL ? X509_get_subject_name(order->issuer->certificate) : name;
	return X509_set_version(certificate, X509_VERSION_3) == 1 &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number) == 1 &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					  (const unsigned char *)order->common_name, -1, -1,
					  0) == 1 &&
	       X509_set_issuer_name(certificate, issuer) == 1;
}

/* Makes a key and a certificate for it. */
static int make(struct identity *out, const struct order *order, struct error *err)
{
	*out = (struct identity){.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
	X509 *certificate = out->certificate;
	if (out->key != NULL && certificate != NULL) {
		const struct identity *issuer = order->issuer != NULL ? order->issuer : out;
		if (set_names(certificate, order) && set_times(certificate, order->expired) &&
		    X509_set_pubkey(certificate, out->key) == 1 &&
		    add_extensions(certificate, issuer->certificate, order) &&
		    X509_sign(certificate, issuer->key, EVP_sha256()) > 0) {
			return 0;
		}
	}
	identity_done(out);
	return error_set(err, ERR_IO, "OpenSSL cannot make a certificate for %s: %s.",
			 order->common_name, ERR_reason_error_string(ERR_peek_last_error()));
}

static int write_pem(const X509 *certificate, const char *path, struct error *err)
{
	FILE *file = fopen(path, "we");
	if (file == NULL) {
		return error_errno(err, "Cannot write the certificate authority to %s", path);
	}
	bool written = PEM_write_X509(file, certificate) == 1;
	if (fclose(file) != 0 || !written) {
		return error_set(err, ERR_IO, "Cannot write the certificate authority to %s.",
				 path);
	}
	return 0;
}

/* A server context around an identity; NULL when OpenSSL fails. */
static SSL_CTX *serve(const struct identity *identity)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	/* TDS 7.4 ends the handshake with the packets that carry it, which TLS 1.3 with its later tickets does not fit. */
	if (context != NULL && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_use_certificate(context, identity->certificate) == 1 &&
	    SSL_CTX_use_PrivateKey(context, identity->key) == 1) {
		(void)SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
		return context;
	}
	SSL_CTX_free(context);
	return NULL;
}

static int add_context(struct tds_certificates *out, enum tds_certificate_kind kind,
		       const struct order *order, struct error *err)
{
	struct identity identity __attribute__((cleanup(identity_done))) = {0};
	int rc = make(&identity, order, err);
	if (rc != 0) {
		return rc;
	}
	out->context[kind] = serve(&identity);
	if (out->context[kind] == NULL) {
		return error_set(err, ERR_IO, "OpenSSL cannot serve the certificate of %s.",
				 order->common_name);
	}
	return 0;
}

int tds_certificates_init(struct tds_certificates *out, const char *name, const char *ca_path,
			  struct error *err)
{
	*out = (struct tds_certificates){0};
	char alternative[300] = "DNS:localhost,IP:127.0.0.1";
	if (name != NULL) {
		(void)snprintf(alternative, sizeof(alternative), "DNS:%s",
			       name); /* a cut name fails to match */
	}
	const char *host = name != NULL ? name : "localhost";
	struct identity authority __attribute__((cleanup(identity_done))) = {0};
	struct identity stranger __attribute__((cleanup(identity_done))) = {0};
	int rc = make(&authority, &(struct order){.common_name = "querytrail simulator CA"}, err);
	rc = rc == 0 ? make(&stranger, &(struct order){.common_name = "unknown CA"}, err) : rc;
	const struct order order[TDS_CERTIFICATE_KINDS] = {
		[TDS_CERTIFICATE_GOOD] = {host, alternative, &authority, false},
		[TDS_CERTIFICATE_WRONG_NAME] = {"other.invalid", "DNS:other.invalid", &authority,
						false},
		[TDS_CERTIFICATE_UNKNOWN_CA] = {host, alternative, &stranger, false},
		[TDS_CERTIFICATE_EXPIRED] = {host, alternative, &authority, true},
	};
	for (int kind = 0; kind < TDS_CERTIFICATE_KINDS && rc == 0; kind++) {
		rc = add_context(out, (enum tds_certificate_kind)kind, &order[kind], err);
	}
	if (rc == 0 && ca_path != NULL) {
		rc = write_pem(authority.certificate, ca_path, err);
	}
	if (rc != 0) {
		tds_certificates_done(out);
	}
	return rc;
}

void tds_certificates_done(struct tds_certificates *certificates)
{
	for (int kind = 0; kind < TDS_CERTIFICATE_KINDS; kind++) {
		SSL_CTX_free(certificates->context[kind]);
		certificates->context[kind] = NULL;
	}
}
