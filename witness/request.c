#include "witness/request.h"

#include "base/parse.h"

#define HASH_DIGITS 44 /* Base64 of 32 bytes */

/* Cuts the next line off, without its newline; false at the end, or when no newline ends it. */
static bool next_line(struct str *rest, struct str *out_line)
{
	ptrdiff_t end = str_find_byte(*rest, '\n', 0);
	if (end < 0) {
		return false;
	}
	*out_line = str_slice(*rest, 0, (size_t)end);
	*rest = str_slice(*rest, (size_t)end + 1, rest->len);
	return true;
}

static bool parse_old(struct str line, uint64_t *out_size)
{
	if (!str_has_prefix(line, STR_LIT("old "))) {
		return false;
	}
	struct str digits = str_slice(line, 4, line.len);
	bool padded = digits.len > 1 && digits.ptr[0] == '0';
	return !padded && parse_u64(digits, out_size);
}

static bool parse_hash(struct str line, struct merkle_hash *out)
{
	struct buf bytes;
	buf_init(&bytes, 2 * DIGEST_BYTES);
	bool good = line.len == HASH_DIGITS && parse_base64(line, &bytes) &&
		    bytes.len == sizeof out->bytes;
	if (good) {
		memcpy(out->bytes, bytes.ptr, sizeof out->bytes);
	}
	buf_done(&bytes);
	return good;
}

int request_parse(struct str body, struct request *out, struct error *err)
{
	struct str rest = body;
	struct str line = {0};
	if (body.len > REQUEST_MAX_BYTES) {
		return error_set(err, ERR_INPUT, "the request has more than %u bytes",
				 REQUEST_MAX_BYTES);
	}
	*out = (struct request){0};
	if (!next_line(&rest, &line) || !parse_old(line, &out->old_size)) {
		return error_set(err, ERR_INPUT, "the first line is not \"old SIZE\"");
	}
	for (;;) {
		if (!next_line(&rest, &line)) {
			return error_set(err, ERR_INPUT, "no empty line ends the proof");
		}
		if (line.len == 0) {
			break;
		}
		if (out->proof.count == MERKLE_PROOF_MAX) {
			return error_set(err, ERR_INPUT, "the proof has more than %d hashes",
					 MERKLE_PROOF_MAX);
		}
		if (!parse_hash(line, &out->proof.hashes[out->proof.count])) {
			return error_set(err, ERR_INPUT,
					 "line %zu of the proof is no hash in Base64",
					 out->proof.count + 1);
		}
		out->proof.count++;
	}
	int rc = note_parse(rest, &out->note, err);
	rc = rc < 0 ? rc : note_checkpoint_parse(out->note.text, &out->checkpoint, err);
	if (rc == 0 && out->old_size > out->checkpoint.head.size) {
		rc = error_set(err, ERR_INPUT, "the old size is above that of the checkpoint");
	}
	return rc;
}
