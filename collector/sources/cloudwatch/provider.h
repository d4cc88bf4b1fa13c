/* provider - the places that credentials come from; each looks in one.
 *
 * Returns: 0 and credentials; ERR_GONE when that place has none (go on to the next; err is not set); any other error ends the search.
 * Threads: one per process. Blocking: files, and the network within reach's time limit.
 * Tests:   tests/unit/credentials.c, tests/integration/cloudwatch-faults.py
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_PROVIDER_H
#define COLLECTOR_SOURCES_CLOUDWATCH_PROVIDER_H

#include "collector/sources/cloudwatch/credentials.h"

/* AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. */
int provider_environment(struct credentials *out, struct error *err);

struct provider_choice {
	const char *profile;
	bool chosen; /* somebody named it, so it must exist */
};

/* The profile: roles, keys, credential_process. */
int provider_profile(const struct credentials_options *options,
		     const struct provider_choice *choice, const struct credentials_reach *reach,
		     struct credentials *out, struct error *err);

/* AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN. */
int provider_web_identity(const struct credentials_options *options,
			  const struct credentials_reach *reach, struct credentials *out,
			  struct error *err);

/* AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI. */
int provider_container(const struct credentials_reach *reach, struct credentials *out,
		       struct error *err);

/* Instance metadata, version 2. */
int provider_instance(const struct credentials_options *options,
		      const struct credentials_reach *reach, struct credentials *out,
		      struct error *err);

/* What a role is assumed with. */
struct provider_role {
	struct str role_arn, session_name, external_id;
	struct str token_file;          /* web identity; empty: by keys */
	int64_t duration_s;             /* 0: the service's default */
	const struct credentials *base; /* by keys */
};

/* AssumeRole, or AssumeRoleWithWebIdentity when token_file is set. Never ERR_GONE. */
int provider_assume_role(const struct credentials_options *options,
			 const struct credentials_reach *reach, const struct provider_role *role,
			 struct credentials *out, struct error *err);

/* Runs a credential_process command line (quotes, no shell) and reads its JSON. Never ERR_GONE. */
int provider_process(struct str command, const struct credentials_reach *reach,
		     struct credentials *out, struct error *err);

#endif
