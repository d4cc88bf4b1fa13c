/* Columns of texts: what a text takes, how fast it is put, given back and searched, over statements of the store's data set and ids. */
#include "store/block/texts.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/parse.h"
#include "tests/bench/world.h"

#include <stdlib.h>

#define REQUESTS 8192
#define COLUMN   1
#define ROUNDS   5
#define ID_LEN   36

struct request {
	char id[ID_LEN];
	int64_t path_id;
	uint32_t route;
};

struct statement {
	size_t start, len; /* in the bytes */
	uint32_t family;
	uint32_t order;
};

struct set {
	struct request *requests;
	size_t request_count;
	struct strmap by_id, routes;
	struct buf bytes;
	struct statement *statements;
	size_t count, room;
	struct str *texts;
	uint32_t *family, *context;
};

/* The text of a member of a line, unescaped at the end of out. */
static struct str member(struct str line, const char *name, struct buf *out)
{
	struct json_scanner scanner = json_scanner(line);
	enum json_event event;
	size_t start = out->len;

	while ((event = json_next(&scanner)) != JSON_END && event != JSON_ERROR) {
		if (event == JSON_KEY && str_is(scanner.text, name)) {
			(void)json_next(&scanner);
			(void)json_unescape(scanner.text, true, out);
			break;
		}
	}
	return str_make(out->ptr + start, out->len - start);
}

static void take_request(struct set *set, struct str line)
{
	struct request *request = &set->requests[set->request_count];
	struct buf text;
	struct str path;
	uint64_t *route;

	buf_init(&text, 0);
	memcpy(request->id, member(line, "requestId", &text).ptr, ID_LEN);
	request->path_id = INT64_MIN;
	path = member(line, "path", &text);
	while (path.ptr != NULL) {
		(void)parse_i64(str_split(&path, '/'), &request->path_id);
	}
	path = member(line, "resourcePath", &text);
	route = strmap_get(&set->routes, path);
	if (route == NULL) {
		(void)strmap_put(&set->routes, path, set->routes.entry_count);
		route = strmap_get(&set->routes, path);
	}
	request->route = (uint32_t)*route;
	(void)strmap_put(&set->by_id, str_make(request->id, ID_LEN), set->request_count++);
	buf_done(&text);
}

static int take_line(void *owner, enum world_file file, struct str line, struct error *err)
{
	struct set *set = owner;

	if (file == WORLD_ACCESS) {
		take_request(set, line);
		return 0;
	}
	if (set->count == set->room) {
		set->room = set->room * 2 + 1024;
		set->statements = realloc(set->statements, set->room * sizeof(*set->statements));
		if (set->statements == NULL) {
			return error_set(err, ERR_NOMEM, "There is no memory for the data set.");
		}
	}
	size_t start = set->bytes.len;
	size_t len = member(line, "statement", &set->bytes).len;
	set->statements[set->count] =
		(struct statement){.start = start, .len = len, .order = (uint32_t)set->count};
	set->count++;
	return 0;
}

static int by_family(const void *a, const void *b)
{
	const struct statement *left = a;
	const struct statement *right = b;

	if (left->family != right->family) {
		return left->family < right->family ? -1 : 1;
	}
	return left->order < right->order ? -1 : 1;
}

/* Puts the statements under their requests. */
static void lay_out(struct set *set)
{
	uint32_t place = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct statement *statement = &set->statements[i];
		struct str text = str_make(set->bytes.ptr + statement->start, statement->len);
		uint64_t *request = NULL;

		if (text.len > ID_LEN + 2 && str_has_suffix(text, STR_LIT("*/"))) {
			request = strmap_get(&set->by_id,
					     str_slice(text, text.len - ID_LEN - 2, ID_LEN));
		}
		statement->family = request != NULL ? (uint32_t)*request : TEXTS_NO_FAMILY;
	}
	qsort(set->statements, set->count, sizeof(*set->statements), by_family);
	set->texts = calloc(set->count, sizeof(*set->texts));
	set->family = calloc(set->count, sizeof(*set->family));
	set->context = calloc(set->count, sizeof(*set->context));
	for (size_t i = 0; i < set->count; i++) {
		const struct statement *statement = &set->statements[i];

		set->texts[i] = str_make(set->bytes.ptr + statement->start, statement->len);
		set->family[i] = statement->family;
		place = i > 0 && set->family[i] == set->family[i - 1] ? place + 1 : 0;
		if (statement->family != TEXTS_NO_FAMILY) {
			set->context[i] = 1 + set->requests[statement->family].route * 8 +
					  (place < 7 ? place : 7);
		}
	}
}

static size_t ids_of(void *owner, uint32_t family, struct str out_ids[TEXTS_IDS_MAX],
		     int64_t *out_seed)
{
	const struct set *set = owner;

	out_ids[0] = str_make(set->requests[family].id, ID_LEN);
	*out_seed = set->requests[family].path_id;
	return 1;
}

/* A column that was written. */
struct written {
	struct texts_column about;
	const struct str *texts;
	struct buf block;
	uint64_t raw_bytes;
};

static int64_t write_column(struct written *written)
{
	int64_t start = clock_monotonic_ns();
	struct streams_writer *writer = streams_writer_new();
	struct error err;

	if (writer == NULL || texts_put(writer, &written->about, written->texts) != 0 ||
	    streams_finish(writer, 1, NULL, &written->block, &err) != 0) {
		printf("not written\n");
		exit(2);
	}
	streams_writer_free(writer);
	return clock_monotonic_ns() - start;
}

static struct streams *open_streams(const struct written *written)
{
	struct streams_place place = {
		.fd = -1, .bytes = buf_str(&written->block), .name = "bench", .number = 1};
	struct streams *streams = NULL;
	struct error err;

	if (streams_open(&place, &streams, &err) != 0) {
		printf("%s\n", err.text);
		exit(2);
	}
	return streams;
}

/* Parts that hold one thing, and what they take. */
static void print_parts(const struct written *written)
{
	struct streams *streams = open_streams(written);
	struct streams_writer *writer = streams_writer_new();
	struct error err;

	for (unsigned part = 0; part < TEXTS_PARTS; part++) {
		struct str bytes;

		if (streams_get(streams, COLUMN, (uint8_t)part, &bytes, &err) == 0 &&
		    bytes.len > 0) {
			printf("  part %3u %9zu -> %9zu\n", part, bytes.len,
			       streams_cost(writer, bytes, 0));
		}
	}
	streams_writer_free(writer);
	streams_close(streams);
}

static int64_t read_column(const struct written *written)
{
	int64_t start = clock_monotonic_ns();
	struct streams *streams = open_streams(written);
	struct texts *texts;
	struct error err;
	struct buf out;

	buf_init(&out, 0);
	if (texts_open(streams, &written->about, &texts, &err) != 0) {
		printf("%s\n", err.text);
		exit(2);
	}
	for (size_t row = 0; row < written->about.count; row++) {
		buf_clear(&out);
		if (texts_put_text(texts, row, &out, &err) != 0 ||
		    !str_equal(buf_str(&out), written->texts[row])) {
			printf("row %zu does not come back: %s\n", row, err.text);
			exit(2);
		}
	}
	texts_close(texts);
	streams_close(streams);
	buf_done(&out);
	return clock_monotonic_ns() - start;
}

/* One text of a block that was just opened, somewhere in it, and the next one of another place. */
static void measure_one(const struct written *written)
{
	int64_t cold = INT64_MAX;
	int64_t warm = INT64_MAX;
	size_t count = written->about.count;

	for (size_t round = 0; round < 8 * ROUNDS; round++) {
		int64_t start = clock_monotonic_ns();
		struct streams *streams = open_streams(written);
		struct texts *texts;
		struct error err;
		struct buf out;
		int64_t took;

		buf_init(&out, 0);
		if (texts_open(streams, &written->about, &texts, &err) != 0 ||
		    texts_put_text(texts, (round + 1) * 7919 % count, &out, &err) != 0) {
			printf("%s\n", err.text);
			exit(2);
		}
		took = clock_monotonic_ns() - start;
		cold = took < cold ? took : cold;
		start = clock_monotonic_ns();
		(void)texts_put_text(texts, (round + 1) * 104729 % count, &out,
				     &err); /* as before */
		took = clock_monotonic_ns() - start;
		warm = took < warm ? took : warm;
		texts_close(texts);
		streams_close(streams);
		buf_done(&out);
	}
	printf("  one text: %.0f us of a block that is opened for it, %.1f us of one that is "
	       "open\n",
	       (double)cold / 1e3, (double)warm / 1e3);
}

static bool is_odd(void *owner, struct str text)
{
	(void)owner;
	return text.len % 2 == 1;
}

static void measure_find(const struct written *written, const char *text, bool ignore_case,
			 bool with_matches)
{
	struct texts_needle needle = {.needle = str_of(text),
				      .ignore_case = ignore_case,
				      .matches = with_matches ? is_odd : NULL};
	uint64_t *rows = calloc(written->about.count / 64 + 1, sizeof(*rows));
	int64_t cold = INT64_MAX;
	int64_t warm = INT64_MAX;
	size_t hits = 0;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = clock_monotonic_ns();
		struct streams *streams = open_streams(written);
		struct texts *texts;
		struct error err;
		int64_t took;

		if (rows == NULL || texts_open(streams, &written->about, &texts, &err) != 0 ||
		    texts_find(texts, &needle, rows, &err) != 0) {
			printf("%s\n", err.text);
			exit(2);
		}
		took = clock_monotonic_ns() - start;
		cold = took < cold ? took : cold;
		start = clock_monotonic_ns();
		(void)texts_find(texts, &needle, rows, &err); /* as before */
		took = clock_monotonic_ns() - start;
		warm = took < warm ? took : warm;
		texts_close(texts);
		streams_close(streams);
	}
	for (size_t i = 0; i <= written->about.count / 64; i++) {
		hits += (size_t)__builtin_popcountll(rows[i]);
	}
	printf("  find %-28s%s%s %7zu hits  cold %7.1f GB/s  warm %7.1f GB/s\n", text,
	       ignore_case ? " (any case)" : "", with_matches ? " (asking)" : "", hits,
	       (double)written->raw_bytes / (double)cold,
	       (double)written->raw_bytes / (double)warm);
	free(rows);
}

static void measure(const char *name, struct written *written)
{
	int64_t put = INT64_MAX;
	int64_t get = INT64_MAX;
	size_t count = written->about.count;

	written->raw_bytes = 0;
	for (size_t i = 0; i < count; i++) {
		written->raw_bytes += written->texts[i].len;
	}
	for (int round = 0; round < ROUNDS; round++) {
		int64_t took = write_column(written);

		put = took < put ? took : put;
		took = read_column(written);
		get = took < get ? took : get;
	}
	printf("%-12s %7zu texts of %6.1f B: %7.3f B each (%.2f B/request)  put %5.0f MB/s %8.0f/s "
	       " get %5.0f MB/s "
	       "%8.0f/s\n",
	       name, count, (double)written->raw_bytes / (double)count,
	       (double)written->block.len / (double)count, (double)written->block.len / REQUESTS,
	       (double)written->raw_bytes * 1e3 / (double)put, (double)count * 1e9 / (double)put,
	       (double)written->raw_bytes * 1e3 / (double)get, (double)count * 1e9 / (double)get);
}

static void measure_ids(const struct set *set)
{
	struct str *texts = calloc(set->request_count, sizeof(*texts));
	struct written ids = {.about = {.column = COLUMN, .count = set->request_count},
			      .texts = texts};

	if (texts == NULL) {
		return;
	}
	for (size_t i = 0; i < set->request_count; i++) {
		texts[i] = str_make(set->requests[i].id, ID_LEN);
	}
	buf_init(&ids.block, 0);
	measure("ids", &ids);
	measure_find(&ids, "0f8f-4", false, false);
	buf_done(&ids.block);
	free(texts);
}

int main(int argc, char **argv)
{
	struct set *set = calloc(1, sizeof(*set));
	struct world_options options = {.requests = REQUESTS, .seed = 1};
	struct world_sink sink = {.put = take_line, .owner = set};
	struct world_shape *shape = calloc(1, sizeof(*shape));
	struct error err;

	if (set == NULL || shape == NULL) {
		return 2;
	}
	set->requests = calloc(REQUESTS, sizeof(*set->requests));
	strmap_init(&set->by_id, REQUESTS);
	strmap_init(&set->routes, REQUESTS);
	buf_init(&set->bytes, 0);
	if (set->requests == NULL || world_write(&options, &sink, shape, &err) != 0) {
		return 2;
	}
	lay_out(set);
	struct written statements = {.about = {.column = COLUMN,
					       .is_tsql = true,
					       .count = set->count,
					       .context = set->context,
					       .family = set->family,
					       .ids_of = ids_of,
					       .owner = set},
				     .texts = set->texts};
	buf_init(&statements.block, 0);
	measure("statements", &statements);
	if (argc > 1 && strcmp(argv[1], "parts") == 0) {
		print_parts(&statements);
	}
	if (argc > 2) {
		for (int i = 0; i < 40; i++) {
			measure_find(&statements, argv[2], false, false);
		}
		return 0;
	}
	measure_one(&statements);
	measure_find(&statements, "damaged", false, false);
	measure_find(&statements, "SYSUTCDATETIME", false, false);
	measure_find(&statements, "user123456@", false, false);
	measure_find(&statements, "user1234", false, true);
	measure_find(&statements, "70970119", false, false);
	measure_find(&statements, "= 501292/*", false, false);
	measure_find(&statements, "e620b532-7aa5-4056", false, false);
	measure_find(&statements, "nowhere to be found", true, false);
	measure_find(&statements, "select", true, true);
	measure_ids(set);
	buf_done(&statements.block);
	buf_done(&set->bytes);
	strmap_done(&set->by_id);
	strmap_done(&set->routes);
	free(set->requests);
	free(set->statements);
	free(set->texts);
	free(set->family);
	free(set->context);
	free(set);
	free(shape);
	return 0;
}
