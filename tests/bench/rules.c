/* How fast rules are run: generated ones of the mix that public rules have, and those that come with querytrail. */
#include "base/clock.h"
#include "correlator/rules/ruleset.h"
#include "tests/bench/rulemix.h"
#include "tests/bench/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define RULES      3000
#define LOAD_MS    300
#define EVENTS     1000 /* so few that they are near, as a record is that was just read */
#define ROUNDS     50
#define MIX_SEED   7
#define SHAPE_SEED 11
#define START_NS   (INT64_C(1790000000) * NS_PER_SEC)

static _Noreturn void stop(const struct error *err)
{
	fprintf(stderr, "bench-rules: %s\n", err->text);
	exit(2);
}

static double cpu_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now); /* can't fail for one's own thread */
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long resident_kib(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage); /* can't fail for oneself */
	return usage.ru_maxrss;
}

static int count_fired(void *owner, const struct matcher_hit *hit, struct error *err)
{
	(void)hit;
	(void)err;
	++*(uint64_t *)owner;
	return 0;
}

/* One record, with its own copy of what it borrows. */
struct kept {
	struct record record;
	struct buf bytes;
};

static void keep(struct kept *kept, const struct record *record)
{
	struct error err;

	buf_init(&kept->bytes, 0);
	if (record_encode(record, &kept->bytes, &err) != 0 ||
	    record_decode(buf_str(&kept->bytes), &kept->record, &err) != 0) {
		stop(&err);
	}
}

struct events {
	struct kept *kept;
	size_t count;
};

static struct events make_events(void)
{
	struct events events = {.count = EVENTS};
	struct shape shape;
	struct record record;

	events.kept = calloc(events.count, sizeof(*events.kept));
	if (events.kept == NULL) {
		exit(2);
	}
	shape_init(&shape, SHAPE_SEED, START_NS);
	for (size_t i = 0; i < events.count; i++) {
		shape_next(&shape, &record);
		keep(&events.kept[i], &record);
	}
	shape_done(&shape);
	return events;
}

/* Runs all events at a stage; returns how many a second. At TRAIL a statement comes with the request before it. */
static double run(struct matcher *matcher, const struct events *events, enum rules_stage stage)
{
	uint64_t fired = 0;
	struct matcher_run how = {count_fired, &fired};
	const struct record *request = NULL;
	struct record verdict;
	double start = cpu_seconds();
	struct error err;

	record_init(&verdict, RECORD_VERDICT);
	record_set_text(&verdict, FIELD_grade, STR_LIT("A"));
	record_set_text(&verdict, FIELD_carrier, STR_LIT("session_context"));
	record_set_text(&verdict, FIELD_matched_by, STR_LIT("extended_request_id"));

	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < events->count; i++) {
			const struct record *record = &events->kept[i].record;
			struct rules_event event = {.stage = stage};

			event.statement = record->kind == RECORD_STATEMENT ? record : NULL;
			event.request = record->kind == RECORD_REQUEST ? record : NULL;
			request = event.request != NULL ? record : request;
			if (stage == RULES_STAGE_TRAIL) {
				event.verdict = &verdict;
				event.request = request;
			}
			if (matcher_run(matcher, &event, &how, &err) != 0) {
				stop(&err);
			}
		}
	}
	return (double)(events->count * ROUNDS) / (cpu_seconds() - start);
}

static const char *verdict(bool reached)
{
	return reached ? "reached" : "MISSED";
}

struct target {
	const char *name;
	long before_kib;
	double events_per_second;
};

static double best_of(struct matcher *matcher, const struct events *events, enum rules_stage stage)
{
	double best = 0;

	for (int i = 0; i < 5; i++) {
		double rate = run(matcher, events, stage);

		best = rate > best ? rate : best;
	}
	return best;
}

static void measure(struct pack *pack, const struct events *events, const struct target *target,
		    double load_seconds)
{
	struct ruleset *ruleset;
	struct matcher *matcher;
	struct matcher_figures figures;
	struct error err;
	double start = cpu_seconds();
	double best;

	if (ruleset_new(pack, &ruleset, &err) != 0 || matcher_new(ruleset, &matcher, &err) != 0) {
		stop(&err);
	}
	load_seconds += cpu_seconds() - start;
	best = best_of(matcher, events, RULES_STAGE_RECORD);
	figures = matcher_figures(matcher);
	printf("%s rules: %zu, %zu refused, loaded in %.0f ms (target for 3,000: %d ms: %s)\n",
	       target->name, pack_rule_count(ruleset_pack(ruleset)),
	       pack_problem_count(ruleset_pack(ruleset)), load_seconds * 1e3, LOAD_MS,
	       verdict(load_seconds * 1e3 <= LOAD_MS));
	printf("%s rules at the record: %.0f events/s (target %.0f: %s); an event has %.2f "
	       "candidates "
	       "and %.4f alerts\n",
	       target->name, best, target->events_per_second,
	       verdict(best >= target->events_per_second),
	       (double)figures.candidates / (double)figures.events,
	       (double)figures.fired / (double)figures.events);
	if (ruleset_has_stage(ruleset, RULES_STAGE_TRAIL)) {
		best = best_of(matcher, events, RULES_STAGE_TRAIL);
		printf("%s rules at the verdict: %.0f trails/s (target %.0f: %s)\n", target->name,
		       best, target->events_per_second, verdict(best >= target->events_per_second));
	}
	printf("%s rules: resident %ld MiB more than the events alone, %llu limits of regular "
	       "expressions\n",
	       target->name, (resident_kib() - target->before_kib) / 1024,
	       (unsigned long long)matcher_figures(matcher).regex_limits);
	matcher_free(matcher);
	ruleset_free(ruleset);
}

/* Reads a folder and measures its rules. */
static void bench_folder(const char *folder, const struct events *events,
			 const struct target *target)
{
	struct pack_options options = {
		.folders = &folder, .folder_count = 1, .example_lists = true};
	double start = cpu_seconds();
	struct pack *pack;
	struct error err;

	if (pack_read(&options, &pack, &err) != 0) {
		stop(&err);
	}
	measure(pack, events, target, cpu_seconds() - start);
}

int main(int argc, char **argv)
{
	struct events events = make_events();
	struct error err;
	char folder[256];

	if (argc == 1) {
		if (rulemix_write(RULES, MIX_SEED, folder, &err) != 0) {
			stop(&err);
		}
		bench_folder(folder, &events, &(struct target){"generated", resident_kib(), 50000});
		rulemix_remove(folder, RULES);
	}
	bench_folder(argc > 1 ? argv[1] : "conf/rules", &events,
		     &(struct target){"shipped", resident_kib(), 500000});
	for (size_t i = 0; i < events.count; i++) {
		buf_done(&events.kept[i].bytes);
	}
	free(events.kept);
	return 0;
}
