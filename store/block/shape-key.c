#include "base/clock.h"
#include "base/digest.h"
#include "model/auditrow/auditrow.h"
#include "store/block/shape-rule.h"

#include <stdio.h>

#define LINE_BYTES   16
#define COUNT_BYTES  4
#define EVENT_BYTES  26
#define COUNTS_TRIED 8

/* The line that a key is of: the first one of a statement put together from several, without byte order mark and carriage return. */
static struct str line_of(const struct recipe *recipe, const struct record *record)
{
	struct str line = record_text(record, FIELD_raw);
	if (record->kind == RECORD_STATEMENT && record_number(record, FIELD_parts, 1) > 1) {
		ptrdiff_t end = str_find_byte(line, '\n', 0);
		line = str_slice(line, 0, end >= 0 ? (size_t)end : line.len);
	}
	if ((recipe->rules & RULE_MARK) != 0 && str_has_prefix(line, STR_LIT("\xef\xbb\xbf"))) {
		line = str_slice(line, 3, line.len);
	}
	if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
		line.len--;
	}
	return line;
}

static uint32_t read_count(const char *bytes)
{
	const uint8_t *at = (const uint8_t *)bytes;
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* The key of a line and a count, written to out; returns its length. */
static size_t put_line_key(const struct recipe *recipe, const struct record *record, uint32_t count,
			   char *out)
{
	struct str line = line_of(recipe, record);
	uint8_t digest[DIGEST_BYTES];
	if (recipe->key_rule == KEY_ROW) {
		struct auditrow row;
		row.line = line;
		auditrow_key(&row, record_text(record, FIELD_file),
			     record_number(record, FIELD_file_offset, 0), count);
		memcpy(out, row.key, LINE_BYTES);
		return LINE_BYTES;
	}
	bool folded = recipe->key_rule == KEY_FOLDED;
	digest_sha256(line, digest);
	memcpy(out, digest, LINE_BYTES);
	for (unsigned i = 0; i < COUNT_BYTES; i++) {
		char byte = (char)(count >> (8 * i));
		if (folded) {
			out[LINE_BYTES - COUNT_BYTES + i] ^= byte;
		} else {
			out[LINE_BYTES + i] = byte;
		}
	}
	return folded ? LINE_BYTES : LINE_BYTES + COUNT_BYTES;
}

static bool line_key_fits(struct fitting *fitting, const struct recipe *recipe)
{
	const struct record *record = fitting->record;
	char key[LINE_BYTES + COUNT_BYTES];
	size_t len = put_line_key(recipe, record, 0, key);
	if (record->key.len != len) {
		return false;
	}
	uint32_t count = 0;
	if (recipe->key_rule == KEY_LINE) {
		count = read_count(record->key.ptr + LINE_BYTES);
		len = LINE_BYTES;
	} else if (recipe->key_rule == KEY_FOLDED) {
		size_t tail = LINE_BYTES - COUNT_BYTES;
		count = read_count(record->key.ptr + tail) ^ read_count(key + tail);
		len = tail;
	}
	for (uint32_t tried = 1; recipe->key_rule == KEY_ROW && tried < COUNTS_TRIED; tried++) {
		if (memcmp(key, record->key.ptr, len) == 0) {
			break;
		}
		count = tried;
		(void)put_line_key(recipe, record, count, key); /* the length is known */
	}
	fitting->fit->key_count = count;
	return memcmp(key, record->key.ptr, len) == 0;
}

/* s0123456789abcdef.0: returns its length, 0 when there is no subject. */
static size_t put_verdict_key(const struct record *record, const struct shape_links *links,
			      char out[RECORD_KEY_MAX])
{
	struct str id = record_text(record, FIELD_statement_id);
	char letter = 's';
	if (id.len == 0 && links->subject_id != NULL && links->subject_kind == RECORD_REQUEST) {
		id = str_of(links->subject_id);
		letter = 'r';
	}
	if (id.len == 0 || id.len > RECORD_ID_DIGITS) {
		return 0;
	}
	int len = snprintf(out, RECORD_KEY_MAX, "%c%.*s.%lld", letter, STR_ARG(id),
			   (long long)record_number(record, FIELD_revision, 0));
	return (size_t)len;
}

static uint64_t read_u64(const char *bytes)
{
	uint64_t number = 0;
	for (unsigned i = 0; i < 8; i++) {
		number = number << 8 | (uint8_t)bytes[i];
	}
	return number;
}

static void put_u64(char *out, uint64_t number)
{
	for (unsigned i = 0; i < 8; i++) {
		out[i] = (char)(number >> (56 - 8 * i));
	}
}

static uint64_t milliseconds(const struct record *record)
{
	return (uint64_t)(record->time_ns / NS_PER_MS);
}

/* timestamp, ingestion time, 8 bytes, index: as differences to what is known before each. */
static bool event_key_fits(struct fitting *fitting, const struct recipe *recipe)
{
	const struct record *record = fitting->record;
	if (record->key.len != EVENT_BYTES) {
		return false;
	}
	uint64_t at = read_u64(record->key.ptr);
	uint64_t taken = read_u64(record->key.ptr + 8);
	const int64_t numbers[KEY_NUMBERS] = {
		(int64_t)(at - milliseconds(record)),
		(int64_t)(taken - at),
		(int64_t)read_u64(record->key.ptr + 16),
		(uint8_t)record->key.ptr[24] << 8 | (uint8_t)record->key.ptr[25],
	};
	for (unsigned i = 0; i < KEY_NUMBERS; i++) {
		if (numbers[i] == NO_NUMBER) {
			return false;
		}
		fit_number(fitting, recipe->key_name[i], numbers[i]);
	}
	return true;
}

static size_t put_event_key(struct rendering *rendering, char *out)
{
	uint64_t at = (uint64_t)render_number(rendering) + milliseconds(rendering->record);
	uint64_t taken = (uint64_t)render_number(rendering) + at;
	put_u64(out, at);
	put_u64(out + 8, taken);
	put_u64(out + 16, (uint64_t)render_number(rendering));
	uint64_t index = (uint64_t)render_number(rendering);
	out[24] = (char)(index >> 8);
	out[25] = (char)index;
	return EVENT_BYTES;
}

bool key_fits(struct fitting *fitting, const struct recipe *recipe)
{
	const struct record *record = fitting->record;
	char key[RECORD_KEY_MAX];
	fitting->fit->key_count = 0;
	switch ((enum key_rule)recipe->key_rule) {
	case KEY_LINE:
	case KEY_ROW:
	case KEY_FOLDED:
		return record_has(record, FIELD_raw) && line_key_fits(fitting, recipe);
	case KEY_EVENT:
		return event_key_fits(fitting, recipe);
	case KEY_VERDICT:
		return str_equal(record->key,
				 str_make(key, put_verdict_key(record, fitting->links, key)));
	case KEY_KEPT:
	case KEY_RULES:
		break;
	}
	return true;
}

bool key_render(const struct recipe *recipe, struct rendering *rendering)
{
	char key[RECORD_KEY_MAX];
	size_t len = 0;
	switch ((enum key_rule)recipe->key_rule) {
	case KEY_LINE:
	case KEY_ROW:
	case KEY_FOLDED:
		len = put_line_key(recipe, rendering->record, rendering->fit->key_count, key);
		break;
	case KEY_EVENT:
		len = put_event_key(rendering, key);
		break;
	case KEY_VERDICT:
		len = put_verdict_key(rendering->record, rendering->links, key);
		break;
	case KEY_KEPT:
	case KEY_RULES:
		return true;
	}
	if (len == 0) {
		rendering->wrong = true;
		return true;
	}
	return arena_str(rendering->arena, str_make(key, len), &rendering->record->key) == 0;
}
