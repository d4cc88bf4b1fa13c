#include "query/claims.h"

#include "base/io.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_BYTES 512

void claims_init(struct claims *claims, claims_problem_fn *problem, void *owner)
{
	*claims = (struct claims){.problem = problem, .owner = owner, .covered_ns = INT64_MIN};
}

void claims_done(struct claims *claims)
{
	for (size_t i = 0; i < claims->count; i++) {
		free((char *)claims->list[i].name); /* it is ours */
	}
	free(claims->list);
	logpolicy_free(claims->policy);
	*claims = (struct claims){.count = 0};
}

int claims_read_policy(struct claims *claims, const char *path, struct error *err)
{
	struct buf bytes;
	buf_init(&bytes, LOGPOLICY_MAX_BYTES);
	int rc = io_read_file(path, LOGPOLICY_MAX_BYTES, &bytes, err);
	rc = rc < 0 ? rc : logpolicy_parse(buf_str(&bytes), &claims->policy, err);
	buf_done(&bytes);
	if (rc < 0) {
		error_prefix(err, "the policy %s", path);
		return rc;
	}
	size_t count = logpolicy_logs(claims->policy);
	for (size_t i = 0; i < count && claims->key_count < CLAIMS_KEYS_MAX; i++) {
		claims->keys[claims->key_count++] = *logpolicy_log(claims->policy, i);
	}
	claims->from_policy = true;
	return 0;
}

int claims_read_store_keys(struct claims *claims, struct store *store, struct error *err)
{
	struct buf lines;
	buf_init(&lines, 0);
	int rc = store_meta_get(store, CHECKPOINTS_KEYS, &lines, err);
	if (rc == -ERR_GONE) {
		error_clear(err);
		rc = 0;
	}
	struct str rest = buf_str(&lines);
	while (rc == 0 && rest.ptr != NULL && claims->key_count < CLAIMS_KEYS_MAX) {
		struct str line = str_split(&rest, '\n');
		if (line.len > 0) {
			rc = note_key_parse(line, &claims->keys[claims->key_count++], err);
		}
	}
	if (rc < 0) {
		error_prefix(err, "the keys in the store");
	}
	buf_done(&lines);
	return rc;
}

/* A checkpoint as it was met. */
struct met {
	struct str bytes;
	const char *name;
	bool is_own;
	uint64_t row_size; /* of an own one */
	int64_t time_ns;
};

static void problem(struct claims *claims, const struct met *met, uint64_t size, const char *what)
{
	struct error told;
	(void)error_set(&told, ERR_INPUT, "%s: %s", met->name, what); /* cut when it is too long */
	claims->problem(claims->owner, size, told.text);
}

/* Whether a trusted key of the origin signed, and none of them wrongly. */
static bool is_signed(struct claims *claims, const struct met *met, const struct note *note,
		      const struct note_checkpoint *checkpoint)
{
	bool by_one = false;
	struct error why;
	for (size_t i = 0; i < claims->key_count; i++) {
		const struct note_key *key = &claims->keys[i];
		int rc = note_verify(note, key, NULL, &why);
		if (rc == -ERR_INPUT) {
			problem(claims, met, checkpoint->head.size, why.text);
			return false;
		}
		by_one = by_one || (rc == 0 && str_is(checkpoint->origin, key->name));
	}
	if (!by_one) {
		problem(claims, met, checkpoint->head.size,
			claims->from_policy
				? "no key of the policy signed it under its own name"
				: "no key that the store knows signed it under its own name");
	}
	return by_one;
}

static int add(struct claims *claims, const struct met *met,
	       const struct note_checkpoint *checkpoint, struct error *err)
{
	if (claims->count == claims->room) {
		size_t room = claims->room > 0 ? claims->room * 2 : 256;
		struct audit_claim *list = realloc(claims->list, room * sizeof list[0]);
		if (list == NULL) {
			return error_set(err, ERR_NOMEM, "no memory for checkpoints");
		}
		claims->list = list;
		claims->room = room;
	}
	char *name = strdup(met->name);
	if (name == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for checkpoints");
	}
	claims->list[claims->count++] =
		(struct audit_claim){.head = checkpoint->head, .name = name};
	if (!met->is_own && checkpoint->head.size > claims->outside) {
		claims->outside = checkpoint->head.size;
	}
	if (met->is_own && checkpoint->head.size >= claims->covered) {
		claims->covered = checkpoint->head.size;
		claims->covered_ns = met->time_ns;
		size_t len = checkpoint->origin.len < NOTE_NAME_MAX ? checkpoint->origin.len
								    : NOTE_NAME_MAX;
		memcpy(claims->origin, checkpoint->origin.ptr, len);
		claims->origin[len] = 0;
	}
	return 0;
}

static int judge(struct claims *claims, const struct met *met, struct note *note, struct error *err)
{
	struct note_checkpoint checkpoint;
	struct error why;
	int rc = note_parse(met->bytes, note, &why);
	rc = rc < 0 ? rc : note_checkpoint_parse(note->text, &checkpoint, &why);
	if (rc < 0) {
		problem(claims, met, met->row_size, why.text);
		return 0;
	}
	if (!is_signed(claims, met, note, &checkpoint)) {
		return 0;
	}
	if (met->is_own && met->row_size != checkpoint.head.size) {
		problem(claims, met, checkpoint.head.size,
			"the catalog says that it has another size");
	}
	return add(claims, met, &checkpoint, err);
}

/* With room for the parsed note, which is large. */
static int take(struct claims *claims, const struct met *met, struct error *err)
{
	struct note *note = calloc(1, sizeof *note);
	int rc = note != NULL ? judge(claims, met, note, err)
			      : error_set(err, ERR_NOMEM, "no memory for a checkpoint");
	free(note);
	return rc;
}

static int take_own(void *owner, const struct checkpoint *checkpoint, struct error *err)
{
	struct claims *claims = owner;
	char name[NAME_BYTES];
	(void)snprintf(name, sizeof name, "checkpoint %llu", (unsigned long long)checkpoint->id);
	const struct met met = {
		.bytes = checkpoint->note,
		.name = name,
		.is_own = true,
		.row_size = checkpoint->size,
		.time_ns = checkpoint->time_ns,
	};
	claims->checkpoints++;
	return take(claims, &met, err);
}

int claims_add_store(struct claims *claims, struct store *store, struct error *err)
{
	return checkpoints_walk(store, 0, take_own, claims, err);
}

static int take_file(struct claims *claims, const char *path, struct error *err)
{
	struct buf bytes;
	buf_init(&bytes, NOTE_MAX_BYTES);
	int rc = io_read_file(path, NOTE_MAX_BYTES, &bytes, err);
	const struct met met = {.bytes = buf_str(&bytes), .name = path};
	claims->anchors++;
	rc = rc < 0 ? rc : take(claims, &met, err);
	buf_done(&bytes);
	return rc;
}

static bool is_checkpoint_name(const char *name)
{
	static const char ending[] = ".checkpoint";
	size_t len = strlen(name);
	return strcmp(name, "checkpoint") == 0 || strcmp(name, "latest") == 0 ||
	       (len >= sizeof ending - 1 && strcmp(name + len - (sizeof ending - 1), ending) == 0);
}

static int take_folder(struct claims *claims, const char *path, struct error *err)
{
	DIR *dir = opendir(path);
	if (dir == NULL) {
		return error_errno(err, "%s can't be read", path);
	}
	int rc = 0;
	uint64_t before = claims->anchors;
	for (const struct dirent *entry = readdir(dir); entry != NULL && rc == 0;
	     entry = readdir(dir)) {
		if (is_checkpoint_name(entry->d_name)) {
			char file[NAME_BYTES];
			int len = snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
			rc = len > 0 && (size_t)len < sizeof file
				     ? take_file(claims, file, err)
				     : error_set(err, ERR_LIMIT, "%s: the path is too long", path);
		}
	}
	(void)closedir(dir); /* only read */
	if (rc == 0 && claims->anchors == before) {
		rc = error_set(err, ERR_CONFIG, "%s holds no checkpoint", path);
	}
	return rc;
}

int claims_add_outside(struct claims *claims, const char *path, struct error *err)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		return error_errno(err, "%s can't be looked at", path);
	}
	return S_ISDIR(st.st_mode) ? take_folder(claims, path, err) : take_file(claims, path, err);
}

static int by_size(const void *a, const void *b)
{
	const struct audit_claim *left = a;
	const struct audit_claim *right = b;
	if (left->head.size != right->head.size) {
		return left->head.size < right->head.size ? -1 : 1;
	}
	return strcmp(left->name, right->name);
}

void claims_sort(struct claims *claims)
{
	if (claims->count > 0) {
		qsort(claims->list, claims->count, sizeof claims->list[0], by_size);
	}
	if (claims->outside > claims->covered) {
		char text[ERROR_TEXT_MAX];
		(void)snprintf(
			text, sizeof text,
			"the newest checkpoint in the store is of %llu records, outside there "
			"is one of %llu: it was taken away",
			(unsigned long long)claims->covered, (unsigned long long)claims->outside);
		claims->problem(claims->owner, claims->outside, text);
	}
}
