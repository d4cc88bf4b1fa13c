#include "base/tlogproof.h"

#include "base/parse.h"

#define FIRST_LINE   "c2sp.org/tlog-proof@v1"
#define HASH_CELLS   44 /* of Base64 */
#define EXTRA_PREFIX "extra "
#define INDEX_PREFIX "index "

struct reader {
	struct str rest;
	unsigned line; /* the one that was taken last */
};

void tlogproof_put(const struct tlogproof *proof, struct str extra, struct buf *out)
{
	buf_put_text(out, FIRST_LINE "\n");
	if (extra.len > 0) {
		buf_put_text(out, EXTRA_PREFIX);
		parse_put_base64(out, extra);
		buf_put_byte(out, '\n');
	}
	buf_put_text(out, INDEX_PREFIX);
	buf_put_u64(out, proof->index);
	buf_put_byte(out, '\n');
	for (size_t i = 0; i < proof->path.count; i++) {
		parse_put_base64(out, str_make(proof->path.hashes[i].bytes,
					       sizeof proof->path.hashes[i].bytes));
		buf_put_byte(out, '\n');
	}
	buf_put_byte(out, '\n');
	buf_put_str(out, proof->checkpoint);
}

static int wrong(const struct reader *reader, const char *what, struct error *err)
{
	return error_set(err, ERR_INPUT, "line %u of the proof: %s", reader->line, what);
}

/* Takes a line without its newline; one must end with it. */
static int take_line(struct reader *reader, struct str *out_line, struct error *err)
{
	reader->line++;
	ptrdiff_t end = str_find_byte(reader->rest, '\n', 0);
	if (end < 0) {
		return wrong(reader, "it ends too early", err);
	}
	*out_line = str_slice(reader->rest, 0, (size_t)end);
	reader->rest = str_slice(reader->rest, (size_t)end + 1, SIZE_MAX);
	return 0;
}

static int take_extra(struct reader *reader, struct str line, struct buf *out_extra,
		      struct error *err)
{
	size_t before = out_extra->len;
	struct str encoded = str_slice(line, strlen(EXTRA_PREFIX), SIZE_MAX);
	struct buf again;
	if (!parse_base64(encoded, out_extra)) {
		return out_extra->failed
			       ? error_set(err, ERR_NOMEM, "no memory for a proof")
			       : wrong(reader, "what follows \"extra\" is not Base64", err);
	}
	if (out_extra->len - before > TLOGPROOF_EXTRA_MAX) {
		return wrong(reader, "\"extra\" is too long", err);
	}
	buf_init(&again, 0);
	parse_put_base64(&again, str_slice(buf_str(out_extra), before, SIZE_MAX));
	bool canonical = str_equal(buf_str(&again), encoded);
	buf_done(&again);
	return canonical ? 0 : wrong(reader, "what follows \"extra\" is not plain Base64", err);
}

static int take_hash(struct reader *reader, struct str line, struct tlogproof *out,
		     struct error *err)
{
	struct buf bytes, again;
	if (out->path.count == MERKLE_PROOF_MAX) {
		return wrong(reader, "more hashes than any tree needs", err);
	}
	buf_init(&bytes, HASH_CELLS + 1);
	buf_init(&again, HASH_CELLS + 1);
	bool good =
		line.len == HASH_CELLS && parse_base64(line, &bytes) && bytes.len == DIGEST_BYTES;
	if (good) {
		memcpy(out->path.hashes[out->path.count++].bytes, bytes.ptr, DIGEST_BYTES);
		parse_put_base64(&again, buf_str(&bytes));
		good = str_equal(buf_str(&again), line);
	}
	buf_done(&bytes);
	buf_done(&again);
	return good ? 0 : wrong(reader, "it is no hash in Base64", err);
}

/* "index N", plain: no sign, no leading zero. */
static int take_index(struct reader *reader, struct str line, struct tlogproof *out,
		      struct error *err)
{
	struct str digits = str_slice(line, strlen(INDEX_PREFIX), SIZE_MAX);
	if (!str_has_prefix(line, STR_LIT(INDEX_PREFIX)) || !parse_u64(digits, &out->index) ||
	    digits.ptr[0] == '+' || (digits.len > 1 && digits.ptr[0] == '0') ||
	    out->index > INT64_MAX) {
		return wrong(reader, "it is not \"index\" and a leaf's number", err);
	}
	return 0;
}

int tlogproof_parse(struct str bytes, struct tlogproof *out, struct buf *out_extra,
		    struct error *err)
{
	struct reader reader = {.rest = bytes};
	struct str line;
	*out = (struct tlogproof){0};
	if (bytes.len > NOTE_MAX_BYTES) {
		return error_set(err, ERR_INPUT, "the proof is longer than %u bytes",
				 NOTE_MAX_BYTES);
	}
	int rc = take_line(&reader, &line, err);
	if (rc == 0 && !str_is(line, FIRST_LINE)) {
		rc = wrong(&reader, "it is not \"" FIRST_LINE "\"", err);
	}
	rc = rc < 0 ? rc : take_line(&reader, &line, err);
	if (rc == 0 && str_has_prefix(line, STR_LIT(EXTRA_PREFIX))) {
		rc = take_extra(&reader, line, out_extra, err);
		rc = rc < 0 ? rc : take_line(&reader, &line, err);
	}
	rc = rc < 0 ? rc : take_index(&reader, line, out, err);
	rc = rc < 0 ? rc : take_line(&reader, &line, err);
	while (rc == 0 && line.len > 0) {
		rc = take_hash(&reader, line, out, err);
		rc = rc < 0 ? rc : take_line(&reader, &line, err);
	}
	out->checkpoint = reader.rest;
	return rc;
}
