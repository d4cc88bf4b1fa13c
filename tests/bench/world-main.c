/* Writes the data set of the store's benchmark into a folder: access.jsonl, audit.jsonl, floor.json.
 *
 * usage: bench-world [--requests N] [--seed N] [--day N] [--quiet] DIR   the set; prints its shape beside the wanted one
 *        bench-world --check [--requests N]                      writes nothing; exit status 1 when the shape differs */
#include "base/clock.h"
#include "base/parse.h"
#include "tests/bench/world.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define BUFFER_BYTES (4u << 20)

struct files {
	FILE *file[WORLD_FILES];
};

static int put_file(void *owner, enum world_file file, struct str line, struct error *err)
{
	struct files *files = owner;
	if (fwrite_unlocked(line.ptr, 1, line.len, files->file[file]) != line.len) {
		return error_set(err, ERR_IO, "the data set: %s", strerror(errno));
	}
	return 0;
}

static int put_nowhere(void *owner, enum world_file file, struct str line, struct error *err)
{
	(void)owner;
	(void)file;
	(void)line;
	(void)err;
	return 0;
}

static FILE *open_in(const char *dir, const char *name)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name); /* cut off, it does not open */
	FILE *file = fopen(path, "w");
	if (file == NULL) {
		(void)fprintf(stderr, "bench-world: %s: %s\n", path, strerror(errno));
	}
	return file;
}

static int write_set(const struct world_options *options, const char *dir,
		     struct world_shape *shape)
{
	struct files files;
	struct world_sink sink = {.put = put_file, .owner = &files};
	struct error err;
	(void)mkdir(dir, 0777); /* when it is there, good; else open says why */
	files.file[WORLD_ACCESS] = open_in(dir, "access.jsonl");
	files.file[WORLD_AUDIT] = open_in(dir, "audit.jsonl");
	FILE *floor = open_in(dir, "floor.json");
	if (files.file[WORLD_ACCESS] == NULL || files.file[WORLD_AUDIT] == NULL || floor == NULL) {
		return 2;
	}
	(void)setvbuf(files.file[WORLD_ACCESS], NULL, _IOFBF, BUFFER_BYTES);
	(void)setvbuf(files.file[WORLD_AUDIT], NULL, _IOFBF, BUFFER_BYTES);
	if (world_write(options, &sink, shape, &err) < 0) {
		(void)fprintf(stderr, "bench-world: %s\n", err.text);
		return 2;
	}
	world_put_floor(shape, options, floor);
	bool closed = fclose(files.file[WORLD_ACCESS]) == 0;
	closed = fclose(files.file[WORLD_AUDIT]) == 0 && closed;
	closed = fclose(floor) == 0 && closed;
	if (!closed) {
		(void)fprintf(stderr, "bench-world: %s: %s\n", dir, strerror(errno));
		return 2;
	}
	return 0;
}

struct arguments {
	struct world_options options;
	const char *dir; /* NULL with --check */
	bool quiet;
};

static bool read_arguments(int argc, char **argv, struct arguments *out)
{
	bool check = false, good = true;
	for (int i = 1; i < argc && good; i++) {
		bool more = i + 1 < argc;
		if (strcmp(argv[i], "--requests") == 0 && more) {
			good = parse_u64(str_of(argv[++i]), &out->options.requests) &&
			       out->options.requests > 0;
		} else if (strcmp(argv[i], "--seed") == 0 && more) {
			good = parse_u64(str_of(argv[++i]), &out->options.seed);
		} else if (strcmp(argv[i], "--day") == 0 && more) {
			good = parse_u64(str_of(argv[++i]), &out->options.day) &&
			       out->options.day < 1000;
		} else if (strcmp(argv[i], "--check") == 0) {
			check = true;
		} else if (strcmp(argv[i], "--quiet") == 0) {
			out->quiet = true;
		} else {
			good = out->dir == NULL && argv[i][0] != '-';
			out->dir = argv[i];
		}
	}
	return good && check == (out->dir == NULL);
}

static int check_set(const struct world_options *options, struct world_shape *shape)
{
	struct world_sink nowhere = {.put = put_nowhere};
	struct error err;
	if (world_write(options, &nowhere, shape, &err) < 0) {
		(void)fprintf(stderr, "bench-world: %s\n", err.text);
		return 2;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct world_shape shape;
	struct arguments arguments = {.options = {.requests = 100000, .seed = 1}};
	if (!read_arguments(argc, argv, &arguments)) {
		(void)fprintf(
			stderr,
			"usage: bench-world [--requests N] [--seed N] [--day N] [--quiet] DIR\n"
			"       bench-world --check [--requests N] [--seed N]\n");
		return 2;
	}
	int64_t start = clock_monotonic_ns();
	int status = arguments.dir == NULL ? check_set(&arguments.options, &shape)
					   : write_set(&arguments.options, arguments.dir, &shape);
	if (status != 0) {
		return status;
	}
	double seconds = (double)(clock_monotonic_ns() - start) / 1e9;
	size_t misses = arguments.quiet ? 0 : world_check(&shape, stdout);
	uint64_t bytes = shape.bytes[WORLD_ACCESS] + shape.bytes[WORLD_AUDIT];
	(void)printf("%llu lines and %llu rows, %.1f MB in %.1f s (%.0f MB/s)\n",
		     (unsigned long long)shape.lines[WORLD_ACCESS],
		     (unsigned long long)shape.lines[WORLD_AUDIT], (double)bytes / 1e6, seconds,
		     (double)bytes / 1e6 / seconds);
	return arguments.dir == NULL && misses > 0 ? 1 : 0;
}
