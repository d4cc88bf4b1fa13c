#include "query/import-progress.h"

#include "base/clock.h"
#include "base/io.h"
#include "query/store-sizes.h"
#include "query/when.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BAR_MOST      24
#define BAR_LEAST     8
#define GZIP_LEAST    18 /* bytes of a gzip file */
#define GZIP_WRAP     (UINT64_C(1) << 32)
#define SMOOTH_S      5.0 /* seconds that the speed is an average of, about */
#define LEFT_MAX_S    (100.0 * 86400)
#define PARTS_MAX     8
#define PACE_LEAST_NS (100 * NS_PER_MS)

static bool read_gzip(int fd, struct import_file *file)
{
	uint8_t begin[2], end[4];
	if (file->bytes < GZIP_LEAST || pread(fd, begin, 2, 0) != 2 || begin[0] != 0x1f ||
	    begin[1] != 0x8b || pread(fd, end, 4, (off_t)file->bytes - 4) != 4) {
		return false;
	}
	struct wire_reader reader = wire_reader(str_make((const char *)end, 4));
	file->unpacked = wire_u32(&reader);
	while (file->unpacked <
	       file->bytes) { /* it is the size modulo 2^32, and packing does not make larger */
		file->unpacked += GZIP_WRAP;
	}
	return true;
}

void import_file_look(const char *path, struct import_file *out)
{
	struct stat status;
	*out = (struct import_file){.path = path};
	IO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		return;
	}
	out->bytes = (uint64_t)status.st_size;
	out->unpacked = out->bytes;
	out->changed = status.st_ctim;
	out->is_packed = read_gzip(fd, out);
}

uint64_t import_files_hash(const struct import_file *files, size_t count)
{
	uint64_t hash = count;
	for (size_t i = 0; i < count; i++) {
		hash = filecursor_hash(hash, str_of(files[i].path));
	}
	return hash;
}

uint64_t import_files_bytes(const struct import_file *files, size_t count)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < count; i++) {
		bytes += files[i].bytes;
	}
	return bytes;
}

uint64_t import_files_done(const struct import_file *files, size_t count,
			   const struct filecursor *cursor)
{
	size_t whole = cursor->file_index < count ? (size_t)cursor->file_index : count;
	uint64_t bytes = import_files_bytes(files, whole);
	if (whole < count && files[whole].unpacked > 0) {
		const struct import_file *file = &files[whole];
		double part = (double)cursor->offset / (double)file->unpacked;
		bytes += part < 1 ? (uint64_t)((double)file->bytes * part) : file->bytes;
	}
	return bytes;
}

/* What the phase counts: how much is done, and of how much; 0: it can't tell. */
static uint64_t done_of(const struct import_state *state, uint64_t *out_all)
{
	*out_all = state->phase == IMPORT_READING   ? state->all_bytes
		   : state->phase == IMPORT_SEALING ? state->stored
						    : 0;
	return state->phase == IMPORT_READING ? state->done_bytes : state->sealed;
}

static void start_pace(struct import_pace *pace, int64_t now_ns, const struct import_state *state,
		       uint64_t done)
{
	*pace = (struct import_pace){.last_ns = now_ns,
				     .last_records = state->records,
				     .last_done = done,
				     .phase = state->phase,
				     .records = pace->records};
}

/* An average in which what is older than SMOOTH_S counts little. */
static double smooth(double before, double now, double seconds)
{
	double weight = 1 - exp(-seconds / SMOOTH_S);
	return before > 0 ? before + (now - before) * weight : now;
}

void import_pace_take(struct import_pace *pace, int64_t now_ns, struct import_state *state)
{
	uint64_t all = 0;
	uint64_t done = done_of(state, &all);
	if (pace->last_ns == 0 || pace->phase != state->phase) {
		start_pace(pace, now_ns, state, done);
	}
	double seconds = (double)(now_ns - pace->last_ns) / NS_PER_SEC;
	if (now_ns - pace->last_ns >= PACE_LEAST_NS) {
		double came = (double)(state->records - pace->last_records);
		double went = done > pace->last_done ? (double)(done - pace->last_done) : 0;
		pace->records = smooth(pace->records, came / seconds, seconds);
		pace->done = smooth(pace->done, went / seconds, seconds);
		pace->last_ns = now_ns;
		pace->last_records = state->records;
		pace->last_done = done;
	}
	double left = all > done && pace->done > 0 ? (double)(all - done) / pace->done : -1;
	state->per_second = state->phase == IMPORT_READING ? pace->records : 0;
	state->left_ns = left >= 0 && left < LEFT_MAX_S ? (int64_t)(left * NS_PER_SEC) : -1;
}

/* A part of the line; those of rank 0 stay. */
struct part {
	char text[48];
	unsigned rank; /* the larger goes first */
};

struct parts {
	struct part part[PARTS_MAX];
	size_t count;
};

static void add_part(struct parts *parts, unsigned rank, struct buf *text)
{
	struct part *part = &parts->part[parts->count++];
	(void)snprintf(part->text, sizeof(part->text), "%.*s", STR_ARG(buf_str(text))); /* fits */
	part->rank = rank;
	buf_clear(text);
}

static void add_amounts(const struct import_state *state, struct parts *parts, struct buf *text)
{
	if (state->phase == IMPORT_READING && state->file_count > 1) {
		buf_putf(text, "file %zu of %zu", state->file, state->file_count);
		add_part(parts, 6, text);
	}
	if (state->phase == IMPORT_READING) {
		sizes_put(text, state->done_bytes);
		buf_put_text(text, " of ");
		sizes_put(text, state->all_bytes);
		add_part(parts, 5, text);
	}
	if (state->phase == IMPORT_SEALING) {
		buf_putf(text, "%llu of %llu records", (unsigned long long)state->sealed,
			 (unsigned long long)state->stored);
	} else {
		buf_putf(text, "%llu records", (unsigned long long)state->records);
	}
	add_part(parts, 4, text);
	if (state->per_second >= 1) {
		buf_putf(text, "%.0f/s", state->per_second);
		add_part(parts, 3, text);
	}
	if (state->left_ns >= 0) {
		when_put_age(text, state->left_ns);
		buf_put_text(text, " left");
		add_part(parts, 2, text);
	}
}

static size_t width_of(const struct parts *parts, unsigned most_rank)
{
	size_t width = 0;
	for (size_t i = 0; i < parts->count; i++) {
		if (parts->part[i].rank <= most_rank) {
			width += strlen(parts->part[i].text) + (width > 0 ? 2 : 0);
		}
	}
	return width;
}

static void put_bar(double share, size_t width, struct buf *out)
{
	size_t full = (size_t)(share * (double)(width - 2));
	buf_put_byte(out, '[');
	buf_put_fill(out, '#', full);
	buf_put_fill(out, '-', width - 2 - full);
	buf_put_text(out, "]  ");
}

void import_state_put(const struct import_state *state, size_t width, struct buf *out)
{
	static const char *const names[] = {"reading", "joining", "sealing"};
	struct parts parts = {.count = 0};
	struct buf text;
	uint64_t all = 0;
	uint64_t done = done_of(state, &all);
	double share = all == 0 ? -1 : done >= all ? 1 : (double)done / (double)all;
	unsigned rank = 9;
	buf_init(&text, 1024);
	buf_put_text(&text, names[state->phase]);
	add_part(&parts, share >= 0, &text); /* a share says more than the name */
	if (share >= 0) {
		buf_putf(&text, "%.0f %%", floor(share * 100));
		add_part(&parts, 0, &text);
	}
	add_amounts(state, &parts, &text);
	buf_done(&text);
	while (rank > 0 && width_of(&parts, rank) > width) {
		rank--;
	}
	size_t used = width_of(&parts, rank);
	size_t bar = used + 2 < width ? width - used - 2 : 0;
	bool first = true;
	for (size_t i = 0; i < parts.count && used <= width; i++) {
		if (parts.part[i].rank > rank) {
			continue;
		}
		buf_put_text(out, first ? "" : "  ");
		first = false;
		if (i == 1 && share >= 0 && bar >= BAR_LEAST) {
			put_bar(share, bar < BAR_MOST ? bar : BAR_MOST, out);
		}
		buf_put_text(out, parts.part[i].text);
	}
}
