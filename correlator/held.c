#include "correlator/held.h"

#include "base/parse.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_LINE "querytrail leaves 1"
#define STOP_MS    1000
#define SAID_BYTES 700

void held_init(struct held *held)
{
	*held = (struct held){.process = {.pid = -1, .in_fd = -1, .out_fd = -1}, .out_fd = -1};
	leafset_init(&held->all);
}

static void end_child(struct held *held)
{
	if (held->runs) {
		(void)process_stop(&held->process, STOP_MS); /* what it found is not wanted */
	}
	held->runs = false;
	if (held->out_fd >= 0) {
		(void)close(held->out_fd);
	}
	held->out_fd = -1;
}

void held_clear(struct held *held)
{
	end_child(held);
	for (size_t i = 0; i < held->count; i++) {
		leafset_done(&held->list[i].leaves);
	}
	free(held->list);
	held->list = NULL;
	held->count = 0;
	leafset_clear(&held->all);
}

void held_done(struct held *held)
{
	held_clear(held);
	leafset_done(&held->all);
}

int held_begin(struct held *held, const char *store_dir, const char *config, struct error *err)
{
	struct buf program;
	const char *argv[] = {"querytrail", "hold",     "leaves", "--store",
			      store_dir,    "--config", config,   NULL};
	if (config == NULL) {
		argv[5] = NULL;
	}
	held_clear(held);
	buf_init(&program, 4096);
	int rc = process_find(argv[0], &program, err);
	if (rc == 0) {
		held->out_fd = memfd_create("leaves", MFD_CLOEXEC);
		rc = held->out_fd < 0 ? error_errno(err, "no place for what legal holds cover") : 0;
	}
	if (rc == 0) {
		const struct process_start how = {.path = program.ptr,
						  .argv = argv,
						  .out_fd = held->out_fd,
						  .err_fd = held->out_fd};
		rc = process_start(&how, &held->process, err);
		held->runs = rc == 0;
	}
	buf_done(&program);
	if (rc < 0) {
		end_child(held);
	}
	return rc;
}

static int add_one(struct held *held, struct str name, struct error *err)
{
	struct held_one *larger = realloc(held->list, (held->count + 1) * sizeof *larger);
	if (larger == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the legal holds");
	}
	held->list = larger;
	struct held_one *one = &held->list[held->count++];
	leafset_init(&one->leaves);
	memcpy(one->name, name.ptr, name.len);
	one->name[name.len] = 0;
	return 0;
}

/* One line; *out_end: it is the last one. */
static int take_line(struct held *held, struct str line, bool *out_end, struct error *err)
{
	struct str rest = line;
	struct str word = str_split(&rest, ' ');
	uint64_t first = 0;
	uint64_t last = 0;
	if (str_is(word, "hold") && record_source_is_allowed(rest)) {
		return add_one(held, rest, err);
	}
	if (str_is(word, "end") && parse_u64(rest, &first) && first == held->count) {
		*out_end = true;
		return 0;
	}
	if (held->count == 0 || !parse_u64(word, &first) || !parse_u64(rest, &last) ||
	    last < first) {
		return error_set(err, ERR_CORRUPT,
				 "what legal holds cover cannot be told from \"%.*s\"",
				 line.len > 200 ? 200 : (int)line.len, line.ptr);
	}
	return leafset_add(&held->list[held->count - 1].leaves, first, last, err);
}

int held_read(struct held *held, struct str text, struct error *err)
{
	bool end = false;
	int rc = 0;
	if (!str_is(str_split(&text, '\n'), FIRST_LINE)) {
		return error_set(err, ERR_CORRUPT,
				 "querytrail does not say what legal holds cover");
	}
	while (rc == 0 && !end && text.ptr != NULL) {
		rc = take_line(held, str_split(&text, '\n'), &end, err);
	}
	if (rc == 0 && (!end || text.len > 0)) {
		rc = error_set(err, ERR_CORRUPT, "what legal holds cover is cut off");
	}
	for (size_t i = 0; i < held->count; i++) {
		leafset_settle(&held->list[i].leaves);
		rc = rc < 0 ? rc : leafset_unite(&held->all, &held->list[i].leaves, err);
	}
	return rc;
}

/* What the child printed, all of it. */
static int take_output(struct held *held, int status, struct error *err)
{
	struct stat st;
	if (fstat(held->out_fd, &st) != 0 || (uint64_t)st.st_size > HELD_OUTPUT_MAX) {
		return error_set(err, ERR_IO, "what legal holds cover cannot be read");
	}
	struct buf text;
	size_t size = (size_t)st.st_size;
	buf_init(&text, size + 1);
	int rc = buf_reserve(&text, size + 1);
	if (rc < 0 || (size > 0 && pread(held->out_fd, text.ptr, size, 0) != (ssize_t)size)) {
		rc = error_set(err, ERR_IO, "what legal holds cover cannot be read");
	} else if (status != 0) {
		size_t said = size < SAID_BYTES ? size : SAID_BYTES;
		rc = error_set(err, ERR_IO, "querytrail hold leaves ended with status %d: %.*s",
			       status, (int)said, size > 0 ? text.ptr : "");
	} else {
		rc = held_read(held, str_make(text.ptr, size), err);
	}
	buf_done(&text);
	return rc;
}

int held_look(struct held *held, bool *out_known, struct error *err)
{
	int status = 0;
	*out_known = !held->runs;
	if (!held->runs || !process_wait(&held->process, 0, &status)) {
		return 0;
	}
	held->runs = false;
	int rc = take_output(held, status, err);
	end_child(held);
	if (rc < 0) {
		held_clear(held);
		return rc;
	}
	*out_known = true;
	return 0;
}

void held_put_names(const struct held *held, const struct leafset *leaves, struct buf *out)
{
	bool first = true;
	for (size_t i = 0; i < held->count; i++) {
		if (leafset_shared(&held->list[i].leaves, leaves) > 0) {
			buf_put_text(out, first ? "" : ", ");
			buf_put_text(out, held->list[i].name);
			first = false;
		}
	}
}
