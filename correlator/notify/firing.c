#include "correlator/notify/firing.h"

#include <assert.h>
#include <stdlib.h>

struct firing_entry {
	struct firing_entry *next;
	struct notice *notice; /* held */
	uint64_t round;        /* the last one in which it was sent */
};

void firing_init(struct firing *firing, int64_t resend_ns)
{
	assert(resend_ns > 0);
	*firing = (struct firing){.resend_ns = resend_ns, .began_ns = INT64_MIN};
}

static void drop(struct firing *firing, struct firing_entry **place)
{
	struct firing_entry *entry = *place;

	*place = entry->next;
	firing->left -= entry->round != firing->round ? 1 : 0;
	firing->count--;
	firing->bytes -= entry->notice->bytes;
	notice_drop(entry->notice);
	free(entry);
}

void firing_done(struct firing *firing)
{
	while (firing->entries != NULL) {
		drop(firing, &firing->entries);
	}
}

static struct firing_entry **find(struct firing *firing, struct str id)
{
	struct firing_entry **place = &firing->entries;

	while (*place != NULL && !str_equal((*place)->notice->alert.value[ALERT_id], id)) {
		place = &(*place)->next;
	}
	return place;
}

int firing_add(struct firing *firing, struct notice *notice, int64_t now_ns, struct error *err)
{
	struct firing_entry **place = find(firing, notice->alert.value[ALERT_id]);

	if (*place != NULL) {
		struct firing_entry *entry = *place;
		if (notice->revision >= entry->notice->revision) {
			struct notice *older = entry->notice;
			entry->notice = notice_hold(notice);
			firing->bytes += notice->bytes;
			firing->bytes -= older->bytes;
			notice_drop(older);
		}
		return 0;
	}
	if (firing->count >= FIRING_MAX || firing->bytes + notice->bytes > FIRING_BYTES) {
		return error_set(err, ERR_LIMIT, "more than %zu alerts fire at once",
				 firing->count);
	}
	struct firing_entry *entry = calloc(1, sizeof(*entry));
	if (entry == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for an alert that fires");
	}
	*entry = (struct firing_entry){.notice = notice_hold(notice), .round = firing->round};
	*place = entry;
	firing->bytes += notice->bytes;
	if (firing->count++ == 0) {
		firing->began_ns = now_ns;
	}
	return 0;
}

void firing_remove(struct firing *firing, struct str id)
{
	struct firing_entry **place = find(firing, id);

	if (*place != NULL) {
		drop(firing, place);
	}
}

void firing_hurry(struct firing *firing)
{
	firing->began_ns = INT64_MIN;
}

int64_t firing_due_ns(const struct firing *firing, int64_t now_ns)
{
	if (firing->count == 0) {
		return INT64_MAX;
	}
	if (firing->left > 0 || firing->began_ns == INT64_MIN || firing->began_ns > now_ns) {
		return now_ns; /* a clock that was set back must not stop the rounds */
	}
	int64_t due_ns = firing->began_ns + firing->resend_ns;
	return due_ns > now_ns ? due_ns : now_ns;
}

size_t firing_take(struct firing *firing, int64_t now_ns, struct notice **out_notices, size_t max)
{
	size_t count = 0;

	if (firing_due_ns(firing, now_ns) > now_ns) {
		return 0;
	}
	if (firing->left == 0) {
		firing->round++;
		firing->left = firing->count;
		firing->began_ns = now_ns;
	}
	for (struct firing_entry *entry = firing->entries; entry != NULL && count < max;
	     entry = entry->next) {
		if (entry->round != firing->round) {
			entry->round = firing->round;
			firing->left--;
			out_notices[count++] = notice_hold(entry->notice);
		}
	}
	return count;
}
