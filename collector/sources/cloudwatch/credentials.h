/* credentials - AWS credentials from wherever this machine has them, refreshed before they end.
 *
 * Order:   environment keys and web identity of the environment (unless a profile is chosen); the profile: its role (role_arn with
 *          source_profile, credential_source or web_identity_token_file), its keys in the credentials file, its
 *          credential_process, its keys in the configuration file; container endpoint; instance metadata (version 2 only).
 * Refresh: from 15 minutes before their end it is tried, and a failure keeps what there is; from 10 minutes on a failure is an error.
 * Secrets: struct secret; replies that held them are wiped; no error text has them.
 * Threads: one per process. Blocking: credentials_get, up to the call's time limit for each step.
 * Source:  AWS "Credential provider chain"; the order is botocore's. Tests: tests/unit/credentials.c, tests/integration/cloudwatch-faults.py
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_CREDENTIALS_H
#define COLLECTOR_SOURCES_CLOUDWATCH_CREDENTIALS_H

#include "collector/sources/cloudwatch/client.h"

#define CREDENTIALS_ADVISORY_NS  (15 * INT64_C(60000000000))
#define CREDENTIALS_MANDATORY_NS (10 * INT64_C(60000000000))

struct credentials_options { /* texts borrowed for the life of the chain; NULL or "" : not set */
	const char *profile;
	const char *credentials_file;
	const char *region;
	const char *sts_endpoint;
	const char *imds_endpoint;
};

/* How one step may ask the network. */
struct credentials_reach {
	struct client *client;
	int64_t now_ns; /* wall time */
	int64_t timeout_ns;
	int stop_fd;
};

struct chain {
	struct credentials_options options;
	struct credentials current;
	int64_t next_try_ns; /* after a failed advisory refresh */
};

/* Empty credentials. */
void credentials_init(struct credentials *credentials);

/* Wipes them; they are empty again. */
void credentials_done(struct credentials *credentials);

struct credentials_parts {
	struct str access_key_id, secret_key;
	struct str session_token; /* empty: none */
	const char *from;         /* static */
};

/* Copies. Returns 0, ERR_NOMEM, or ERR_CONFIG for an id that is too long or a missing half. */
int credentials_set(struct credentials *credentials, const struct credentials_parts *parts,
		    struct error *err);

/* A JSON document with AccessKeyId, SecretAccessKey, SessionToken or Token, and Expiration. from is static.
 * Returns 0, or ERR_INPUT. */
int credentials_from_json(struct credentials *credentials, struct str body, const char *from,
			  struct error *err);

/* Nothing is looked up before the first chain_get. */
void chain_init(struct chain *chain, const struct credentials_options *options);

/* Wipes what is held. */
void chain_done(struct chain *chain);

/* The credentials to sign with now; borrowed until the next call.
 * Returns 0, ERR_AUTH (nothing found, or refused), ERR_CONFIG (a file or variable is wrong), ERR_AGAIN (a service is away). */
int chain_get(struct chain *chain, const struct credentials_reach *reach,
	      const struct credentials **out_credentials, struct error *err);

/* The service refused them: they are looked up anew at the next chain_get. */
void chain_forget(struct chain *chain);

#endif
