#include "query/zone.h"

#include "base/clock.h"
#include "base/io.h"
#include "base/parse.h"

#include <stdlib.h>

#define ZONE_FILE_MAX (1u << 20)
#define HEADER_BYTES  44

struct zone zone_utc(void)
{
	struct zone zone = {.name = "UTC"};
	return zone;
}

void zone_close(struct zone *zone)
{
	free(zone->at_s);
	free(zone->offset_s);
	*zone = zone_utc();
}

static bool two_digits(struct str text, size_t at, int *out)
{
	uint64_t value;
	if (at + 2 > text.len || !parse_u64(str_slice(text, at, 2), &value)) {
		return false;
	}
	*out = (int)value;
	return true;
}

/* "+HH:MM", "+HHMM" or "+HH". */
static bool parse_offset(struct str text, int32_t *out_s)
{
	int hours;
	int minutes = 0;
	if (text.len < 3 || (text.ptr[0] != '+' && text.ptr[0] != '-') ||
	    !two_digits(text, 1, &hours)) {
		return false;
	}
	size_t at = text.len > 3 && text.ptr[3] == ':' ? 4 : 3;
	if (text.len > 3 && (text.len != at + 2 || !two_digits(text, at, &minutes))) {
		return false;
	}
	if (hours > 23 || minutes > 59) {
		return false;
	}
	int32_t seconds = hours * 3600 + minutes * 60;
	*out_s = text.ptr[0] == '-' ? -seconds : seconds;
	return true;
}

static int64_t big_endian(struct str bytes, size_t at, size_t size)
{
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++) {
		value = value << 8 | (uint8_t)bytes.ptr[at + i];
	}
	return size == 4 ? (int64_t)(int32_t)(uint32_t)value : (int64_t)value;
}

struct counts { /* of a TZif header, in its order */
	size_t ut, standard, leap, time, type, chars;
};

static bool read_counts(struct str file, size_t at, struct counts *out)
{
	if (at + HEADER_BYTES > file.len || memcmp(file.ptr + at, "TZif", 4) != 0) {
		return false;
	}
	size_t *const field[] = {&out->ut,   &out->standard, &out->leap,
				 &out->time, &out->type,     &out->chars};
	for (size_t i = 0; i < 6; i++) {
		int64_t value = big_endian(file, at + 20 + 4 * i, 4);
		if (value < 0 || value > ZONE_TRANSITIONS_MAX) {
			return false;
		}
		*field[i] = (size_t)value;
	}
	return out->type > 0;
}

/* Fills transitions from a data block at `at` whose times have time_size bytes. */
static bool read_block(struct str file, size_t at, const struct counts *counts, size_t time_size,
		       struct zone *zone)
{
	size_t index_at = at + counts->time * time_size;
	size_t type_at = index_at + counts->time;
	if (type_at + counts->type * 6 > file.len) {
		return false;
	}
	zone->at_s = calloc(counts->time + 1, sizeof(*zone->at_s));
	zone->offset_s = calloc(counts->time + 1, sizeof(*zone->offset_s));
	if (zone->at_s == NULL || zone->offset_s == NULL) {
		return false;
	}
	zone->first_offset_s = (int32_t)big_endian(file, type_at, 4);
	for (size_t i = 0; i < counts->time; i++) {
		size_t type = (uint8_t)file.ptr[index_at + i];
		zone->at_s[i] = big_endian(file, at + i * time_size, time_size);
		if (type >= counts->type || (i > 0 && zone->at_s[i] < zone->at_s[i - 1])) {
			return false;
		}
		zone->offset_s[i] = (int32_t)big_endian(file, type_at + type * 6, 4);
	}
	zone->transition_count = counts->time;
	return true;
}

static bool read_zone(struct str file, struct zone *zone)
{
	struct counts counts;
	if (!read_counts(file, 0, &counts)) {
		return false;
	}
	size_t at = HEADER_BYTES;
	size_t time_size = 4;
	if (file.ptr[4] >= '2') {
		/* Behind the block of 32-bit times stands one of 64-bit times. */
		at += counts.time * 5 + counts.type * 6 + counts.chars + counts.leap * 8 +
		      counts.standard + counts.ut;
		time_size = 8;
		if (!read_counts(file, at, &counts)) {
			return false;
		}
		at += HEADER_BYTES;
	}
	return read_block(file, at, &counts, time_size, zone);
}

static bool is_zone_name(struct str name)
{
	if (name.len == 0 || name.len >= ZONE_NAME_MAX || name.ptr[0] == '/' ||
	    str_find(name, STR_LIT(".."), 0) >= 0) {
		return false;
	}
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || memchr("/_-+", c, 4) != NULL;
		if (!good) {
			return false;
		}
	}
	return true;
}

static int open_file(const char *path, struct zone *zone, struct error *err)
{
	struct buf file;
	buf_init(&file, ZONE_FILE_MAX);
	int result = io_read_file(path, ZONE_FILE_MAX, &file, err);
	if (result == 0 && !read_zone(buf_str(&file), zone)) {
		result = error_set(err, ERR_INPUT, "%s is not a time zone file", path);
	}
	buf_done(&file);
	return result;
}

int zone_open(struct str name, const char *folder, struct zone *out_zone, struct error *err)
{
	struct zone zone = zone_utc();
	if (str_equal_fold(name, STR_LIT("utc")) || str_equal_fold(name, STR_LIT("z"))) {
		*out_zone = zone;
		return 0;
	}
	int32_t offset;
	if (parse_offset(name, &offset)) {
		memcpy(zone.name, name.ptr, name.len);
		zone.name[name.len] = '\0';
		zone.first_offset_s = offset;
		*out_zone = zone;
		return 0;
	}
	struct buf path;
	buf_init(&path, 4096);
	struct str file = name;
	bool local = str_equal_fold(name, STR_LIT("local"));
	if (local && getenv("TZ") != NULL) {
		file = str_of(getenv("TZ"));
		file = file.len > 0 && file.ptr[0] == ':' ? str_slice(file, 1, file.len) : file;
		local = file.len == 0;
	}
	if (local) {
		buf_put_text(&path, "/etc/localtime");
	} else {
		buf_putf(&path, "%s/%.*s", folder != NULL ? folder : "/usr/share/zoneinfo",
			 STR_ARG(file));
	}
	int result = 0;
	if (!is_zone_name(file) || access(path.ptr, R_OK) != 0) {
		result =
			error_set(err, ERR_USAGE,
				  "\"%.*s\" is no time zone; say UTC, +02:00, local or a name such "
				  "as Europe/Berlin",
				  STR_ARG(file));
	} else {
		result = open_file(path.ptr, &zone, err);
	}
	buf_done(&path);
	if (result != 0) {
		zone_close(&zone);
		return result;
	}
	memcpy(zone.name, file.ptr, file.len);
	zone.name[file.len] = '\0';
	*out_zone = zone;
	return 0;
}

int32_t zone_offset_s(const struct zone *zone, int64_t ns)
{
	int64_t second = ns / NS_PER_SEC - (ns % NS_PER_SEC < 0 ? 1 : 0);
	size_t low = 0;
	size_t high = zone->transition_count;
	while (low < high) { /* the number of transitions at or before second */
		size_t middle = low + (high - low) / 2;
		if (zone->at_s[middle] <= second) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low == 0 ? zone->first_offset_s : zone->offset_s[low - 1];
}

int64_t zone_from_local(const struct zone *zone, int64_t local_ns)
{
	/* The offset a day before and a day behind are the only candidates around one change; the earlier one wins. */
	int32_t before = zone_offset_s(zone, local_ns - NS_PER_DAY);
	int32_t behind = zone_offset_s(zone, local_ns + NS_PER_DAY);
	int64_t first = local_ns - before * NS_PER_SEC;
	int64_t second = local_ns - behind * NS_PER_SEC;
	if (zone_offset_s(zone, first) == before) {
		return first;
	}
	return zone_offset_s(zone, second) == behind ? second : first;
}
