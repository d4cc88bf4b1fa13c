/* Every note, key and checkpoint that is read is written again as it was; nothing that was not signed is verified. */
#include "base/note.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_note(struct str bytes)
{
	static struct note note;
	struct note_checkpoint checkpoint;
	struct note_key key = {.name = "fuzz", .id = 1, .type = NOTE_ED25519};
	struct error err;
	if (note_parse(bytes, &note, &err) != 0) {
		return;
	}
	size_t signed_bytes = note.text.len + 1;
	for (size_t i = 0; i < note.signature_count; i++) {
		signed_bytes += note.signatures[i].line.len;
	}
	assert(signed_bytes == bytes.len && note.text.ptr == bytes.ptr);
	assert(note_verify(&note, &key, NULL, &err) != 0);
	if (note_checkpoint_parse(note.text, &checkpoint, &err) == 0) {
		struct buf again;
		buf_init(&again, 0);
		note_checkpoint_put(&checkpoint, &again);
		assert(str_equal(buf_str(&again), note.text));
		buf_done(&again);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = str_make(data, size);
	struct note_key key;
	struct note_signer signer;
	struct error err;
	check_note(bytes);
	if (note_key_parse(bytes, &key, &err) == 0) {
		struct note_key back;
		struct buf again;
		buf_init(&again, 0);
		note_key_put(&key, &again);
		assert(note_key_parse(buf_str(&again), &back, &err) == 0 && back.id == key.id);
		buf_done(&again);
	}
	if (note_signer_parse(&signer, bytes, &err) == 0) {
		note_signer_done(&signer);
	}
	return 0;
}
