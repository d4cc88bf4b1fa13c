#include "correlator/notify/queue.h"

#include "base/clock.h"

#include <assert.h>
#include <stdlib.h>

#define KEY_MAX     1024
#define TOGETHER_NS (200 * NS_PER_MS) /* alerts that were given back together come frame by frame */
#define SEPARATOR   '\n'

struct queue_group {
	struct queue_group *next;
	struct delivery *first, **end;
	int64_t ready_ns; /* of the first delivery: when it has waited for others */
	int64_t after_ns; /* not before: group_interval since the last message */
	bool again;       /* of tried ones: kept only while it holds something */
	size_t key_len;
	char key[];
};

void delivery_free(struct delivery *delivery)
{
	notice_drop(delivery->notice);
	free(delivery);
}

void queue_init(struct queue *queue, const struct channel_settings *settings)
{
	*queue = (struct queue){.settings = settings};
}

static void free_group(struct queue_group *group)
{
	while (group->first != NULL) {
		struct delivery *delivery = group->first;
		group->first = delivery->next;
		delivery_free(delivery);
	}
	free(group);
}

void queue_done(struct queue *queue)
{
	while (queue->groups != NULL) {
		struct queue_group *group = queue->groups;
		queue->groups = group->next;
		free_group(group);
	}
	queue->count = 0;
	queue->bytes = 0;
}

bool queue_holds(const struct queue *queue, struct str id, uint64_t revision)
{
	for (const struct queue_group *group = queue->groups; group != NULL; group = group->next) {
		for (const struct delivery *each = group->first; each != NULL; each = each->next) {
			if (each->notice->revision >= revision &&
			    str_equal(each->notice->alert.value[ALERT_id], id)) {
				return true;
			}
		}
	}
	return false;
}

/* What stands for the group of a delivery; cut, which joins groups at worst. */
static void put_key(const struct queue *queue, const struct delivery *delivery, struct buf *key)
{
	const struct alert *alert = &delivery->notice->alert;
	struct str person = alert->value[ALERT_user];

	if (delivery->attempts > 0) {
		buf_putf(key, "again %lld%c", (long long)delivery->due_ns, SEPARATOR);
	}
	if (!queue->settings->type->groups) {
		return;
	}
	person = person.len > 0 ? person : alert->value[ALERT_principal];
	buf_put_str(key, str_slice(alert->value[ALERT_state], 0, 16));
	buf_put_byte(key, SEPARATOR);
	buf_put_str(key, str_slice(alert->value[ALERT_rule], 0, 256));
	buf_put_byte(key, SEPARATOR);
	buf_put_str(key, str_slice(person, 0, 512));
}

static struct queue_group *find_group(struct queue *queue, const struct delivery *delivery)
{
	struct buf key;
	struct queue_group **place = &queue->groups;

	buf_init(&key, KEY_MAX);
	put_key(queue, delivery, &key);
	while (*place != NULL &&
	       !str_equal(str_make((*place)->key, (*place)->key_len), buf_str(&key))) {
		place = &(*place)->next;
	}
	if (*place == NULL) {
		struct queue_group *group = calloc(1, sizeof(*group) + key.len + 1);
		if (group != NULL) {
			group->end = &group->first;
			group->again = delivery->attempts > 0;
			group->after_ns = INT64_MIN;
			group->key_len = key.len;
			if (key.len > 0) {
				memcpy(group->key, key.ptr, key.len);
			}
		}
		*place = group;
	}
	buf_done(&key);
	return *place;
}

/* Takes an older revision of the alert out of a group: what is newer says all that it said. */
static void supersede(struct queue *queue, struct str id, uint64_t revision)
{
	for (struct queue_group *group = queue->groups; group != NULL; group = group->next) {
		struct delivery **place = &group->first;
		while (*place != NULL) {
			struct delivery *each = *place;
			if (each->notice->revision >= revision ||
			    !str_equal(each->notice->alert.value[ALERT_id], id)) {
				place = &each->next;
				continue;
			}
			*place = each->next;
			queue->count--;
			queue->bytes -= each->notice->bytes;
			delivery_free(each);
		}
		group->end = place;
	}
}

int queue_add(struct queue *queue, struct notice *notice, const struct feed_delivery *how,
	      int64_t now_ns, struct error *err)
{
	if (queue_holds(queue, notice->alert.value[ALERT_id], notice->revision)) {
		return 0;
	}
	supersede(queue, notice->alert.value[ALERT_id], notice->revision);
	if (queue->count >= QUEUE_MAX || queue->bytes + notice->bytes > QUEUE_BYTES) {
		return error_set(err, ERR_LIMIT, "%zu alerts wait for the channel %s already",
				 queue->count, queue->settings->name);
	}
	struct delivery *delivery = calloc(1, sizeof(*delivery));
	if (delivery == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a delivery");
	}
	*delivery = (struct delivery){
		.notice = notice, .attempts = how->attempts, .due_ns = how->next_ns};
	struct queue_group *group = find_group(queue, delivery);
	if (group == NULL) {
		free(delivery);
		return error_set(err, ERR_NOMEM, "no memory for a group of deliveries");
	}
	(void)notice_hold(notice);
	if (group->first == NULL) {
		int64_t wait_ns = group->again ? TOGETHER_NS : queue->settings->group_wait_ns;
		int64_t from_ns = delivery->due_ns > now_ns ? delivery->due_ns : now_ns;
		group->ready_ns = from_ns + wait_ns;
	}
	*group->end = delivery;
	group->end = &delivery->next;
	queue->count++;
	queue->bytes += notice->bytes;
	return 0;
}

static int64_t group_due_ns(const struct queue_group *group)
{
	if (group->first == NULL) {
		return QUEUE_NEVER;
	}
	int64_t due_ns = group->ready_ns > group->after_ns ? group->ready_ns : group->after_ns;
	return due_ns > group->first->due_ns ? due_ns : group->first->due_ns;
}

int64_t queue_due_ns(const struct queue *queue, int64_t now_ns)
{
	int64_t due_ns = QUEUE_NEVER;

	for (const struct queue_group *group = queue->groups; group != NULL; group = group->next) {
		int64_t each_ns = group_due_ns(group);
		due_ns = each_ns < due_ns ? each_ns : due_ns;
	}
	return due_ns == QUEUE_NEVER || due_ns > now_ns ? due_ns : now_ns;
}

/* Groups that hold nothing and whose interval is over are forgotten. */
static void sweep(struct queue *queue, int64_t now_ns)
{
	for (struct queue_group **place = &queue->groups; *place != NULL;) {
		struct queue_group *group = *place;
		if (group->first == NULL && (group->again || group->after_ns <= now_ns)) {
			*place = group->next;
			free_group(group);
		} else {
			place = &group->next;
		}
	}
}

static struct queue_group *longest_due(const struct queue *queue, int64_t now_ns)
{
	struct queue_group *found = NULL;

	for (struct queue_group *group = queue->groups; group != NULL; group = group->next) {
		int64_t due_ns = group_due_ns(group);
		if (due_ns <= now_ns && (found == NULL || due_ns < group_due_ns(found))) {
			found = group;
		}
	}
	return found;
}

struct delivery *queue_take(struct queue *queue, int64_t now_ns, size_t *out_more)
{
	sweep(queue, now_ns);
	struct queue_group *group = longest_due(queue, now_ns);
	if (group == NULL) {
		return NULL;
	}
	size_t limit = queue->settings->group_limit;
	struct delivery *list = group->first;
	struct delivery **end = &list;
	limit = limit < QUEUE_MESSAGE ? limit : QUEUE_MESSAGE;
	for (size_t i = 0; i < limit && *end != NULL && (*end)->due_ns <= now_ns; i++) {
		if (i > 0 && (list->alone || (*end)->alone)) {
			break;
		}
		queue->count--;
		queue->bytes -= (*end)->notice->bytes;
		end = &(*end)->next;
	}
	group->first = *end;
	group->end = group->first == NULL ? &group->first : group->end;
	*end = NULL;
	group->ready_ns = now_ns;
	if (!group->again && queue->settings->group_interval_ns > 0) {
		group->after_ns = now_ns + queue->settings->group_interval_ns;
	}
	*out_more = 0;
	for (const struct delivery *each = group->first; each != NULL; each = each->next) {
		++*out_more;
	}
	return list;
}

void queue_put_back(struct queue *queue, struct delivery *list, int64_t now_ns)
{
	if (list == NULL) {
		return;
	}
	struct queue_group *group = find_group(queue, list);
	struct delivery **last = &list;
	if (group == NULL) { /* without memory the daemon sends them again on the next connection */
		while (list != NULL) {
			struct delivery *next = list->next;
			delivery_free(list);
			list = next;
		}
		return;
	}
	while (*last != NULL) {
		queue->count++;
		queue->bytes += (*last)->notice->bytes;
		last = &(*last)->next;
	}
	*last = group->first;
	if (group->first == NULL) {
		group->end = last;
	}
	group->first = list;
	group->ready_ns = now_ns;
	group->after_ns = now_ns;
}
