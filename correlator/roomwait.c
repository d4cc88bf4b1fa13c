#include "correlator/daemonstate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/service.h"
#include "correlator/room.h"

#include <unistd.h>

#define RETRY_NS NS_PER_SEC

/* Tells `querytrail status`: in the store nothing can be written now, but a symbolic link with a short text takes no block of the disk. It
 * points nowhere. Where even that fails the log alone has it. */
static void leave_word(const struct daemon *daemon, const char *text)
{
	struct buf path;
	buf_init(&path, 4096);
	buf_put_str(&path, buf_str(&daemon->store_dir));
	buf_put_text(&path, "/" PAUSE_LINK);
	if (!path.failed) {
		(void)unlink(path.ptr); /* mostly there is none */
		if (text != NULL) {
			(void)!symlink(text, path.ptr); /* the log has it too */
		}
	}
	buf_done(&path);
}

static void begin(struct daemon *daemon, const struct error *why)
{
	struct buf text;
	daemon->paused_ns = clock_now_ns();
	buf_init(&text, 2 * ERROR_TEXT_MAX);
	buf_put_text(&text, "disk full, paused since ");
	clock_put_rfc3339(&text, daemon->paused_ns, 0);
	if (!text.failed) {
		log_write(LOG_LEVEL_ERROR, "paused",
			  "%.*s: %s; nothing is confirmed until there is room, questions are "
			  "answered",
			  STR_ARG(buf_str(&text)), why->text);
		service_status(text.ptr);
		leave_word(daemon, text.ptr);
	}
	buf_done(&text);
}

static void end(struct daemon *daemon)
{
	struct roster *roster = keeper_roster(daemon->keeper);
	int64_t now_ns = clock_now_ns();
	log_write(LOG_LEVEL_NOTICE, "resumed", "there is room again after %lld s: it goes on",
		  (long long)((now_ns - daemon->paused_ns) / NS_PER_SEC));
	for (size_t i = 0; i < roster->count; i++) {
		/* it could not be heard: that was us, and is no gap of the source */
		if (roster->sources[i]->heard_ns != 0) {
			roster->sources[i]->heard_ns = now_ns;
		}
	}
	daemon->paused_ns = 0;
	daemon->status_due_ns = 0;
	leave_word(daemon, NULL);
}

bool roomwait_wanted(struct daemon *daemon)
{
	struct error why;
	if (daemon->options.import) {
		return false; /* somebody waits for it, and may do it again */
	}
	int rc = room_look(daemon->store_dir.ptr, keeper_pending_bytes(daemon->keeper), &why);
	if (rc == -ERR_AGAIN) {
		if (daemon->paused_ns == 0) {
			begin(daemon, &why);
		}
		loop_set_timer(daemon->commit_timer, clock_monotonic_ns() + RETRY_NS);
		return true;
	}
	if (daemon->paused_ns != 0) {
		end(daemon);
	}
	return false;
}

void roomwait_forget(struct daemon *daemon)
{
	if (daemon->keeper != NULL) { /* the store is ours */
		leave_word(daemon, NULL);
	}
}
