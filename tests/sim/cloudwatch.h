/* cloudwatch - one endpoint that speaks CloudWatch Logs, STS, Secrets Manager and instance metadata, over the lines of a world.
 *
 * Shape:   Logs (JSON 1.1): FilterLogEvents, GetLogEvents, DescribeLogGroups, DescribeLogStreams. STS (query): AssumeRole,
 *          AssumeRoleWithWebIdentity, GetCallerIdentity. Secrets Manager: GetSecretValue. IMDSv2 under /latest. The services are told
 *          apart by X-Amz-Target, the form's Action, and the path.
 * Trust:   every call but IMDS, AssumeRoleWithWebIdentity and /_sim needs a right SigV4 signature for its service and region.
 * Control: POST /_sim/faults with a JSON script (see cloudwatch_fault); GET /_sim/stats gives counters; POST /_sim/sql-faults with
 *          lines for the SQL Server beside it (see tests/sim/tds.h). No signature needed.
 * Pages:   as the service: part-full and empty pages with a nextToken, at most 10000 events or 1 MB, tokens that are bound to
 *          their parameters and expire, times inclusive at both ends.
 * Threads: one a connection; the calls below may come from any thread.
 * Source:  facts on AWS in docs; AWS service models of 2014-03-28 (logs), 2011-06-15 (sts), 2017-10-17 (secretsmanager).
 * Tests:   tests/unit/cloudwatch.c, tests/integration/cloudwatch-aws.sh
 */
#ifndef TESTS_SIM_CLOUDWATCH_H
#define TESTS_SIM_CLOUDWATCH_H

#include "base/clock.h"
#include "base/error.h"
#include "tests/sim/world.h"

/* The server beside this one, which is controlled through it. Called from any thread. */
struct cloudwatch_neighbour {
	int (*fault)(void *owner, struct str line, struct error *err); /* NULL: there is none */
	void (*put_stats)(void *owner, struct buf *out);               /* one JSON object */
	void *owner;
};

struct cloudwatch_options {
	const struct world *world; /* borrowed until cloudwatch_stop */
	struct clock
		clock; /* decides which lines are visible, and what a signature's time is compared with */
	uint16_t port; /* of 127.0.0.1; 0: a free one */
	const char *region, *account, *log_group;
	const char *access_key, *secret_key; /* the long-lived key */
	const char *role;                    /* name of the role that IMDS and STS give */
	const char *web_identity_token;      /* what AssumeRoleWithWebIdentity accepts */
	const char *secret_name,
		*secret_text; /* the one secret of Secrets Manager; text NULL: there is none */
	const char *certificate_path, *key_path; /* PEM; NULL: plain HTTP */
	int64_t token_life_ns;                   /* of a nextToken; 0: 24 h */
	int64_t session_life_ns;                 /* of credentials that IMDS gives; 0: 6 h */
	struct cloudwatch_neighbour sql;
};

struct cloudwatch;

/* Options of the demo: the world, the system's clock, eu-north-1, a fixed key, plain HTTP. */
struct cloudwatch_options cloudwatch_defaults(const struct world *world);

/* Starts to serve; texts of options are copied. Returns 0 with the server and its port, or ERR_IO (no socket), ERR_CONFIG (the
 * certificate cannot be used), ERR_NOMEM. */
int cloudwatch_start(const struct cloudwatch_options *options, struct cloudwatch **out_server,
		     uint16_t *out_port, struct error *err);

/* Ends all connections and frees. NULL is fine. */
void cloudwatch_stop(struct cloudwatch *server);

/* Adds to the script of faults: one JSON object.
 *   {"clear":true}                     forgets all faults and settings first
 *   {"faults":[{"kind":K,"op":OP,"after":N,"times":N,"code":C,"status":S,"ms":N}, ...]}
 *       each call takes the first fault whose op fits (absent: any), after it was passed over `after` times, `times` times (1)
 *       throttle       400 with code (ThrottlingException)         server-error  status (500), code (InternalFailure)
 *       denied         AccessDeniedException                       expired       ExpiredTokenException
 *       bad-token      InvalidParameterException for a nextToken   html          status (502) with a page that is no JSON
 *       truncate       the body ends half-way, connection closed   half-json     half of the body as if it were all
 *       reset          the connection is reset without an answer   drip          a few bytes every `ms`
 *       silence        answers after `ms`                          misshapen     JSON of another shape
 *   {"settings":{...}}   hide_group, freeze, duplicate, quirks (true: empty and part-full pages), opaque_ids (event ids that are
 *                        no numbers, as of compatible servers), bool;
 *                        retention_ms, skew_ms, page_lines, token_life_ms, session_life_ms: numbers; 0: none
 *   {"secret":"..."}     a new version of the secret
 * Returns 0, or ERR_INPUT with nothing changed. */
int cloudwatch_fault(struct cloudwatch *server, struct str script, struct error *err);

/* What happened so far. */
struct cloudwatch_counts {
	uint64_t calls, refused_signatures, faults, events, bytes;
	uint64_t filter_log_events, get_log_events, describe, sts, secrets, imds;
};
struct cloudwatch_counts cloudwatch_counts(struct cloudwatch *server);

#endif
