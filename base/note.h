/* note - signed notes of C2SP: a text with signatures below it; keys, checkpoints, cosignatures of witnesses, and the policy that says whom to trust.
 *
 * Shape:   text (UTF-8, ends with a newline, no control byte but newline), an empty line, one line a signature: em dash, space, key name, space, Base64 of
 *          u32 big-endian key id and signature. Key id = first 4 bytes of SHA-256(name, newline, type, public key).
 * Keys:    Ed25519, type 1: the signature is over the text. Type 4, of a witness: u64 big-endian seconds since 1970 and an Ed25519 signature over
 *          "cosignature/v1\ntime SECONDS\n" and the text. Public as NAME+KEYID+BASE64 (vkey), private as PRIVATE+KEY+NAME+KEYID+BASE64 (seed).
 *          Other types are read and never match.
 * Limits:  a note NOTE_MAX_BYTES, NOTE_SIGNATURES_MAX signatures, a name NOTE_NAME_MAX bytes.
 * Errors:  ERR_INPUT names what is wrong with a note, key or policy, with its line. Private keys are in no error text.
 * Threads: pure. Blocking: never. Source: C2SP signed-note v1.0.0, tlog-checkpoint v1.0.0, tlog-cosignature v1.0.1; docs/format.md section 11.
 * Tests:   tests/unit/note.c, tests/fuzz/note.c, tests/integration/log-interop
 */
#ifndef BASE_NOTE_H
#define BASE_NOTE_H

#include "base/buf.h"
#include "base/merkle.h"
#include "base/secret.h"

#define NOTE_MAX_BYTES      (1u << 20)
#define NOTE_SIGNATURES_MAX 64
#define NOTE_NAME_MAX       255
#define NOTE_KEY_BYTES      32
#define NOTE_VKEY_MAX       (NOTE_NAME_MAX + 64)

enum note_key_type { NOTE_ED25519 = 1, NOTE_COSIGNATURE = 4 };

/* A public key. */
struct note_key {
	char name[NOTE_NAME_MAX + 1];
	uint32_t id;
	enum note_key_type type;
	uint8_t public_key[NOTE_KEY_BYTES];
};

/* A private key; its seed is locked memory. */
struct note_signer {
	struct note_key key;
	struct secret seed; /* NOTE_KEY_BYTES */
};

/* Whether a text may be the name of a key: not empty, no Unicode space, no '+', no control byte, valid UTF-8, at most NOTE_NAME_MAX bytes. */
bool note_name_is_valid(struct str name);

/* Reads NAME+KEYID+BASE64. Returns 0 or ERR_INPUT. */
int note_key_parse(struct str text, struct note_key *out, struct error *err);

/* Appends it as NAME+KEYID+BASE64. */
void note_key_put(const struct note_key *key, struct buf *out);

/* Makes a new key, or reads one as text (surrounding white space is fine). note_signer_done frees. Return 0, ERR_INPUT, ERR_NOMEM or ERR_IO (no random bytes). */
int note_signer_make(struct note_signer *signer, struct str name, enum note_key_type type,
		     struct error *err);
int note_signer_parse(struct note_signer *signer, struct str text, struct error *err);
int note_signer_put(const struct note_signer *signer, struct secret *out, struct error *err);
void note_signer_done(struct note_signer *signer);

/* A note, parsed. Everything borrows from the bytes that were parsed. */
struct note_signature {
	struct str name;
	uint32_t id;
	struct str encoded; /* Base64 of id and signature */
	struct str line;    /* whole, with its newline */
};

struct note {
	struct str text; /* with its last newline */
	size_t signature_count;
	struct note_signature signatures[NOTE_SIGNATURES_MAX];
};

/* Reads one. Returns 0 or ERR_INPUT. */
int note_parse(struct str bytes, struct note *out, struct error *err);

/* What a key says of a note: ERR_GONE when it did not sign it, ERR_INPUT when its signature is wrong (then nothing of the note may be used), else 0.
 *   out_time_s  of a cosignature; 0 for others; may be NULL */
int note_verify(const struct note *note, const struct note_key *key, int64_t *out_time_s,
		struct error *err);

/* Appends one signature line over text; time_s only counts for cosignatures. text is checked. Returns 0, ERR_INPUT or ERR_NOMEM. */
int note_sign(const struct note_signer *signer, struct str text, int64_t time_s, struct buf *out,
	      struct error *err);

/* The text of a checkpoint: origin, size, root. */
struct note_checkpoint {
	struct str origin; /* borrowed */
	struct merkle_head head;
	struct str extension; /* lines after the third, borrowed; as a rule none */
};

/* Reads and writes it. parse returns 0 or ERR_INPUT. */
int note_checkpoint_parse(struct str text, struct note_checkpoint *out, struct error *err);
void note_checkpoint_put(const struct note_checkpoint *checkpoint, struct buf *out);

#endif
