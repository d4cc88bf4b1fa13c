/* Writes proofs and signed checkpoints of random trees, each with variants of which one thing was changed, for programs that we did not write.
 *
 * usage: log-interop-proofs FOLDER
 * FOLDER/proofs: a line a proof, words parted by one blank, empty lists as -:
 *   leaf good|bad INDEX SIZE ENTRY ROOT HASH,..     tree good|bad OLD SIZE OLDROOT ROOT HASH,..     all bytes as lower-case hexadecimal
 * FOLDER/notes: a line a note: good|bad FILE VKEY; FOLDER/FILE is the note. */
#include "base/hash.h"
#include "base/io.h"
#include "base/note.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAVES_MAX  4200u
#define HEIGHTS     13
#define ALL_INDEXES 40 /* trees up to this size: every leaf and older tree */
#define SOME        24 /* of larger ones so many of each */
#define NOTES       60

struct trees {
	struct merkle_hash nodes[HEIGHTS][LEAVES_MAX]; /* perfect ones, by height and number */
	FILE *proofs, *notes;
	const char *folder;
	uint64_t state, good;
};

static uint64_t chance(struct trees *trees, uint64_t limit)
{
	trees->state = hash_u64(trees->state + UINT64_C(0x9e3779b97f4a7c15));
	return trees->state % limit;
}

static struct str entry_of(uint64_t leaf, char out[64])
{
	int len = snprintf(out, 64, "entry %llu of this tree", (unsigned long long)leaf);
	return str_make(out, leaf % 7 == 3 ? 0 : (size_t)len); /* some are empty */
}

static void grow(struct trees *trees)
{
	char text[64];
	for (uint64_t i = 0; i < LEAVES_MAX; i++) {
		merkle_leaf(entry_of(i, text), &trees->nodes[0][i]);
	}
	for (unsigned h = 1; h < HEIGHTS; h++) {
		for (uint64_t i = 0; i < LEAVES_MAX >> h; i++) {
			merkle_node(&trees->nodes[h - 1][2 * i], &trees->nodes[h - 1][2 * i + 1],
				    &trees->nodes[h][i]);
		}
	}
}

static int fetch(void *owner, unsigned height, uint64_t number, struct merkle_hash *out,
		 struct error *err)
{
	const struct trees *trees = owner;
	(void)err;
	assert(height < HEIGHTS && number < LEAVES_MAX >> height);
	*out = trees->nodes[height][number];
	return 0;
}

static struct merkle_head head_of(struct trees *trees, uint64_t size)
{
	const struct merkle_source source = {.fetch = fetch, .owner = trees};
	struct merkle_head head = {.size = size};
	int rc = merkle_root_fetch(size, &source, &head.root, NULL);
	assert(rc == 0);
	(void)rc; /* asserted */
	return head;
}

static void put_hex(FILE *file, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		fprintf(file, "%02x", (uint8_t)bytes.ptr[i]);
	}
	fprintf(file, bytes.len == 0 ? "- " : " ");
}

static void put_hash(FILE *file, const struct merkle_hash *hash)
{
	put_hex(file, str_make((const char *)hash->bytes, DIGEST_BYTES));
}

static void put_path(FILE *file, const struct merkle_proof *proof)
{
	for (size_t i = 0; i < proof->count; i++) {
		fprintf(file, i > 0 ? "," : "");
		for (size_t k = 0; k < DIGEST_BYTES; k++) {
			fprintf(file, "%02x", proof->hashes[i].bytes[k]);
		}
	}
	fprintf(file, proof->count == 0 ? "-\n" : "\n");
}

struct leaf_case {
	uint64_t index;
	struct merkle_head head;
	struct merkle_proof proof;
	char entry[64];
	size_t entry_len;
};

static void put_leaf(struct trees *trees, const struct leaf_case *one, bool good)
{
	struct merkle_hash leaf;
	struct error err;
	struct str entry = str_make(one->entry, one->entry_len);
	merkle_leaf(entry, &leaf);
	bool holds = merkle_check_leaf(one->index, &leaf, &one->head, &one->proof, &err) == 0;
	assert(holds == good); /* ours says so too */
	fprintf(trees->proofs, "leaf %s %llu %llu ", holds ? "good" : "bad",
		(unsigned long long)one->index, (unsigned long long)one->head.size);
	put_hex(trees->proofs, entry);
	put_hash(trees->proofs, &one->head.root);
	put_path(trees->proofs, &one->proof);
	trees->good += holds ? 1 : 0;
}

static void leaf_cases(struct trees *trees, uint64_t index, uint64_t size)
{
	const struct merkle_source source = {.fetch = fetch, .owner = trees};
	struct leaf_case right = {.index = index, .head = head_of(trees, size)}, other;
	right.entry_len = entry_of(index, right.entry).len;
	int rc = merkle_prove_leaf(index, size, &source, &right.proof, NULL);
	assert(rc == 0);
	(void)rc; /* asserted */
	put_leaf(trees, &right, true);
	switch (chance(trees, 6)) {
	case 0:
		other = right;
		other.entry[other.entry_len++] = '!';
		break;
	case 1:
		other = right;
		other.head.root.bytes[chance(trees, DIGEST_BYTES)] ^= 1;
		break;
	case 2:
		other = right;
		other.index = size;
		break;
	case 3:
		other = right;
		other.proof.hashes[other.proof.count++] = right.head.root;
		break;
	case 4:
		other = right;
		other.head.size = size * 2 + 1;
		break;
	default:
		other = right;
		other.head.root.bytes[0] ^= right.proof.count == 0 ? 1 : 0;
		other.proof.count -= right.proof.count > 0 ? 1 : 0;
		break;
	}
	put_leaf(trees, &other, false);
	if (right.proof.count > 0) {
		other = right;
		other.proof.hashes[chance(trees, right.proof.count)].bytes[3] ^= 16;
		put_leaf(trees, &other, false);
	}
}

struct tree_case {
	struct merkle_head older, head;
	struct merkle_proof proof;
};

static void put_tree(struct trees *trees, const struct tree_case *one, bool good)
{
	struct error err;
	bool holds = merkle_check_tree(&one->older, &one->head, &one->proof, &err) == 0;
	assert(holds == good);
	fprintf(trees->proofs, "tree %s %llu %llu ", holds ? "good" : "bad",
		(unsigned long long)one->older.size, (unsigned long long)one->head.size);
	put_hash(trees->proofs, &one->older.root);
	put_hash(trees->proofs, &one->head.root);
	put_path(trees->proofs, &one->proof);
	trees->good += holds ? 1 : 0;
}

static void tree_cases(struct trees *trees, uint64_t old, uint64_t size)
{
	const struct merkle_source source = {.fetch = fetch, .owner = trees};
	struct tree_case right = {.older = head_of(trees, old), .head = head_of(trees, size)},
			 other;
	int rc = merkle_prove_tree(old, size, &source, &right.proof, NULL);
	assert(rc == 0);
	(void)rc; /* asserted */
	put_tree(trees, &right, true);
	other = right;
	other.older.root.bytes[chance(trees, DIGEST_BYTES)] ^= 2;
	put_tree(trees, &other, false);
	other = right;
	other.proof.hashes[other.proof.count++] = right.head.root;
	put_tree(trees, &other, false);
	if (right.proof.count > 0) {
		other = right;
		other.proof.hashes[chance(trees, right.proof.count)].bytes[7] ^= 1;
		put_tree(trees, &other, false);
		other = right;
		other.proof.count--;
		put_tree(trees, &other, false);
		other = right;
		other.head.root.bytes[0] ^= 128;
		put_tree(trees, &other, false);
	}
}

static void put_note(struct trees *trees, struct str bytes, const struct note_key *key, bool good)
{
	static unsigned number;
	char name[32], path[4096];
	struct buf vkey;
	buf_init(&vkey, 0);
	note_key_put(key, &vkey);
	(void)snprintf(name, sizeof name, "%u.note", number++);
	(void)snprintf(path, sizeof path, "%s/%s", trees->folder, name);
	int rc = io_replace_file(path, bytes, 0600, NULL);
	assert(rc == 0);
	(void)rc; /* asserted */
	fprintf(trees->notes, "%s %s %.*s\n", good ? "good" : "bad", name, STR_ARG(buf_str(&vkey)));
	buf_done(&vkey);
}

static void note_cases(struct trees *trees, uint64_t size)
{
	struct note_signer ours, theirs;
	struct buf note, lines;
	char name[64];
	buf_init(&note, 0);
	buf_init(&lines, 0);
	(void)snprintf(name, sizeof name, "log.example/%llu", (unsigned long long)size);
	int rc = note_signer_make(&ours, str_of(name), NOTE_ED25519, NULL);
	rc = rc < 0 ? rc : note_signer_make(&theirs, str_of(name), NOTE_ED25519, NULL);
	const struct note_checkpoint checkpoint = {.origin = str_of(name),
						   .head = head_of(trees, size)};
	note_checkpoint_put(&checkpoint, &note);
	size_t text = note.len;
	rc = rc < 0 ? rc : note_sign(&ours, buf_str(&note), 0, &lines, NULL);
	assert(rc == 0);
	(void)rc; /* asserted */
	buf_put_byte(&note, '\n');
	buf_put_str(&note, buf_str(&lines));
	put_note(trees, buf_str(&note), &ours.key, true);
	put_note(trees, buf_str(&note), &theirs.key, false);
	note.ptr[text - 3] = (char)(note.ptr[text - 3] == 'A' ? 'B' : 'A'); /* of the root */
	put_note(trees, buf_str(&note), &ours.key, false);
	note_signer_done(&ours);
	note_signer_done(&theirs);
	buf_done(&note);
	buf_done(&lines);
}

static void cases_of(struct trees *trees, uint64_t size)
{
	for (uint64_t i = 0; i < (size <= ALL_INDEXES ? size : SOME); i++) {
		leaf_cases(trees, size <= ALL_INDEXES ? i : chance(trees, size), size);
	}
	for (uint64_t i = 0; i < (size <= ALL_INDEXES ? size : SOME); i++) {
		tree_cases(trees, size <= ALL_INDEXES ? i + 1 : 1 + chance(trees, size), size);
	}
}

static FILE *make(const char *folder, const char *name)
{
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return fopen(path, "w");
}

int main(int argc, char **argv)
{
	struct trees *trees = calloc(1, sizeof *trees);
	if (argc != 2 || trees == NULL) {
		return 2;
	}
	trees->folder = argv[1];
	trees->proofs = make(argv[1], "proofs");
	trees->notes = make(argv[1], "notes");
	if (trees->proofs == NULL || trees->notes == NULL) {
		return 2;
	}
	grow(trees);
	for (uint64_t size = 0; size <= ALL_INDEXES; size++) {
		cases_of(trees, size);
	}
	for (unsigned k = 6; k < HEIGHTS; k++) {
		for (uint64_t size = (UINT64_C(1) << k) - 1; size <= (UINT64_C(1) << k) + 1;
		     size++) {
			cases_of(trees, size);
		}
	}
	while (trees->good < 10500) {
		cases_of(trees, 1 + chance(trees, LEAVES_MAX));
	}
	for (uint64_t i = 0; i < NOTES; i++) {
		note_cases(trees, i < 5 ? i : chance(trees, LEAVES_MAX));
	}
	int failed = fclose(trees->proofs) | fclose(trees->notes);
	printf("%llu\n", (unsigned long long)trees->good);
	free(trees);
	return failed != 0 ? 2 : 0;
}
