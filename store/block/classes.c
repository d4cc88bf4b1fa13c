#include "store/block/classes.h"

#include "base/error.h"
#include "store/block/entropy.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS      2
#define MEANS       2048 /* steps of the mean by which groups are ordered */
#define GROUPS_MIN  2
#define BYTES_MIN   256
#define ABSENT_BITS (14u << 16) /* of a byte that a class does not have, as a fraction of 65,536 */
#define GAIN        128         /* a part of all bits that more classes must save */

/* How often a byte occurs in a group. */
struct pair {
	uint32_t times;
	uint8_t byte;
};

struct work {
	struct pair *pairs;
	uint32_t *pair_ends; /* of each group */
	uint16_t *mean;
	uint32_t *order; /* groups by mean */
	uint8_t *of, *best;
	size_t groups, count;
	uint32_t frequency[ENTROPY_TABLES_MAX][256];
	uint32_t cost[ENTROPY_TABLES_MAX][256];
	uint32_t members[ENTROPY_TABLES_MAX];
};

static void work_free(struct work *work)
{
	if (work != NULL) {
		free(work->pairs);
		free(work->pair_ends);
		free(work->order);
		free(work->mean);
		free(work->of);
		free(work->best);
		free(work);
	}
}

/* Counts each group's bytes and orders the groups by their mean. */
static void fill_work(struct work *work, const struct classes_input *input)
{
	uint32_t times[256] = {0}, place[MEANS + 1] = {0};
	uint8_t touched[256];
	uint32_t from = 0, pairs = 0;
	for (size_t g = 0; g < input->group_count; g++) {
		unsigned count = 0;
		uint64_t sum = 0;
		uint32_t len = input->ends[g] - from;
		for (; from < input->ends[g]; from++) {
			uint8_t byte = input->bytes[from];
			if (times[byte]++ == 0) {
				touched[count++] = byte;
			}
			sum += byte;
		}
		for (unsigned k = 0; k < count; k++) {
			work->pairs[pairs++] = (struct pair){times[touched[k]], touched[k]};
			times[touched[k]] = 0;
		}
		work->pair_ends[g] = pairs;
		work->mean[g] = (uint16_t)(len == 0 ? 0 : sum * 8 / len);
		place[work->mean[g] + 1]++;
	}
	for (size_t m = 1; m <= MEANS; m++) {
		place[m] += place[m - 1];
	}
	for (size_t g = 0; g < input->group_count; g++) {
		work->order[place[work->mean[g]]++] = (uint32_t)g;
	}
}

static struct work *make_work(const struct classes_input *input)
{
	struct work *work = calloc(1, sizeof(*work));
	if (work == NULL) {
		return NULL;
	}
	size_t groups = input->group_count;
	work->groups = groups;
	work->count = input->count;
	work->pairs = malloc((input->count + 1) * sizeof(*work->pairs));
	work->pair_ends = malloc(groups * sizeof(*work->pair_ends));
	work->order = malloc(groups * sizeof(*work->order));
	work->mean = malloc(groups * sizeof(*work->mean));
	work->of = malloc(groups);
	work->best = malloc(groups);
	if (work->pairs == NULL || work->pair_ends == NULL || work->order == NULL ||
	    work->mean == NULL || work->of == NULL || work->best == NULL) {
		work_free(work);
		return NULL;
	}
	fill_work(work, input);
	return work;
}

static size_t pairs_start(const struct work *work, size_t group)
{
	return group == 0 ? 0 : work->pair_ends[group - 1];
}

static uint64_t group_len(const struct work *work, size_t group)
{
	uint64_t len = 0;
	for (size_t p = pairs_start(work, group); p < work->pair_ends[group]; p++) {
		len += work->pairs[p].times;
	}
	return len;
}

/* Equal parts of all bytes, by mean. */
static void begin(struct work *work, unsigned classes)
{
	uint64_t done = 0;
	for (size_t k = 0; k < work->groups; k++) {
		size_t group = work->order[k];
		work->of[group] = (uint8_t)(done * classes / work->count);
		done += group_len(work, group);
		work->of[group] =
			work->of[group] < classes ? work->of[group] : (uint8_t)(classes - 1);
	}
}

static void count_classes(struct work *work, unsigned classes)
{
	memset(work->frequency, 0, classes * sizeof(work->frequency[0]));
	memset(work->members, 0, sizeof(work->members));
	for (size_t g = 0; g < work->groups; g++) {
		uint32_t *own = work->frequency[work->of[g]];
		work->members[work->of[g]]++;
		for (size_t p = pairs_start(work, g); p < work->pair_ends[g]; p++) {
			own[work->pairs[p].byte] += work->pairs[p].times;
		}
	}
}

static uint64_t class_count(const struct work *work, unsigned c)
{
	uint64_t sum = 0;
	for (unsigned s = 0; s < 256; s++) {
		sum += work->frequency[c][s];
	}
	return sum;
}

/* What each byte costs in each class now. */
static void price(struct work *work, unsigned classes)
{
	for (unsigned c = 0; c < classes; c++) {
		uint64_t sum = class_count(work, c);
		uint64_t whole = sum != 0 ? entropy_log2(sum) : 0;
		for (unsigned s = 0; s < 256; s++) {
			uint32_t here = work->frequency[c][s];
			uint64_t cost = here != 0 ? whole - entropy_log2(here) : ABSENT_BITS;
			work->cost[c][s] = cost > ABSENT_BITS ? ABSENT_BITS : (uint32_t)cost;
		}
	}
}

/* Each group goes where it and the naming of its class cost least. */
static void move(struct work *work, unsigned classes)
{
	uint64_t naming[ENTROPY_TABLES_MAX];
	uint64_t whole = entropy_log2(work->groups);
	for (unsigned c = 0; c < classes; c++) {
		naming[c] = work->members[c] != 0 ? whole - entropy_log2(work->members[c]) : whole;
	}
	for (size_t g = 0; g < work->groups; g++) {
		uint64_t least = UINT64_MAX;
		for (unsigned c = 0; c < classes; c++) {
			uint64_t sum = naming[c];
			for (size_t p = pairs_start(work, g); p < work->pair_ends[g]; p++) {
				sum += (uint64_t)work->pairs[p].times *
				       work->cost[c][work->pairs[p].byte];
			}
			if (sum < least) {
				least = sum;
				work->of[g] = (uint8_t)c;
			}
		}
	}
}

static uint64_t judge(const struct work *work, unsigned classes)
{
	uint64_t bits = entropy_bits(work->members, classes, work->groups) + 48;
	for (unsigned c = 0; c < classes; c++) {
		bits += entropy_bits_with_table(work->frequency[c], class_count(work, c));
	}
	return bits;
}

static void search(struct work *work, struct classes *out)
{
	for (unsigned classes = 2; classes <= ENTROPY_TABLES_MAX; classes *= 2) {
		begin(work, classes);
		count_classes(work, classes);
		for (int round = 0; round < ROUNDS; round++) {
			price(work, classes);
			move(work, classes);
			count_classes(work, classes);
		}
		uint64_t bits = judge(work, classes);
		if (bits + bits / GAIN >= out->bits) {
			break;
		}
		out->bits = bits;
		out->count = classes;
		memcpy(work->best, work->of, work->groups);
	}
}

int classes_make(const struct classes_input *input, struct classes *out)
{
	uint32_t all[256] = {0};
	for (size_t i = 0; i < input->count; i++) {
		all[input->bytes[i]]++;
	}
	*out = (struct classes){.count = 1};
	out->bits = entropy_bits_with_table(all, input->count);
	if (input->ends == NULL || input->group_count < GROUPS_MIN || input->count < BYTES_MIN) {
		return 0;
	}
	struct work *work = make_work(input);
	if (work == NULL) {
		return -ERR_NOMEM;
	}
	search(work, out);
	if (out->count > 1) {
		out->of = work->best;
		work->best = NULL;
	}
	work_free(work);
	return 0;
}

void classes_done(struct classes *classes)
{
	free(classes->of);
	*classes = (struct classes){.count = 1};
}
