#include "correlator/hits.h"

#include <stdlib.h>

#define HITS_BYTES (64u << 20) /* PACK_RULES_MAX of them with all they may say */
#define FIRST_ROOM 64

void hits_init(struct hits *hits)
{
	*hits = (struct hits){0};
	arena_init(&hits->arena, HITS_BYTES);
}

void hits_done(struct hits *hits)
{
	arena_done(&hits->arena);
	free(hits->items);
	*hits = (struct hits){0};
}

static int no_memory(struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for what the rules say");
}

/* At most HITS_MATCHED_MAX bytes, and never within a character. */
static struct str cut(struct str text)
{
	size_t len = text.len;
	if (len > HITS_MATCHED_MAX) {
		len = HITS_MATCHED_MAX;
		while (len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) {
			len--;
		}
	}
	return str_slice(text, 0, len);
}

static int collect(void *owner, const struct matcher_hit *hit, struct error *err)
{
	struct hits *hits = owner;
	if (hits->count == hits->room) {
		size_t room = hits->room > 0 ? hits->room * 2 : FIRST_ROOM;
		struct hit *items = realloc(hits->items, room * sizeof items[0]);
		if (items == NULL) {
			return no_memory(err);
		}
		hits->items = items;
		hits->room = room;
	}
	struct hit *kept = &hits->items[hits->count];
	kept->rule = hit->rule;
	if (arena_str(&hits->arena, cut(hit->matched), &kept->matched) < 0) {
		return no_memory(err);
	}
	hits->count++;
	return 0;
}

int hits_ask(struct hits *hits, struct matcher *matcher, const struct rules_event *event,
	     struct error *err)
{
	const struct matcher_run run = {collect, hits};
	arena_clear(&hits->arena);
	hits->count = 0;
	return matcher_run(matcher, event, &run, err);
}

void hits_clear(struct hits *hits)
{
	hits->count = 0;
}

bool hits_have(const struct hits *hits, struct str rule_id)
{
	for (size_t i = 0; i < hits->count; i++) {
		if (str_equal(hits->items[i].rule->id, rule_id)) {
			return true;
		}
	}
	return false;
}
