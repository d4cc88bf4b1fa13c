#include "base/dfa.h"

#include <stdlib.h>
#include <string.h>

static bool is_word(unsigned byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= 'a' && byte <= 'z') || byte == '_';
}

static unsigned behind_of(unsigned byte)
{
	return is_word(byte) ? DFA_WORD : DFA_OTHER;
}

static unsigned before_of(const struct dfa *automaton, unsigned byte)
{
	return automaton->same_as[byte == '\n' ? DFA_NEWLINE : behind_of(byte)];
}

static bool is_same(const struct dfa *automaton, unsigned a, unsigned b)
{
	return memcmp(automaton->first[a], automaton->first[b], sizeof automaton->first[a]) == 0 &&
	       memcmp(automaton->last[a], automaton->last[b], sizeof automaton->last[a]) == 0 &&
	       memcmp(automaton->follow[a], automaton->follow[b], sizeof automaton->follow[a]) ==
		       0 &&
	       memcmp(automaton->empty[a], automaton->empty[b], sizeof automaton->empty[a]) == 0;
}

/* What stands before a place makes a difference for few expressions only. */
static void compare_places(struct dfa *automaton)
{
	for (unsigned before = 0; before < DFA_BEFORE_COUNT; before++) {
		bool counts = before == DFA_NEWLINE && automaton->ends_a_line;
		bool same = !counts && is_same(automaton, before, DFA_OTHER);
		automaton->same_as[before] = (uint8_t)(same ? DFA_OTHER : before);
	}
}

/* Who may be where, by place. */
static void spread(struct dfa *automaton, const struct dfa_form *form, unsigned before,
		   unsigned behind)
{
	uint16_t around = DFA_AROUND(before, behind);
	automaton->empty[before][behind] = (form->empty & around) != 0;
	for (size_t p = 0; p < form->count; p++) {
		uint64_t bit = (uint64_t)1 << p;
		automaton->first[before][behind] |= (form->first[p] & around) != 0 ? bit : 0;
		automaton->last[before][behind] |= (form->last[p] & around) != 0 ? bit : 0;
		for (size_t q = 0; q < form->count; q++) {
			bool follows = (form->follow[p][q] & around) != 0;
			automaton->follow[before][behind][p] |= (uint64_t)follows << q;
		}
	}
	automaton->starts_later = automaton->starts_later ||
				  (before != DFA_BEGIN && (automaton->first[before][behind] != 0 ||
							   automaton->empty[before][behind]));
}

/* Bytes that are in the same sets, and the same around a place, do the same. */
static void compare_bytes(struct dfa *automaton)
{
	for (unsigned byte = 0; byte < 128; byte++) {
		unsigned like = 0;
		while (like < byte && (automaton->of_byte[like] != automaton->of_byte[byte] ||
				       before_of(automaton, like) != before_of(automaton, byte))) {
			like++;
		}
		automaton->like[byte] = (uint8_t)like;
		if (like == byte) {
			automaton->kinds[automaton->kind_count++] = (uint8_t)byte;
		}
	}
}

/* A match ends here, whatever stands behind. */
static bool is_found(const struct dfa *automaton, uint64_t positions, unsigned before)
{
	bool found = true;
	for (unsigned behind = 0; behind < DFA_BEHIND_COUNT; behind++) {
		found = found && (automaton->empty[before][behind] ||
				  (positions & automaton->last[before][behind]) != 0);
	}
	return found;
}

static uint16_t add_state(struct dfa *automaton, uint64_t positions, unsigned before)
{
	if (is_found(automaton, positions, before)) {
		return DFA_FOUND;
	}
	for (size_t i = DFA_FIRST; i < automaton->state_count; i++) {
		const struct dfa_state *state = &automaton->states[i];
		if (state->positions == positions && state->before == before) {
			return (uint16_t)i;
		}
	}
	if (automaton->state_count == DFA_STATES_MAX) {
		return DFA_DOUBT;
	}
	struct dfa_state *state = &automaton->states[automaton->state_count];
	memset(state->to, 0xff, sizeof state->to);
	state->positions = positions;
	state->before = (uint8_t)before;
	return (uint16_t)automaton->state_count++;
}

struct dfa *dfa_new(const struct dfa_form *form)
{
	struct dfa *automaton = calloc(1, sizeof *automaton);
	struct dfa_state *states = calloc(DFA_STATES_MAX, sizeof states[0]);
	if (automaton == NULL || states == NULL) {
		free(automaton);
		free(states);
		return NULL;
	}
	automaton->states = states;
	automaton->ends_a_line = form->ends_a_line;
	for (unsigned byte = 0; byte < 128; byte++) {
		for (size_t p = 0; p < form->count; p++) {
			bool has = byteset_has(&form->set[p], (uint8_t)byte);
			automaton->of_byte[byte] |= (uint64_t)has << p;
		}
	}
	for (unsigned before = 0; before < DFA_BEFORE_COUNT; before++) {
		for (unsigned behind = 0; behind < DFA_BEHIND_COUNT; behind++) {
			spread(automaton, form, before, behind);
		}
	}
	compare_places(automaton);
	compare_bytes(automaton);
	for (uint16_t fixed = DFA_DOUBT; fixed <= DFA_NEVER; fixed++) {
		for (size_t byte = 0; byte < 128; byte++) {
			states[fixed].to[byte] = fixed;
		}
	}
	automaton->state_count = DFA_FIRST;
	automaton->start =
		add_state(automaton, 0, automaton->same_as[DFA_BEGIN]); /* there is room */
	return automaton;
}

void dfa_free(struct dfa *automaton)
{
	if (automaton != NULL) {
		free(automaton->states);
		free(automaton);
	}
}

uint16_t dfa_make(struct dfa *automaton, uint16_t from, uint8_t byte)
{
	struct dfa_state *state = &automaton->states[from];
	uint8_t like = automaton->like[byte];
	unsigned before = state->before;
	unsigned behind = behind_of(byte);
	uint16_t to = state->to[like];
	if (to == DFA_UNKNOWN && (automaton->empty[before][behind] ||
				  (state->positions & automaton->last[before][behind]) != 0)) {
		to = DFA_FOUND;
	} else if (to == DFA_UNKNOWN) {
		uint64_t positions = automaton->first[before][behind];
		for (uint64_t left = state->positions; left != 0; left &= left - 1) {
			positions |= automaton->follow[before][behind][__builtin_ctzll(left)];
		}
		positions &= automaton->of_byte[byte];
		bool may_end = automaton->ends_a_line && byte == '\n';
		to = positions == 0 && !automaton->starts_later && !may_end
			     ? DFA_NEVER
			     : add_state(automaton, positions, before_of(automaton, byte));
	}
	state->to[like] = to;
	state->to[byte] = to;
	return to;
}

uint16_t dfa_run(struct dfa *automaton, uint16_t state, struct str bytes)
{
	for (size_t i = 0; i < bytes.len && state >= DFA_FIRST; i++) {
		state = dfa_next(automaton, state, (uint8_t)bytes.ptr[i]);
	}
	return state;
}

uint16_t dfa_end(const struct dfa *automaton, uint16_t at)
{
	if (at < DFA_FIRST) {
		return at;
	}
	const struct dfa_state *state = &automaton->states[at];
	if (automaton->empty[state->before][DFA_END] ||
	    (state->positions & automaton->last[state->before][DFA_END]) != 0) {
		return DFA_FOUND;
	}
	return automaton->ends_a_line && state->before == DFA_NEWLINE ? DFA_DOUBT : DFA_NEVER;
}
