#include "correlator/ledger.h"

#include "base/digest.h"
#include "base/hash.h"
#include "base/io.h"
#include "correlator/ledger-line.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILE_MAX    (4ull << 30)
#define DAMAGE_KEPT 16
#define FILE_MODE   0600
#define ENTRIES_MAX (1u << 20)

struct ledger {
	char *path;
	struct ledger_entry *entries;
	size_t entry_count, entry_room;
	struct ledger_digest *digests;
	size_t digest_count, digest_room;
	struct u64map
		index; /* first half of a digest, or the next free number behind it, to its place */
	struct strmap by_id;
	char *damage[DAMAGE_KEPT];
	size_t damage_count;
	char last[LEDGER_LINE_DIGITS + 1]; /* digest of the last line; "" at first */
	uint64_t whole_bytes;              /* up to the end of the last line */
};

const char *ledger_path(const struct ledger *ledger)
{
	return ledger->path;
}

size_t ledger_entry_count(const struct ledger *ledger)
{
	return ledger->entry_count;
}

const struct ledger_entry *ledger_entry(const struct ledger *ledger, size_t index)
{
	return &ledger->entries[index];
}

const struct ledger_entry *ledger_find(const struct ledger *ledger, struct str id)
{
	const uint64_t *at = strmap_get(&ledger->by_id, id);
	return at != NULL ? &ledger->entries[*at] : NULL;
}

const struct ledger_digest *ledger_digests(const struct ledger *ledger, size_t *out_count)
{
	*out_count = ledger->digest_count;
	return ledger->digests;
}

size_t ledger_damage_count(const struct ledger *ledger)
{
	return ledger->damage_count;
}

const char *ledger_damage(const struct ledger *ledger, size_t index)
{
	return index < DAMAGE_KEPT && index < ledger->damage_count ? ledger->damage[index] : NULL;
}

void ledger_digest_of(struct str source, struct str key, uint8_t out[LEDGER_DIGEST_BYTES])
{
	uint8_t whole[DIGEST_BYTES];
	const struct str parts[] = {source, str_make("", 1), key};
	digest_sha256_parts(parts, 3, whole);
	memcpy(out, whole, LEDGER_DIGEST_BYTES);
}

static uint64_t first_half(const uint8_t *bytes)
{
	uint64_t number = 0;
	memcpy(&number, bytes, sizeof number); /* only ever compared with others made so */
	return number;
}

/* The place of a digest; NULL when it is not there, and then *out_slot is where it belongs. */
static struct ledger_digest *place_of(const struct ledger *ledger, const uint8_t *bytes,
				      uint64_t *out_slot)
{
	uint64_t slot = first_half(bytes);
	const uint64_t *at = u64map_get(&ledger->index, slot);
	while (at != NULL && memcmp(ledger->digests[*at].bytes, bytes, LEDGER_DIGEST_BYTES) != 0) {
		at = u64map_get(&ledger->index, ++slot);
	}
	*out_slot = slot;
	return at != NULL ? &ledger->digests[*at] : NULL;
}

const struct ledger_entry *ledger_entry_of(const struct ledger *ledger, struct str source,
					   struct str key)
{
	uint8_t bytes[LEDGER_DIGEST_BYTES];
	uint64_t slot = 0;
	if (ledger->digest_count == 0) {
		return NULL;
	}
	ledger_digest_of(source, key, bytes);
	const struct ledger_digest *found = place_of(ledger, bytes, &slot);
	return found != NULL ? &ledger->entries[found->entry] : NULL;
}

enum ledger_kind ledger_look(const struct ledger *ledger, struct str source, struct str key)
{
	const struct ledger_entry *entry = ledger_entry_of(ledger, source, key);
	return entry != NULL ? entry->kind : LEDGER_NONE;
}

static int no_memory(const struct ledger *ledger, struct error *err)
{
	return error_set(err, ERR_NOMEM, "no memory for the ledger of erasures %s", ledger->path);
}

/* Makes room for one more of size bytes. */
static int grow(void **memory, size_t *room, size_t count, size_t size)
{
	if (count < *room) {
		return 0;
	}
	size_t wanted = *room > 0 ? *room * 2 : 64;
	void *larger = realloc(*memory, wanted * size);
	if (larger == NULL) {
		return -ERR_NOMEM;
	}
	*memory = larger;
	*room = wanted;
	return 0;
}

/* A record may be in several erasures: the one that takes the most holds. */
static int take_digest(struct ledger *ledger, const uint8_t *bytes, uint32_t entry,
		       struct error *err)
{
	uint64_t slot = 0;
	void *memory = ledger->digests;
	struct ledger_digest *found = place_of(ledger, bytes, &slot);
	if (found != NULL && ledger->entries[found->entry].kind >= ledger->entries[entry].kind) {
		return 0;
	}
	if (ledger->digest_count == LEDGER_RECORDS_MAX) {
		return error_set(err, ERR_LIMIT, "%s names more than %u records", ledger->path,
				 LEDGER_RECORDS_MAX);
	}
	if (grow(&memory, &ledger->digest_room, ledger->digest_count, sizeof *ledger->digests) <
	    0) {
		return no_memory(ledger, err);
	}
	ledger->digests = memory;
	struct ledger_digest *digest = &ledger->digests[ledger->digest_count];
	memcpy(digest->bytes, bytes, LEDGER_DIGEST_BYTES);
	digest->entry = entry;
	if (u64map_put(&ledger->index, slot, ledger->digest_count) < 0) {
		return no_memory(ledger, err);
	}
	ledger->digest_count++;
	return 0;
}

static int take_entry(struct ledger *ledger, const struct ledger_line *line, uint32_t *out_entry,
		      struct error *err)
{
	const uint64_t *at = strmap_get(&ledger->by_id, str_of(line->id));
	if (at != NULL) {
		*out_entry = (uint32_t)*at;
		return 0;
	}
	void *memory = ledger->entries;
	if (grow(&memory, &ledger->entry_room, ledger->entry_count, sizeof *ledger->entries) < 0) {
		return no_memory(ledger, err);
	}
	ledger->entries = memory;
	struct ledger_entry *entry = &ledger->entries[ledger->entry_count];
	*entry = (struct ledger_entry){.kind = line->kind, .time_ns = line->time_ns};
	memcpy(entry->id, line->id, sizeof entry->id);
	memcpy(entry->store, line->store, sizeof entry->store);
	if (strmap_put(&ledger->by_id, str_of(line->id), ledger->entry_count) < 0) {
		return no_memory(ledger, err);
	}
	*out_entry = (uint32_t)ledger->entry_count++;
	return 0;
}

/* Takes what a line says. */
static int take_line(struct ledger *ledger, const struct ledger_line *line, struct error *err)
{
	uint32_t entry = 0;
	int rc = take_entry(ledger, line, &entry, err);
	struct str digests = buf_str(&line->digests);
	for (size_t at = 0; rc == 0 && at < digests.len; at += LEDGER_DIGEST_BYTES) {
		rc = take_digest(ledger, (const uint8_t *)digests.ptr + at, entry, err);
		ledger->entries[entry].record_count++;
	}
	return rc;
}

static void note_damage(struct ledger *ledger, size_t number, const char *what)
{
	struct buf text;
	buf_init(&text, ERROR_TEXT_MAX);
	buf_putf(&text, "%.500s, line %zu: %s", ledger->path, number, what);
	if (ledger->damage_count < DAMAGE_KEPT) {
		ledger->damage[ledger->damage_count] =
			text.ptr; /* NULL without memory: it is counted */
	} else {
		buf_done(&text);
	}
	ledger->damage_count++;
}

/* Reads all lines that have an end. */
static int read_lines(struct ledger *ledger, struct str text, struct error *err)
{
	struct ledger_line line;
	size_t number = 0;
	int rc = 0;
	ledger_line_init(&line);
	while (rc == 0) {
		ptrdiff_t end = str_find_byte(text, '\n', (size_t)ledger->whole_bytes);
		if (end < 0) {
			break;
		}
		struct str whole = str_slice(text, (size_t)ledger->whole_bytes,
					     (size_t)end - (size_t)ledger->whole_bytes);
		ledger->whole_bytes = (uint64_t)end + 1;
		number++;
		const char *problem = ledger_line_read(whole, &line);
		if (problem != NULL) {
			note_damage(ledger, number, problem);
		} else {
			if (strcmp(line.prev, ledger->last) != 0) {
				note_damage(ledger, number,
					    "the line before it was changed or is missing");
			}
			rc = take_line(ledger, &line, err);
		}
		ledger_line_digest_of(whole, ledger->last);
	}
	ledger_line_done(&line);
	return rc;
}

static int read_all(struct ledger *ledger, struct error *err)
{
	struct buf text;
	struct stat st;
	if (stat(ledger->path, &st) != 0 && errno == ENOENT) {
		return 0;
	}
	buf_init(&text, (size_t)FILE_MAX);
	int rc = io_read_file(ledger->path, (size_t)FILE_MAX, &text, err);
	if (rc < 0) {
		error_prefix(err, "the ledger of erasures cannot be read");
		err->code = ERR_CONFIG;
		rc = -ERR_CONFIG;
	} else {
		rc = read_lines(ledger, buf_str(&text), err);
	}
	buf_done(&text);
	return rc;
}

int ledger_open(const char *path, struct ledger **out_ledger, struct error *err)
{
	struct ledger *ledger = calloc(1, sizeof *ledger);
	if (ledger == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the ledger of erasures %s", path);
	}
	u64map_init(&ledger->index, LEDGER_RECORDS_MAX);
	strmap_init(&ledger->by_id, ENTRIES_MAX);
	ledger->path = strdup(path);
	int rc = ledger->path == NULL ? error_set(err, ERR_NOMEM,
						  "no memory for the ledger of erasures %s", path)
				      : read_all(ledger, err);
	if (rc < 0) {
		ledger_close(ledger);
		return rc;
	}
	*out_ledger = ledger;
	return 0;
}

void ledger_close(struct ledger *ledger)
{
	if (ledger == NULL) {
		return;
	}
	for (size_t i = 0; i < DAMAGE_KEPT; i++) {
		free(ledger->damage[i]);
	}
	u64map_done(&ledger->index);
	strmap_done(&ledger->by_id);
	free(ledger->entries);
	free(ledger->digests);
	free(ledger->path);
	free(ledger);
}

/* The file's name becomes durable too. */
static int sync_folder(const struct ledger *ledger, struct error *err)
{
	char *path = strdup(ledger->path);
	if (path == NULL) {
		return no_memory(ledger, err);
	}
	IO_CLOSE int fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(path);
	if (fd < 0 || fsync(fd) != 0) {
		return error_errno(err, "the folder of %s", ledger->path);
	}
	return 0;
}

static int write_lines(struct ledger *ledger, struct str lines, struct error *err)
{
	IO_CLOSE int fd = open(ledger->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
			       FILE_MODE);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0) {
		return error_errno(err, "%s", ledger->path);
	}
	if ((uint64_t)st.st_size < ledger->whole_bytes) {
		return error_set(err, ERR_IO,
				 "%s is shorter than it was when querytraild read it: somebody "
				 "else writes to it",
				 ledger->path);
	}
	if ((uint64_t)st.st_size > ledger->whole_bytes &&
	    ftruncate(fd, (off_t)ledger->whole_bytes) != 0) {
		return error_errno(err, "%s", ledger->path);
	}
	int rc = io_write_all(fd, lines, err);
	if (rc < 0) {
		error_prefix(err, "%s", ledger->path);
		return rc;
	}
	if (fsync(fd) != 0) {
		return error_errno(err, "%s", ledger->path);
	}
	return ledger->whole_bytes == 0 ? sync_folder(ledger, err) : 0;
}

int ledger_append(struct ledger *ledger, const struct ledger_append *entry, struct error *err)
{
	const size_t step = (size_t)LEDGER_LINE_RECORDS * LEDGER_DIGEST_BYTES;
	struct buf lines;
	struct ledger_line line;
	size_t at = 0;
	buf_init(&lines, 0);
	ledger_line_init(&line);
	ledger_line_begin(&line, entry);
	(void)snprintf(line.prev, sizeof line.prev, "%s", ledger->last); /* fits */
	do {
		buf_clear(&line.digests);
		buf_put_str(&line.digests, str_slice(entry->digests, at, step));
		at += step;
		ledger_line_put(&line, entry, at == step, &lines);
	} while (at < entry->digests.len);
	int rc = buf_check(&lines, "an entry of the ledger of erasures", err);
	rc = rc < 0 ? rc : write_lines(ledger, buf_str(&lines), err);
	if (rc == 0) {
		ledger->whole_bytes += lines.len;
		memcpy(ledger->last, line.prev, sizeof ledger->last);
		buf_clear(&line.digests);
		buf_put_str(&line.digests, entry->digests);
		rc = take_line(ledger, &line, err);
	}
	ledger_line_done(&line);
	buf_done(&lines);
	return rc;
}
