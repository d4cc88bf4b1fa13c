#include "correlator/join/slots.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

void slots_done(struct slots *slots)
{
	free(slots->slot);
	*slots = (struct slots){0};
}

uint32_t slots_find(const struct slots *slots, const struct slots_type *type, const void *owner,
		    uint64_t hash, const void *key)
{
	if (slots->slot_count == 0) {
		return SLOTS_NONE;
	}
	size_t mask = slots->slot_count - 1;
	for (size_t at = (size_t)hash & mask; slots->slot[at] != SLOTS_NONE; at = (at + 1) & mask) {
		if (type->equal(owner, slots->slot[at], key)) {
			return slots->slot[at];
		}
	}
	return SLOTS_NONE;
}

static void place(uint32_t *slot, size_t mask, uint64_t hash, uint32_t index)
{
	size_t at = (size_t)hash & mask;
	while (slot[at] != SLOTS_NONE) {
		at = (at + 1) & mask;
	}
	slot[at] = index;
}

static int grow(struct slots *slots, const struct slots_type *type, const void *owner)
{
	size_t count = slots->slot_count == 0 ? 64 : slots->slot_count * 2;
	uint32_t *slot = malloc(count * sizeof *slot);
	if (slot == NULL) {
		return -ERR_NOMEM;
	}
	memset(slot, 0xff, count * sizeof *slot);
	for (size_t i = 0; i < slots->slot_count; i++) {
		if (slots->slot[i] != SLOTS_NONE) {
			place(slot, count - 1, type->hash(owner, slots->slot[i]), slots->slot[i]);
		}
	}
	free(slots->slot);
	slots->slot = slot;
	slots->slot_count = count;
	return 0;
}

int slots_put(struct slots *slots, const struct slots_type *type, const void *owner, uint32_t index)
{
	/* Above 7/10 full, linear probing gets slow. */
	if ((slots->used + 1) * 10 > slots->slot_count * 7) {
		int rc = grow(slots, type, owner);
		if (rc != 0) {
			return rc;
		}
	}
	place(slots->slot, slots->slot_count - 1, type->hash(owner, index), index);
	slots->used++;
	return 0;
}
