/* channel - a way out for alerts: the contract of a channel type, what a channel is told to send, and what it answers.
 *
 * Shape:   one struct channel_type per kind, one file or few each, one row in the table of channel.c. An open channel sends one message
 *          at a time; who sends when, groups, counts and tries again is not its business (queue.h, retry.h).
 * Trust:   texts of alerts come from logs; each channel writes them in the escaped form of where they go (wording.h, docs/alerts.md).
 *          Secrets are read from their files for each message, so that a changed one is used at once.
 * Errors:  open: ERR_CONFIG, ERR_NOMEM. send never fails otherwise than by its reply.
 * Threads: a channel is used by one thread at a time. Blocking: send, up to the channel's timeout, less when *stop becomes true.
 * Source:  docs/alerts.md. Tests: tests/unit/notify-channel.c
 */
#ifndef CORRELATOR_NOTIFY_CHANNEL_H
#define CORRELATOR_NOTIFY_CHANNEL_H

#include "base/config.h"
#include "model/alert.h"
#include "model/feed.h"

#include <stdatomic.h>

#define CHANNEL_TEXT_MAX 512
#define CHANNEL_ID_MAX   48

/* An alert as it came, shared by all that wait for it; counted by the thread that made it. */
struct notice {
	unsigned holders;
	uint64_t revision;
	size_t bytes;       /* of memory */
	struct alert alert; /* borrows from the notice */
};

/* A copy of an encoded alert with one holder. Returns 0, ERR_INPUT or ERR_NOMEM. */
int notice_new(struct str encoded, uint64_t revision, struct notice **out_notice,
	       struct error *err);
struct notice *notice_hold(struct notice *notice);
void notice_drop(struct notice *notice); /* NULL is fine */

/* One thing to send. */
struct channel_message {
	char id[CHANNEL_ID_MAX]; /* the same whenever the same alerts are sent: channel_message_id */
	struct notice *const *notices;
	size_t notice_count; /* at least 1 */
	size_t more_count;   /* alerts of the same group that wait for the next message */
	int64_t now_ns;
	bool test; /* made up, to try the channel; says so */
};

struct channel_reply {
	enum feed_outcome outcome;
	size_t taken; /* how many of the notices it is about, from the first; at least 1 */
	int64_t retry_after_ns; /* RETRY: the receiver asks for so long a wait; 0: it does not */
	bool gone;              /* DEAD: nothing may be sent to this receiver any more */
	char text[CHANNEL_TEXT_MAX]; /* one line for a person, safe to show */
};

/* What all channels have in their configuration. */
struct channel_settings {
	const char *name;                /* borrowed from config */
	char section[96];                /* "channels.NAME" */
	const struct config *config;     /* borrowed */
	const struct channel_type *type; /* static */
	int min_severity;
	int64_t timeout_ns;
	uint32_t rate_per_min;
	uint32_t tries;
	int64_t retry_wait_ns, retry_max_ns;
	int64_t group_wait_ns, group_interval_ns; /* 0 for types that do not group */
	size_t group_limit;
	int64_t resend_ns; /* 0: alerts that fire are not sent again */
};

struct channel;

struct channel_type {
	const char *name;       /* as in the option type */
	bool groups;            /* one message for alerts of the same rule, person and state */
	bool resends;           /* wants alerts that fire again and again */
	size_t batch;           /* types that do not group: the most alerts in one message */
	bool rate_counts_alert; /* the rate counts alerts, not messages */
	/* settings and stop are borrowed for the channel's life */
	int (*open)(const struct channel_settings *settings, const atomic_bool *stop,
		    struct channel **out_channel, struct error *err);
	void (*send)(struct channel *channel, const struct channel_message *message,
		     struct channel_reply *out_reply);
	void (*close)(struct channel *channel);
};

/* The type of that name, or NULL. */
const struct channel_type *channel_type_by_name(const char *name);

/* The settings of the channel called name. Returns 0, or ERR_CONFIG when there is none; says which name is near. */
int channel_settings_load(const struct config *config, const char *name,
			  struct channel_settings *out_settings, struct error *err);

/* Whether the channel is to hear of this alert: severity and rules. */
bool channel_wants(const struct channel_settings *settings, const struct alert *alert);

/* Writes the id of a message with these notices. */
void channel_message_id(struct channel_message *message);

/* Fills a reply; taken becomes count. The text is made printable and cut. */
void channel_reply_set(struct channel_reply *reply, enum feed_outcome outcome, size_t count,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The path of option in the channel's section, or NULL when it is not set. */
const char *channel_option(const struct channel_settings *settings, const char *option);

extern const struct channel_type channel_alertmanager, channel_webhook, channel_smtp,
	channel_syslog;

#endif
