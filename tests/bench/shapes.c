/* How many shapes the benchmark's data set takes, what is kept of a record, and how fast records are fitted and rendered.
 *
 * usage: bench-shapes [REQUESTS] */
#include "base/parse.h"
#include "tests/bench/world.h"
#include "tests/unit/shape-desk.h"

#include <stdio.h>
#include <time.h>

#define BATCH 4096

struct bench {
	struct desk desk;
	struct record records[BATCH];
	struct record again[64];
	struct shape_fit fits[64];
	size_t count;
	uint64_t rows, kept_bytes, bad, shapeless;
	int64_t fit_ns, render_ns;
};

/* Of this process alone: others may run beside it. */
static int64_t cpu_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* a clock that is always there */
	return (int64_t)now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

static void run_batch(struct bench *bench)
{
	struct desk *desk = &bench->desk;
	struct shape_links links = DESK_NO_LINKS;
	struct record *again = bench->again;
	for (size_t from = 0; from < bench->count; from += 64) {
		size_t to = from + 64 < bench->count ? from + 64 : bench->count;
		int64_t start = cpu_ns();
		for (size_t i = from; i < to; i++) {
			(void)shapes_fit(desk->shapes, &bench->records[i], &links, &desk->arena,
					 &bench->fits[i - from]); /* measured, checked below */
		}
		bench->fit_ns += cpu_ns() - start;
		for (size_t i = from; i < to; i++) {
			desk->fit = bench->fits[i - from];
			desk_keep(desk, &bench->records[i], &again[i - from]);
		}
		start = cpu_ns();
		for (size_t i = from; i < to; i++) {
			bench->bad += shapes_render(desk->shapes, &bench->fits[i - from], &links,
						    &desk->arena, &again[i - from]) != 0;
		}
		bench->render_ns += cpu_ns() - start;
		for (size_t i = from; i < to; i++) {
			desk->fit = bench->fits[i - from];
			bench->kept_bytes += desk_size(desk, &bench->records[i]);
			bench->bad +=
				!desk_comes_back(desk, desk->shapes, &bench->records[i], &links);
			bench->shapeless += desk->fit.shape == 0;
		}
	}
	bench->rows += bench->count;
	bench->count = 0;
	arena_clear(&desk->arena);
}

static int put(void *owner, enum world_file file, struct str line, struct error *err)
{
	struct bench *bench = owner;
	struct record *record = &bench->records[bench->count];
	struct str kept;
	(void)err;
	if (arena_str(&bench->desk.arena, str_slice(line, 0, line.len - 1), &kept) == 0 &&
	    (file == WORLD_ACCESS ? desk_request(&bench->desk, kept, 0, record)
				  : desk_statement(&bench->desk, kept, 0, record))) {
		bench->count++;
	}
	if (bench->count == BATCH) {
		run_batch(bench);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct world_options options = {.requests = 20000, .seed = 1};
	struct bench *bench = calloc(1, sizeof *bench);
	struct world_shape *shape = calloc(1, sizeof *shape);
	struct error err;
	if (bench == NULL || shape == NULL ||
	    (argc > 1 && !parse_u64(str_of(argv[1]), &options.requests))) {
		return 2;
	}
	desk_begin(&bench->desk);
	const struct world_sink sink = {.put = put, .owner = bench};
	if (world_write(&options, &sink, shape, &err) != 0) {
		return 2;
	}
	run_batch(bench);
	struct buf saved;
	buf_init(&saved, 0);
	shapes_save(bench->desk.shapes, &saved);
	double rows = (double)bench->rows;
	printf("%llu records, %zu shapes (%zu bytes), %zu names, %llu without shape, %llu wrong\n",
	       (unsigned long long)bench->rows, shapes_count(bench->desk.shapes), saved.len,
	       shapes_slot_count(bench->desk.shapes), (unsigned long long)bench->shapeless,
	       (unsigned long long)bench->bad);
	printf("fit %.0f ns, render %.0f ns a record; %.0f bytes kept of a record, before "
	       "packing\n",
	       (double)bench->fit_ns / rows, (double)bench->render_ns / rows,
	       (double)bench->kept_bytes / rows);
	for (size_t i = 0; argc > 2 && i < shapes_slot_count(bench->desk.shapes); i++) {
		struct str name = shapes_slot_name(bench->desk.shapes, (uint32_t)i);
		printf("%.*s\n", STR_ARG(name));
	}
	buf_done(&saved);
	int status = bench->bad != 0;
	desk_end(&bench->desk);
	free(bench);
	free(shape);
	return status;
}
