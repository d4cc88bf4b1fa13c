#include "store/log/audit-inner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_NS  100000000
#define TELL_EACH    1024 /* leaves between two looks at stop */
#define NOTES_MAX    65536
#define NOTES_LOOKED 8

/* The last note of the same kind and text that ends before this one, among the newest few: threads take turns. */
static struct audit_finding *find_before(struct audit *audit, const struct audit_finding *next,
					 const char *text)
{
	size_t from = audit->note_count > NOTES_LOOKED ? audit->note_count - NOTES_LOOKED : 0;
	for (size_t i = audit->note_count; i-- > from;) {
		struct audit_finding *finding = &audit->notes[i].finding;
		if (finding->kind == next->kind && finding->exact == next->exact &&
		    finding->last + 1 == next->first && strcmp(finding->text, text) == 0) {
			return finding;
		}
	}
	return NULL;
}

static void add_note(struct audit *audit, const struct audit_finding *finding, const char *text)
{
	if (audit->note_count == audit->note_room) {
		size_t room = audit->note_room > 0 ? audit->note_room * 2 : 64;
		struct audit_note *notes = realloc(audit->notes, room * sizeof notes[0]);
		if (notes == NULL) {
			audit->lost = true;
			return;
		}
		audit->notes = notes;
		audit->note_room = room;
	}
	char *copy = strdup(text);
	if (copy == NULL) {
		audit->lost = true;
		return;
	}
	struct audit_note *note = &audit->notes[audit->note_count];
	note->finding = *finding;
	note->finding.text = copy;
	note->order = audit->note_count++;
}

void audit_tell(struct audit *audit, const struct audit_finding *finding, const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list list;
	va_start(list, format);
	(void)vsnprintf(text, sizeof text, format, list); /* cut when it is too long */
	va_end(list);
	(void)pthread_mutex_lock(&audit->lock); /* can't fail: it is ours, and not recursive */
	struct audit_finding *before = find_before(audit, finding, text);
	if (before != NULL) {
		before->last = finding->last;
	} else if (audit->note_count < NOTES_MAX) {
		add_note(audit, finding, text);
	}
	audit->result.findings += before == NULL ? 1 : 0;
	(void)pthread_mutex_unlock(&audit->lock);
}

static int by_leaf(const void *a, const void *b)
{
	const struct audit_note *left = a;
	const struct audit_note *right = b;
	if (left->finding.first != right->finding.first) {
		return left->finding.first < right->finding.first ? -1 : 1;
	}
	return left->order < right->order ? -1 : left->order > right->order;
}

static void tell_all(struct audit *audit)
{
	if (audit->note_count > 0) {
		qsort(audit->notes, audit->note_count, sizeof audit->notes[0], by_leaf);
	}
	for (size_t i = 0; i < audit->note_count; i++) {
		audit->options->found(audit->options->owner, &audit->notes[i].finding);
	}
}

static void free_notes(struct audit *audit)
{
	for (size_t i = 0; i < audit->note_count; i++) {
		free((char *)audit->notes[i].finding.text); /* strdup made it */
	}
	free(audit->notes);
}

/* Finishes groups until the one at hand is `number`. */
static int go_to_group(struct audit_part *part, uint64_t number)
{
	int rc = 0;
	while (rc == 0 && part->group.number < number) {
		rc = audit_group(part, &part->err);
		group_begin(&part->group, part->group.number + 1);
		memset(part->seen, 0, sizeof part->seen);
		part->present = 0;
	}
	return rc;
}

static void tell(struct audit_part *part, enum audit_kind kind, uint64_t leaf, const char *text)
{
	const struct audit_finding finding = {
		.kind = kind, .first = leaf, .last = leaf, .exact = true};
	audit_tell(part->audit, &finding, "%s", text);
}

static void take(struct audit_part *part, uint64_t leaf, const struct log_leaf *about)
{
	struct log_entry entry;
	struct merkle_hash hash;
	log_entry_make(about, &entry);
	merkle_leaf(str_make(entry.bytes, entry.len), &hash);
	group_put(&part->group, leaf, &hash);
	part->records++;
	part->oldest_ns = about->ingest_ns < part->oldest_ns ? about->ingest_ns : part->oldest_ns;
	part->newest_ns = about->ingest_ns > part->newest_ns ? about->ingest_ns : part->newest_ns;
}

static int each(void *owner, uint64_t leaf, int64_t ingest_ns, struct str encoded,
		struct error *err)
{
	struct audit_part *part = owner;
	struct log_leaf about;
	struct log_salt salt;
	struct error why;
	if (leaf >= part->end * LOCATOR_GROUP) {
		return 1; /* another one's part */
	}
	if (leaf % TELL_EACH == 0) {
		atomic_store(&part->at, leaf - part->first * LOCATOR_GROUP);
		if (atomic_load(&part->audit->stop)) {
			return error_set(err, ERR_CANCELLED, "given up");
		}
	}
	if (leaf < part->next || leaf >= part->audit->range.size) {
		tell(part, AUDIT_LEAF, leaf,
		     leaf < part->next ? "there is a second record of this number"
				       : "the record is not in the log");
		return 0;
	}
	int rc = go_to_group(part, leaf / LOCATOR_GROUP);
	if (rc < 0) {
		*err = part->err;
		return rc;
	}
	part->next = leaf + 1;
	part->seen[leaf % LOCATOR_GROUP] = true;
	part->present++;
	bool salted = salts_get(part->salts, leaf, &salt) == 0;
	rc = log_leaf_of(encoded, ingest_ns, salted ? &salt : NULL, &about, &why);
	if (rc < 0) {
		tell(part, AUDIT_LEAF, leaf, why.text);
		return 0;
	}
	if (!salted) {
		part->redacted++;
		const struct leafset *redacted = part->audit->options->redacted;
		if (redacted != NULL && !leafset_has(redacted, leaf)) {
			tell(part, AUDIT_TAKEN, leaf,
			     "the record is redacted, and none in the log says so");
		}
	}
	take(part, leaf, &about);
	return 0;
}

static void damaged(void *owner, uint64_t records, const struct error *what)
{
	struct audit_part *part = owner;
	const struct audit_finding finding = {
		.kind = AUDIT_DAMAGED, .first = part->next, .last = part->next};
	audit_tell(part->audit, &finding, "%s (%llu records)", what->text,
		   (unsigned long long)records);
}

/* Walks through the part's records; where the head can't be read, goes on behind it. */
static int walk(struct audit_part *part, struct error *err)
{
	uint64_t end = part->end * LOCATOR_GROUP;
	struct store_walk options = {
		.first = part->first * LOCATOR_GROUP,
		.each = each,
		.owner = part,
		.damaged = damaged,
	};
	end = end < part->audit->range.size ? end : part->audit->range.size;
	for (;;) {
		int rc = store_walk_with(part->store, &options, err);
		if (rc != -ERR_CORRUPT) {
			return rc == 1 ? 0 : rc;
		}
		damaged(part, 0, err);
		error_clear(err);
		uint64_t behind = part->next > options.first ? part->next : options.first;
		options.first = (behind / LOCATOR_GROUP + 1) * LOCATOR_GROUP;
		if (options.first >= end) {
			return 0;
		}
	}
}

static int run_part(struct audit_part *part, struct error *err)
{
	struct audit *audit = part->audit;
	int rc = store_open(audit->options->dir, STORE_READ, &part->store, err);
	if (rc == 0 && audit->options->store_key.len > 0) {
		rc = store_use_key(part->store, audit->options->store_key, err);
	}
	rc = rc < 0 ? rc : store_snapshot_begin(part->store, err);
	if (rc < 0) {
		return rc;
	}
	rc = salts_load(part->store->reading, &part->salts, err);
	if (rc == 0 && part->first == audit->first_group) {
		rc = audit_tree(part, err);
	}
	group_begin(&part->group, part->first);
	part->next = part->first * LOCATOR_GROUP;
	/* those that end before belong to another part; that of an empty tree to the first */
	while (part->next > 0 && part->claim < audit->options->claim_count &&
	       audit->options->claims[part->claim].head.size <= part->next) {
		part->claim++;
	}
	rc = rc < 0 ? rc : walk(part, err);
	rc = rc < 0 ? rc : go_to_group(part, part->end);
	audit_tell_missing(part);
	store_snapshot_end(part->store);
	return rc;
}

static void *part_main(void *owner)
{
	struct audit_part *part = owner;
	part->rc = run_part(part, &part->err);
	if (part->rc < 0) {
		atomic_store(&part->audit->stop, true);
	}
	atomic_store(&part->over, true);
	return NULL;
}

/* What was signed and does not fit; where it begins to differ lies behind the last claim that fits. */
static void judge_claims(struct audit *audit)
{
	const struct audit_options *options = audit->options;
	uint64_t good = 0;
	for (size_t i = 0; i < options->claim_count; i++) {
		const struct audit_claim *claim = &options->claims[i];
		uint64_t size = claim->head.size;
		struct audit_finding finding = {
			.kind = AUDIT_CLAIM, .first = good, .last = size > good ? size - 1 : good};
		audit->result.claims_checked += claim->checked ? 1 : 0;
		if (claim->checked && !claim->failed) {
			good = size;
		} else if (claim->failed) {
			audit_tell(audit, &finding, "the first %llu records are not those of %s",
				   (unsigned long long)size, claim->name);
		} else if (size > audit->range.size) {
			finding.first = audit->range.size;
			audit_tell(
				audit, &finding,
				"%s is of %llu records, the store has %llu: it was cut off or put "
				"back",
				claim->name, (unsigned long long)size,
				(unsigned long long)audit->range.size);
		}
	}
}

static void add_up(struct audit *audit, const struct audit_part *part)
{
	struct audit_result *result = &audit->result;
	result->records += part->records;
	result->removed += part->removed;
	result->redacted += part->redacted;
	result->oldest_ingest_ns = part->oldest_ns < result->oldest_ingest_ns
					   ? part->oldest_ns
					   : result->oldest_ingest_ns;
	result->newest_ingest_ns = part->newest_ns > result->newest_ingest_ns
					   ? part->newest_ns
					   : result->newest_ingest_ns;
}

static void watch(struct audit *audit, struct audit_part *parts, size_t count)
{
	const struct audit_options *options = audit->options;
	const struct timespec pause = {.tv_nsec = PROGRESS_NS};
	for (;;) {
		uint64_t done = 0;
		bool over = true;
		for (size_t i = 0; i < count; i++) {
			over = over && atomic_load(&parts[i].over);
			done += atomic_load(&parts[i].at);
		}
		if (over) {
			return;
		}
		if (options->progress != NULL &&
		    !options->progress(options->owner, done, audit->result.leaves)) {
			atomic_store(&audit->stop, true);
		}
		(void)nanosleep(&pause, NULL); /* a signal only makes it shorter */
	}
}

/* Shares the groups out, by whole tiles of level 1 where there are enough. */
static size_t share_out(struct audit *audit, struct audit_part *parts, size_t most)
{
	uint64_t groups = audit->end_group - audit->first_group;
	size_t count = groups / TREE_TILE < most ? (size_t)(groups / TREE_TILE) : most;
	count = count > 0 ? count : 1;
	for (size_t i = 0; i < count; i++) {
		parts[i].audit = audit;
		parts[i].first = audit->first_group + groups * i / count;
		parts[i].end = audit->first_group + groups * (i + 1) / count;
		parts[i].missing_first = 1;
		parts[i].oldest_ns = INT64_MAX;
		parts[i].newest_ns = INT64_MIN;
	}
	return count;
}

static int run_parts(struct audit *audit, struct audit_part *parts, size_t count, struct error *err)
{
	pthread_t threads[AUDIT_THREADS_MAX];
	size_t started = 0;
	int rc = 0;
	for (; started < count && rc == 0; started++) {
		int failed = pthread_create(&threads[started], NULL, part_main, &parts[started]);
		if (failed != 0) {
			errno = failed;
			rc = error_errno(err, "no thread for the audit");
			atomic_store(&audit->stop, true);
			break;
		}
	}
	if (rc == 0) {
		watch(audit, parts, count);
	}
	for (size_t i = 0; i < started; i++) {
		(void)pthread_join(threads[i], NULL); /* it was started, and is joined once */
		add_up(audit, &parts[i]);
		if (rc == 0 && parts[i].rc < 0) {
			rc = parts[i].rc;
			*err = parts[i].err;
		}
	}
	return rc;
}

static int read_state(struct audit *audit, struct error *err)
{
	const struct audit_options *options = audit->options;
	struct store *store = NULL;
	int rc = store_open(options->dir, STORE_READ, &store, err);
	if (rc < 0) {
		return rc;
	}
	rc = tree_read_state(store->catalog, &audit->range, &audit->open, err);
	uint64_t committed = store_leaf_count(store);
	store_close(store);
	if (rc < 0) {
		return rc;
	}
	uint64_t size = audit->range.size;
	uint64_t end = options->end == 0 || options->end > size ? size : options->end;
	if (options->first > end) {
		return error_set(err, ERR_CONFIG, "the store has no leaf %llu: it has %llu",
				 (unsigned long long)options->first, (unsigned long long)size);
	}
	audit->first_group = options->first / LOCATOR_GROUP;
	audit->end_group = (end + LOCATOR_GROUP - 1) / LOCATOR_GROUP;
	audit->result.leaves = end - options->first;
	audit->result.head.size = size;
	merkle_range_root(&audit->range, &audit->result.head.root);
	if (committed != size) {
		const struct audit_finding finding = {.kind = AUDIT_TREE,
						      .first = size < committed ? size : committed,
						      .last = size < committed ? committed : size};
		audit_tell(audit, &finding, "the log has %llu leaves, the catalog counts %llu",
			   (unsigned long long)size, (unsigned long long)committed);
	}
	return 0;
}

int audit_run(const struct audit_options *options, struct audit_result *out_result,
	      struct error *err)
{
	struct audit audit = {
		.options = options,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.result = {.oldest_ingest_ns = INT64_MAX, .newest_ingest_ns = INT64_MIN},
	};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t most = options->threads > 0 ? options->threads
		      : processors > 0     ? (size_t)processors
					   : 1;
	most = most < AUDIT_THREADS_MAX ? most : AUDIT_THREADS_MAX;
	int rc = read_state(&audit, err);
	struct audit_part *parts = rc == 0 ? calloc(most, sizeof parts[0]) : NULL;
	if (rc == 0 && parts == NULL) {
		rc = error_set(err, ERR_NOMEM, "no memory for the audit");
	}
	rc = rc < 0 ? rc : run_parts(&audit, parts, share_out(&audit, parts, most), err);
	for (size_t i = 0; parts != NULL && i < most; i++) {
		salts_free(parts[i].salts);
		store_close(parts[i].store);
	}
	free(parts);
	if (rc == 0) {
		judge_claims(&audit);
		tell_all(&audit);
		*out_result = audit.result;
	}
	if (rc == 0 && audit.lost) {
		rc = error_set(err, ERR_NOMEM, "no memory for what the audit found");
	}
	free_notes(&audit);
	(void)pthread_mutex_destroy(&audit.lock); /* nobody holds it */
	return rc;
}
