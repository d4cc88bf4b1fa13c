#include "correlator/rules/automaton.h"

#include <assert.h>
#include <stdlib.h>

#define STATES_MAX      (1u << 24)
#define FILTER_BITS_MIN 10u
#define FILTER_BITS_MAX 17u

struct automaton {
	size_t state_count, literal_count;
	uint32_t root[256]; /* child of the root, or 0 */
	uint32_t *first;    /* [state_count + 1]: children of s are first[s] .. first[s + 1] - 1 */
	uint8_t *label;     /* the byte that leads to a state */
	uint32_t *failure;
	uint32_t *output;  /* 1 + place in ids of the state's own strings, or 0 */
	uint32_t *shorter; /* the nearest state on the failure path that has strings, or 0 */
	uint32_t *ids;     /* runs of ids, each ended by the bit LAST */
	unsigned filter_bits;
	uint64_t *filter;
};

#define LAST 0x80000000u

static int compare(const void *a, const void *b)
{
	const struct automaton_literal *x = a;
	const struct automaton_literal *y = b;
	int order = str_compare(x->text, y->text);

	if (order != 0) {
		return order;
	}
	return x->id < y->id ? -1 : x->id > y->id;
}

struct span { /* literals that share the bytes up to a state */
	uint32_t from, to;
};

struct maker {
	struct automaton *automaton;
	struct automaton_literal *sorted;
	struct span *spans; /* by state */
	uint32_t *parent;
	size_t id_count;
};

static uint32_t new_state(struct maker *maker, uint8_t label, uint32_t parent, struct span span)
{
	struct automaton *automaton = maker->automaton;
	uint32_t state = (uint32_t)automaton->state_count++;

	automaton->label[state] = label;
	maker->parent[state] = parent;
	maker->spans[state] = span;
	return state;
}

/* Writes down the strings that end at a state (they come first in its span) and makes its children. */
static void expand(struct maker *maker, uint32_t state, size_t depth)
{
	struct automaton *automaton = maker->automaton;
	struct span span = maker->spans[state];
	uint32_t at = span.from;

	automaton->first[state] = (uint32_t)automaton->state_count;
	while (at < span.to && maker->sorted[at].text.len == depth) {
		if (at == span.from) {
			automaton->output[state] = 1 + (uint32_t)maker->id_count;
		}
		automaton->ids[maker->id_count++] = maker->sorted[at++].id;
	}
	if (at != span.from) {
		automaton->ids[maker->id_count - 1] |= LAST;
	}
	while (at < span.to) {
		uint8_t byte = (uint8_t)maker->sorted[at].text.ptr[depth];
		struct span child = {.from = at};

		while (at < span.to && (uint8_t)maker->sorted[at].text.ptr[depth] == byte) {
			at++;
		}
		child.to = at;
		(void)new_state(maker, byte, state, child); /* its number is counted up */
	}
}

static uint32_t child_of(const struct automaton *automaton, uint32_t state, uint8_t byte)
{
	uint32_t from = automaton->first[state];
	uint32_t count = automaton->first[state + 1] - from;
	const uint8_t *labels = automaton->label + from;

	if (count > 8) {
		const uint8_t *found = memchr(labels, byte, count);

		return found != NULL ? from + (uint32_t)(found - labels) : 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (labels[i] == byte) {
			return from + i;
		}
	}
	return 0;
}

static void link_state(struct maker *maker, uint32_t state)
{
	struct automaton *automaton = maker->automaton;
	uint32_t parent = maker->parent[state];
	uint32_t failure = 0;

	if (parent == 0) {
		automaton->root[automaton->label[state]] = state;
	} else {
		uint32_t at = parent;

		do {
			at = automaton->failure[at];
			failure = at == 0 ? automaton->root[automaton->label[state]]
					  : child_of(automaton, at, automaton->label[state]);
		} while (failure == 0 && at != 0);
	}
	automaton->failure[state] = failure;
	automaton->shorter[state] =
		automaton->output[failure] != 0 ? failure : automaton->shorter[failure];
}

static uint32_t filter_place(const struct automaton *automaton, uint32_t three_bytes)
{
	return three_bytes * 0x9E3779B1u >> (32 - automaton->filter_bits);
}

static void filter_add(struct automaton *automaton, uint32_t three_bytes)
{
	uint32_t place = filter_place(automaton, three_bytes);

	automaton->filter[place / 64] |= UINT64_C(1) << (place % 64);
}

/* A string of one or two bytes may go on with any. */
static void fill_filter(struct automaton *automaton, const struct automaton_literal *literals)
{
	for (size_t i = 0; i < automaton->literal_count; i++) {
		const uint8_t *text = (const uint8_t *)literals[i].text.ptr;
		size_t len = literals[i].text.len;
		uint32_t start = text[0] | (len > 1 ? (uint32_t)text[1] << 8 : 0);

		if (len == 1) {
			for (uint32_t next = 0; next < 65536; next++) {
				filter_add(automaton, start | next << 8);
			}
		} else if (len == 2) {
			for (uint32_t next = 0; next < 256; next++) {
				filter_add(automaton, start | next << 16);
			}
		} else {
			filter_add(automaton, start | (uint32_t)text[2] << 16);
		}
	}
}

static bool allocate(struct automaton *automaton, size_t states, size_t literals)
{
	automaton->filter_bits = FILTER_BITS_MIN;
	while (automaton->filter_bits < FILTER_BITS_MAX &&
	       ((size_t)1 << automaton->filter_bits) < literals * 32) {
		automaton->filter_bits++;
	}
	automaton->first = calloc(states + 1, sizeof(uint32_t));
	automaton->label = calloc(states, 1);
	automaton->failure = calloc(states, sizeof(uint32_t));
	automaton->output = calloc(states, sizeof(uint32_t));
	automaton->shorter = calloc(states, sizeof(uint32_t));
	automaton->ids = calloc(literals, sizeof(uint32_t));
	automaton->filter = calloc(((size_t)1 << automaton->filter_bits) / 64, sizeof(uint64_t));
	return automaton->first != NULL && automaton->label != NULL && automaton->failure != NULL &&
	       automaton->output != NULL && automaton->shorter != NULL && automaton->ids != NULL &&
	       automaton->filter != NULL;
}

/* How many states the sorted strings make: their bytes less what each shares with the one before. */
static size_t count_states(const struct automaton_literal *sorted, size_t count)
{
	size_t states = 1;

	for (size_t i = 0; i < count; i++) {
		size_t shared = 0;

		while (i > 0 && shared < sorted[i].text.len && shared < sorted[i - 1].text.len &&
		       sorted[i].text.ptr[shared] == sorted[i - 1].text.ptr[shared]) {
			shared++;
		}
		states += sorted[i].text.len - shared;
	}
	return states;
}

static void build(struct maker *maker)
{
	struct automaton *automaton = maker->automaton;
	size_t level_end = 1;
	size_t depth = 0;

	(void)new_state(maker, 0, 0, (struct span){0, (uint32_t)automaton->literal_count});
	for (uint32_t state = 0; state < automaton->state_count; state++) {
		if (state == level_end) {
			level_end = automaton->state_count;
			depth++;
		}
		expand(maker, state, depth);
	}
	automaton->first[automaton->state_count] = (uint32_t)automaton->state_count;
	for (uint32_t state = 1; state < automaton->state_count; state++) {
		link_state(maker, state);
	}
	fill_filter(automaton, maker->sorted);
}

int automaton_new(const struct automaton_literal *literals, size_t count,
		  struct automaton **out_automaton, struct error *err)
{
	struct maker maker = {.automaton = calloc(1, sizeof(struct automaton)),
			      .sorted = malloc(count * sizeof(*literals))};
	size_t states = 0;
	bool made = maker.automaton != NULL && maker.sorted != NULL;

	assert(count >= 1 && count < LAST);
	if (made) {
		memcpy(maker.sorted, literals, count * sizeof(*literals));
		qsort(maker.sorted, count, sizeof(*literals), compare);
		states = count_states(maker.sorted, count);
		maker.automaton->literal_count = count;
	}
	if (made && states <= STATES_MAX) {
		maker.spans = calloc(states, sizeof(*maker.spans));
		maker.parent = calloc(states, sizeof(*maker.parent));
		made = maker.spans != NULL && maker.parent != NULL &&
		       allocate(maker.automaton, states, count);
		if (made) {
			build(&maker);
		}
	}
	free(maker.spans);
	free(maker.parent);
	free(maker.sorted);
	if (!made || states > STATES_MAX) {
		automaton_free(maker.automaton);
		return made ? error_set(err, ERR_LIMIT, "the rules' strings need %zu states",
					states)
			    : error_set(err, ERR_NOMEM,
					"there is no memory for the rules' strings");
	}
	assert(maker.automaton->state_count == states);
	*out_automaton = maker.automaton;
	return 0;
}

void automaton_free(struct automaton *automaton)
{
	if (automaton == NULL) {
		return;
	}
	free(automaton->first);
	free(automaton->label);
	free(automaton->failure);
	free(automaton->output);
	free(automaton->shorter);
	free(automaton->ids);
	free(automaton->filter);
	free(automaton);
}

/* Where at or after `at` a string may begin. */
static size_t skip(const struct automaton *automaton, const uint8_t *text, size_t at, size_t len)
{
	const uint64_t *filter = automaton->filter;
	unsigned shift = 32 - automaton->filter_bits;

	while (at + 4 <= len) {
		uint32_t bytes;
		uint32_t place;

		memcpy(&bytes, text + at, sizeof(bytes));
		place = (bytes & 0xFFFFFF) * 0x9E3779B1u >> shift;
		if ((filter[place / 64] >> (place % 64) & 1) != 0) {
			return at;
		}
		at++;
	}
	return at;
}

static void report(const struct automaton *automaton, uint32_t state, automaton_found_fn *found,
		   void *owner)
{
	if (automaton->output[state] == 0) {
		state = automaton->shorter[state];
	}
	for (; state != 0; state = automaton->shorter[state]) {
		const uint32_t *id = automaton->ids + automaton->output[state] - 1;

		while ((*id & LAST) == 0) {
			found(owner, *id++);
		}
		found(owner, *id & ~LAST);
	}
}

void automaton_scan(const struct automaton *automaton, struct str text, automaton_found_fn *found,
		    void *owner)
{
	const uint8_t *bytes = (const uint8_t *)text.ptr;
	uint32_t state = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (state == 0) {
			i = skip(automaton, bytes, i, text.len);
			state = automaton->root[bytes[i]];
		} else {
			uint32_t next = child_of(automaton, state, bytes[i]);

			while (next == 0 && state != 0) {
				state = automaton->failure[state];
				next = state == 0 ? automaton->root[bytes[i]]
						  : child_of(automaton, state, bytes[i]);
			}
			state = next;
		}
		if (automaton->output[state] != 0 || automaton->shorter[state] != 0) {
			report(automaton, state, found, owner);
		}
	}
}

size_t automaton_states(const struct automaton *automaton)
{
	return automaton->state_count;
}

size_t automaton_bytes(const struct automaton *automaton)
{
	return sizeof(*automaton) + automaton->state_count * 17 + automaton->literal_count * 4 +
	       ((size_t)1 << automaton->filter_bits) / 8;
}
