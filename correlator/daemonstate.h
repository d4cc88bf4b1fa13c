/* daemonstate - what the parts of the daemon share; for daemon.c, intake.c, watch.c and household.c only.
 *
 * Threads: one per process. Tests: tests/unit/daemon.c
 */
#ifndef CORRELATOR_DAEMONSTATE_H
#define CORRELATOR_DAEMONSTATE_H

#include "base/config.h"
#include "base/loop.h"
#include "correlator/daemon.h"
#include "correlator/feedserver.h"
#include "correlator/keeper.h"
#include "correlator/settings.h"
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
	struct loop_event *signals[3];
	struct loop_event *commit_timer;
	struct loop_event *watch_timer;
	int64_t last_commit_ns; /* monotonic */
	int64_t first_waits_ns; /* monotonic; when the first thing came that is not committed; 0: nothing waits */
	bool urgent; /* somebody waits for the commit before he may answer */
	bool stopping;
	int64_t stop_deadline_ns;
	struct error import_failed; /* code 0: not */
};

/* intake: the handlers of feed.sock, and when to commit. */
extern const struct feedserver_handlers intake_handlers;

/* Commits now what is pending and confirms it. Errors are final. */
int intake_commit(struct daemon *daemon, struct error *err);

/* Sees to it that what is pending is committed in time. */
void intake_schedule(struct daemon *daemon);

/* watch: silence, the status line, the end of an import; sets its own timer again. */
int watch_tick(void *owner, struct error *err);

/* Adds a lifecycle record of the daemon to the open transaction. */
int watch_note(struct daemon *daemon, const char *event, const char *reason, struct error *err);

/* household: configuration and children. */
int household_load(struct daemon *daemon, struct config **out_config, struct error *err);
void household_find_places(struct daemon *daemon);
int household_apply(struct daemon *daemon, struct error *err);
int household_start_children(struct daemon *daemon, struct error *err);

/* Reads the configuration again and goes by it; a bad one is logged and changes nothing. */
int household_reload(struct daemon *daemon, struct error *err);

#endif
