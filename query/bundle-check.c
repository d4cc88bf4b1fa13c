#include "query/bundle-check.h"

#include "base/io.h"
#include "base/parse.h"
#include "base/tlogproof.h"
#include "model/record.h"
#include "query/bundle.h"
#include "store/log/leaf.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX     (64u << 20)
#define MANIFEST_MAX (64u << 20)
#define DIGITS       (2 * DIGEST_BYTES)

struct checking {
	const char *dir;
	struct bundle_checked *out;
	struct buf manifest, checkpoint;
	struct buf record, salt, entry, proof, text; /* of one leaf */
	struct merkle_head head;
};

/* Reads a file of the folder. */
static int read_name(const struct checking *checking, const char *name, struct buf *out,
		     struct error *err)
{
	struct buf path;
	buf_init(&path, 0);
	buf_putf(&path, "%s/%s", checking->dir, name);
	buf_clear(out);
	int rc = buf_check(&path, "the name of a file", err);
	rc = rc < 0 ? rc : io_read_file(path.ptr, FILE_MAX, out, err);
	buf_done(&path);
	return rc;
}

static int wrong(struct error *err, const char *name, const char *what)
{
	return error_set(err, ERR_INPUT, "%s: %s", name, what);
}

/* "DIGEST  NAME". Returns whether it is one. */
static bool split_line(struct str line, struct str *out_digest, char name[BUNDLE_NAME_MAX + 1])
{
	struct str rest = str_slice(line, DIGITS + 2, SIZE_MAX);
	if (line.len <= DIGITS + 2 || rest.len > BUNDLE_NAME_MAX || line.ptr[DIGITS] != ' ' ||
	    line.ptr[DIGITS + 1] != ' ' || memchr(rest.ptr, '/', rest.len) != NULL ||
	    memchr(rest.ptr, 0, rest.len) != NULL) {
		return false;
	}
	*out_digest = str_slice(line, 0, DIGITS);
	memcpy(name, rest.ptr, rest.len);
	name[rest.len] = 0;
	return true;
}

/* Whether a name stands in the manifest. */
static bool is_listed(const struct checking *checking, const char *name)
{
	struct str rest = buf_str(&checking->manifest);
	while (rest.ptr != NULL) {
		struct str line = str_split(&rest, '\n');
		if (line.len > DIGITS + 2 && str_is(str_slice(line, DIGITS + 2, SIZE_MAX), name)) {
			return true;
		}
	}
	return false;
}

static int check_manifest(struct checking *checking, struct error *err)
{
	char name[BUNDLE_NAME_MAX + 1];
	uint8_t digest[DIGEST_BYTES];
	struct str digits;
	struct buf hex;
	int rc = read_name(checking, BUNDLE_MANIFEST, &checking->manifest, err);
	struct str rest = buf_str(&checking->manifest);
	if (rc == 0 && (rest.len == 0 || rest.ptr[rest.len - 1] != '\n')) {
		return wrong(err, BUNDLE_MANIFEST, "it is empty or cut off");
	}
	buf_init(&hex, 0);
	while (rc == 0 && rest.len > 0) {
		struct str line = str_split(&rest, '\n');
		if (!split_line(line, &digits, name)) {
			rc = wrong(err, BUNDLE_MANIFEST, "a line is no digest and name");
			break;
		}
		rc = read_name(checking, name, &checking->text, err);
		digest_sha256(buf_str(&checking->text), digest);
		buf_clear(&hex);
		buf_put_hex(&hex, str_make(digest, sizeof digest));
		if (rc == 0 && !str_equal(buf_str(&hex), digits)) {
			rc = wrong(err, name, "it is not the file of the manifest: it was changed");
		}
		checking->out->files++;
	}
	buf_done(&hex);
	return rc;
}

static int read_policy(struct checking *checking, const char *path, struct logpolicy **out,
		       struct error *err)
{
	buf_clear(&checking->text);
	int rc = path != NULL ? io_read_file(path, LOGPOLICY_MAX_BYTES, &checking->text, err)
			      : read_name(checking, "policy", &checking->text, err);
	rc = rc < 0 ? rc : logpolicy_parse(buf_str(&checking->text), out, err);
	if (rc == -ERR_INPUT) {
		error_prefix(err, "%s", path != NULL ? path : "policy");
	}
	checking->out->own_policy = path == NULL;
	return rc;
}

static int check_checkpoint(struct checking *checking, const char *policy_path, struct error *err)
{
	struct logpolicy *policy = NULL;
	struct logpolicy_verdict verdict;
	struct bundle_checked *out = checking->out;
	struct note *note = calloc(1, sizeof *note);
	int rc = note != NULL ? read_policy(checking, policy_path, &policy, err)
			      : error_set(err, ERR_NOMEM, "no memory for a checkpoint");
	rc = rc < 0 ? rc : read_name(checking, "checkpoint", &checking->checkpoint, err);
	if (rc == 0) {
		rc = note_parse(buf_str(&checking->checkpoint), note, err);
		rc = rc < 0 ? rc : logpolicy_check(policy, note, &verdict, err);
		if (rc == -ERR_INPUT) {
			error_prefix(err, "checkpoint");
		}
	}
	if (rc == 0) {
		size_t len = verdict.checkpoint.origin.len;
		memcpy(out->origin, verdict.checkpoint.origin.ptr, len); /* the name of a key */
		out->origin[len] = 0;
		out->size = verdict.checkpoint.head.size;
		out->witnesses = verdict.witnesses;
		out->witnessed_s = verdict.witnessed_s;
		checking->head = verdict.checkpoint.head;
	}
	free(note);
	logpolicy_free(policy);
	return rc;
}

/* Puts the file of a leaf into out. A name that the manifest has not is an error unless `may_miss`; then *out_there is false. */
struct part {
	const char *suffix;
	struct buf *out;
	bool may_miss, there;
};

static int read_part(struct checking *checking, uint64_t leaf, struct part *part, struct error *err)
{
	struct buf name;
	buf_init(&name, BUNDLE_NAME_MAX);
	buf_putf(&name, "%llu%s", (unsigned long long)leaf, part->suffix);
	part->there = is_listed(checking, name.ptr);
	int rc = part->there      ? read_name(checking, name.ptr, part->out, err)
		 : part->may_miss ? 0
				  : wrong(err, name.ptr, "it is missing");
	buf_done(&name);
	return rc;
}

/* The entry must be what follows from record and salt. */
static int check_entry(struct checking *checking, uint64_t leaf, bool salted, struct error *err)
{
	struct log_leaf claimed, made;
	struct log_entry entry;
	struct log_salt salt;
	char name[64];
	(void)snprintf(name, sizeof name, "%llu.entry", (unsigned long long)leaf); /* fits */
	int rc = log_entry_parse(buf_str(&checking->entry), &claimed, err);
	if (rc < 0) {
		return wrong(err, name, "it is no entry of a log");
	}
	if (salted && checking->salt.len != sizeof salt.bytes) {
		return error_set(err, ERR_INPUT, "%llu.salt: it is not 32 bytes",
				 (unsigned long long)leaf);
	}
	if (salted) {
		memcpy(salt.bytes, checking->salt.ptr, sizeof salt.bytes);
	}
	struct str record = buf_str(&checking->record);
	rc = log_leaf_of(record, claimed.ingest_ns, salted ? &salt : NULL, &made, err);
	if (rc < 0) {
		return error_set(err, ERR_INPUT, "%llu.record: it is no record%s",
				 (unsigned long long)leaf,
				 salted ? "" : " that was redacted, and it has no salt");
	}
	log_entry_make(&made, &entry);
	if (!str_equal(str_make(entry.bytes, entry.len), buf_str(&checking->entry))) {
		return wrong(err, name, "it does not follow from the record and its salt");
	}
	return 0;
}

static int check_proof(struct checking *checking, uint64_t leaf, struct error *err)
{
	struct tlogproof proof;
	struct merkle_hash hash;
	struct buf extra;
	buf_init(&extra, 0);
	int rc = tlogproof_parse(buf_str(&checking->proof), &proof, &extra, err);
	buf_done(&extra);
	if (rc == 0 && proof.index != leaf) {
		rc = error_set(err, ERR_INPUT, "it is of leaf %llu",
			       (unsigned long long)proof.index);
	}
	if (rc == 0 && leaf >= checking->head.size) {
		rc = error_set(err, ERR_INPUT, "the checkpoint does not cover the leaf");
	}
	if (rc == 0 && !str_equal(proof.checkpoint, buf_str(&checking->checkpoint))) {
		rc = error_set(err, ERR_INPUT, "its checkpoint is not the folder's");
	}
	if (rc == 0) {
		merkle_leaf(buf_str(&checking->entry), &hash);
		rc = merkle_check_leaf(leaf, &hash, &checking->head, &proof.path, err);
	}
	if (rc < 0) {
		error_prefix(err, "%llu.tlog-proof", (unsigned long long)leaf);
	}
	return rc;
}

static int check_json(struct checking *checking, uint64_t leaf, struct error *err)
{
	struct record record;
	struct buf json;
	int rc = record_decode(buf_str(&checking->record), &record, err);
	if (rc < 0) {
		return error_set(err, ERR_INPUT, "%llu.record: it is no record",
				 (unsigned long long)leaf);
	}
	buf_init(&json, 0);
	record_put_json(&record, &json);
	buf_put_byte(&json, '\n');
	if (!str_equal(buf_str(&json), buf_str(&checking->text))) {
		rc = error_set(err, ERR_INPUT, "%llu.json: it does not say what the record says",
			       (unsigned long long)leaf);
	}
	buf_done(&json);
	return rc;
}

static int check_leaf(struct checking *checking, uint64_t leaf, struct error *err)
{
	struct part parts[] = {{".record", &checking->record, false, false},
			       {".entry", &checking->entry, false, false},
			       {".tlog-proof", &checking->proof, false, false},
			       {".json", &checking->text, false, false},
			       {".salt", &checking->salt, true, false}};
	int rc = 0;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0] && rc == 0; i++) {
		rc = read_part(checking, leaf, &parts[i], err);
	}
	bool salted = parts[4].there;
	rc = rc < 0 ? rc : check_entry(checking, leaf, salted, err);
	rc = rc < 0 ? rc : check_proof(checking, leaf, err);
	rc = rc < 0 ? rc : check_json(checking, leaf, err);
	checking->out->records += rc == 0 ? 1 : 0;
	checking->out->redacted += rc == 0 && !salted ? 1 : 0;
	return rc;
}

/* Whether a name is that of a leaf's file; and of which. */
static bool is_of_leaf(const char *name, uint64_t *out_leaf, const char **out_suffix)
{
	static const char *const suffixes[] = {".record", ".salt", ".entry", ".tlog-proof",
					       ".json"};
	const char *dot = strchr(name, '.');
	if (dot == NULL || !parse_u64(str_make(name, (size_t)(dot - name)), out_leaf) ||
	    (name[0] == '0' && dot != name + 1)) {
		return false;
	}
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		if (strcmp(dot, suffixes[i]) == 0) {
			*out_suffix = suffixes[i];
			return true;
		}
	}
	return false;
}

static bool is_known(const char *name)
{
	static const char *const names[] = {"checkpoint", "checkpoint.note", "policy",
					    "README.txt"};
	size_t len = strlen(name);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(name, names[i]) == 0) {
			return true;
		}
	}
	return len > 4 && strcmp(name + len - 4, ".tsr") == 0;
}

/* Each leaf of which any file is there is checked whole, once: by the first of its files in the manifest. */
static int check_leaves(struct checking *checking, struct error *err)
{
	struct str rest = buf_str(&checking->manifest);
	char name[BUNDLE_NAME_MAX + 1];
	struct str digest;
	uint64_t leaf = 0, last = UINT64_MAX;
	int rc = 0;
	while (rc == 0 && rest.len > 0) {
		const char *suffix = NULL;
		if (!split_line(str_split(&rest, '\n'), &digest, name)) {
			return wrong(err, BUNDLE_MANIFEST, "a line is no digest and name");
		}
		if (is_of_leaf(name, &leaf, &suffix)) {
			rc = leaf == last ? 0 : check_leaf(checking, leaf, err);
			last = leaf;
		} else if (!is_known(name)) {
			buf_putf(&checking->out->unknown, "%s\n", name);
		}
	}
	return rc;
}

/* Files that the manifest does not have. */
static int find_strangers(struct checking *checking, struct error *err)
{
	DIR *list = opendir(checking->dir);
	if (list == NULL) {
		return error_errno(err, "%s can't be read", checking->dir);
	}
	errno = 0;
	for (const struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
		    strcmp(name, BUNDLE_MANIFEST) != 0 && !is_listed(checking, name)) {
			buf_putf(&checking->out->unknown, "%s\n", name);
		}
	}
	int rc = errno != 0 ? error_errno(err, "%s can't be read", checking->dir) : 0;
	(void)closedir(list); /* it was only read */
	return rc;
}

int bundle_check(const char *dir, const char *policy, struct bundle_checked *out, struct error *err)
{
	struct checking checking = {.dir = dir, .out = out};
	struct buf *const bufs[] = {&checking.manifest, &checking.checkpoint, &checking.record,
				    &checking.salt,     &checking.entry,      &checking.proof,
				    &checking.text};
	*out = (struct bundle_checked){0};
	buf_init(&out->unknown, 0);
	for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
		buf_init(bufs[i], MANIFEST_MAX);
	}
	int rc = check_manifest(&checking, err);
	rc = rc < 0 ? rc : check_checkpoint(&checking, policy, err);
	rc = rc < 0 ? rc : check_leaves(&checking, err);
	rc = rc < 0 ? rc : find_strangers(&checking, err);
	if (rc == 0 && out->records == 0) {
		rc = error_set(err, ERR_INPUT, "%s: it holds no record", BUNDLE_MANIFEST);
	}
	for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
		buf_done(bufs[i]);
	}
	return rc;
}

void bundle_checked_done(struct bundle_checked *checked)
{
	buf_done(&checked->unknown);
}
