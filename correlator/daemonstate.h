/* daemonstate - what the parts of the daemon share; for daemon.c, intake.c, herald.c, watch.c, ruleload.c and household.c only.
 *
 * Threads: one per process. Tests: tests/unit/{daemon,intake,watch,household}.c
 */
#ifndef CORRELATOR_DAEMONSTATE_H
#define CORRELATOR_DAEMONSTATE_H

#include "base/config.h"
#include "base/loop.h"
#include "correlator/anchoring.h"
#include "correlator/daemon.h"
#include "correlator/dispatch.h"
#include "correlator/feedserver.h"
#include "correlator/keeper.h"
#include "correlator/life.h"
#include "correlator/settings.h"
#include "correlator/signing.h"
#include "correlator/spawn.h"

struct daemon {
	struct daemon_options options;
	struct loop *loop;
	struct config *config;
	struct settings settings;
	struct buf store_dir, runtime_dir;
	struct buf children_config; /* path of the configuration that children read */
	struct keeper *keeper;
	struct feedserver *server;
	struct spawn *spawn;
	struct dispatch *dispatch;
	struct anchoring *anchoring;
	struct feedpeer *notify; /* querytrail-notify; NULL: not connected */
	bool strange_receipt;    /* a receipt for no delivery of ours was logged */
	struct loop_event *alert_timer;
	struct loop_event *signals[3];
	struct loop_event *commit_timer;
	struct loop_event *seal_timer;
	struct sealer sealer;
	struct life *life; /* NULL: this daemon does not work on what is stored */
	struct signing *signing;
	struct loop_event *sign_timer;
	struct loop_event *watch_timer;
	int64_t last_commit_ns; /* monotonic */
	int64_t first_waits_ns; /* monotonic; when the first thing came that is not committed; 0: nothing waits */
	bool unjudged;         /* the last commit left verdicts to be said */
	bool urgent;           /* somebody waits for the commit before he may answer */
	int64_t status_due_ns; /* monotonic; the status is not told before */
	int64_t paused_ns;     /* wall time; since when the disk has no room; 0: it has */
	bool stopping;
	int64_t stop_deadline_ns;
	struct error import_failed; /* code 0: not */
};

/* intake: the handlers of feed.sock, and when to commit. */
extern const struct feedserver_handlers intake_handlers;

/* Commits now what is pending and confirms it; on a full disk nothing happens, and paused_ns is set. Errors are final. */
int intake_commit(struct daemon *daemon, struct error *err);

/* Sees to it that what is pending is committed in time. */
void intake_schedule(struct daemon *daemon);

/* roomwait: a full disk, before anything is written (pause.h is for what fails all the same, and for imports). Whether the commit must wait because there is no room; says so once, and asks again by the commit's timer. Nothing
 * was written; what is pending stays so, unconfirmed. When there is room again it says that too. */
#define PAUSE_LINK \
	"paused" /* in the store's folder: a link to nowhere, whose text is for the status */
bool roomwait_wanted(struct daemon *daemon);

/* Takes away what was left for the status. */
void roomwait_forget(struct daemon *daemon);

/* sealing: one piece of work on blocks, when some is due and no transaction is open; sets its own timer again. Failures are logged, and tried
 * again later. */
int sealing_turn(void *owner, struct error *err);

/* Seals and merges all that there is, and tidies up; for the end of an import. What fails is logged: the records are safe where they are. */
void sealing_finish(struct daemon *daemon);

/* attest: the log's keys, and its checkpoints. open notes keys that are new in the open transaction; turn signs when something is due and no transaction is open, and sets
 * its own timer; finish signs what is left. */
int attest_open(struct daemon *daemon, struct error *err);
int attest_note_keys(struct daemon *daemon, struct error *err);
/* Says in records of the log which leaves were redacted or removed since the last time. */
int attest_note_taken(struct daemon *daemon, struct error *err);
int attest_turn(void *owner, struct error *err);
int attest_finish(struct daemon *daemon, struct error *err);

/* watch: silence, the status line, the end of an import; sets its own timer again. */
int watch_tick(void *owner, struct error *err);

/* Adds a lifecycle record of the daemon to the open transaction. */
int watch_note(struct daemon *daemon, const char *event, const char *reason, struct error *err);

/* herald: querytrail-notify at feed.sock. */
bool herald_is_notify(const struct feed_frame *hello);
int herald_hello(struct daemon *daemon, struct feedpeer *peer, struct error *err);
int herald_receipt(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		   struct error *err);
int herald_anchored(void *owner, struct feedpeer *peer, const struct feed_frame *frame,
		    struct error *err);
int herald_drained(void *owner, struct feedpeer *peer, struct error *err);
int herald_open(struct daemon *daemon, struct error *err);

/* notify is gone; why is NULL when it left in order. */
void herald_gone(struct daemon *daemon, const struct error *why);

/* Hands out what is committed and due; nothing when a transaction is open: it is called after each commit. */
int herald_pump(struct daemon *daemon, struct error *err);

/* ruleload: the rules of a configuration. Bad ones are logged.
 *   strict  a bad rule is ERR_CONFIG
 * Returns 0 and *out_ruleset (NULL: there are none), ERR_CONFIG or ERR_NOMEM. */
int ruleload_read(const struct config *config, bool strict, struct ruleset **out_ruleset,
		  struct error *err);

/* At the start: bad rules are left out, and unreadable folders leave the daemon without rules; what came meanwhile is looked at later. */
int ruleload_start(struct daemon *daemon, struct error *err);

/* household: configuration and children. */
int household_load(struct daemon *daemon, struct config **out_config, struct error *err);
void household_find_places(struct daemon *daemon);
int household_apply(struct daemon *daemon, struct error *err);
int household_start_children(struct daemon *daemon, struct error *err);

/* Reads the configuration again and goes by it; a bad one is logged and changes nothing. */
int household_reload(struct daemon *daemon, struct error *err);

#endif
