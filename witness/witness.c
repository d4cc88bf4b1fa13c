#include "witness/witness.h"

#include "base/io.h"
#include "base/log.h"
#include "witness/memory.h"
#include "witness/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

struct origin { /* a log, with the keys that may sign it */
	const struct note_key *keys[WITNESS_LOGS_MAX];
	size_t count;
	struct merkle_head seen;
};

struct witness {
	struct note_signer signer;
	bool has_signer;
	char *folder;
	int lock_fd;
	struct note_key keys[WITNESS_LOGS_MAX];
	size_t key_count;
	struct origin origins[WITNESS_LOGS_MAX];
	size_t origin_count;
};

void witness_close(struct witness *witness)
{
	if (witness == NULL) {
		return;
	}
	if (witness->has_signer) {
		note_signer_done(&witness->signer);
	}
	if (witness->lock_fd >= 0) {
		(void)close(witness->lock_fd); /* nothing was written to it */
	}
	free(witness->folder);
	free(witness);
}

const struct note_key *witness_key(const struct witness *witness)
{
	return &witness->signer.key;
}

static int open_signer(struct witness *witness, const char *file, struct error *err)
{
	struct secret text;
	secret_init(&text);
	int rc = secret_read(&text, file, err);
	if (rc == 0) {
		rc = note_signer_parse(&witness->signer, secret_peek(&text), err);
		witness->has_signer = rc == 0;
		if (rc < 0) {
			error_prefix(err, "%s", file);
		}
	}
	secret_done(&text);
	if (rc == 0 && witness->signer.key.type != NOTE_COSIGNATURE) {
		rc = error_set(err, ERR_CONFIG,
			       "%s: this is no key of a witness; --make-key makes one", file);
	}
	return rc;
}

static struct origin *find_origin(struct witness *witness, struct str name)
{
	for (size_t i = 0; i < witness->origin_count; i++) {
		if (str_is(name, witness->origins[i].keys[0]->name)) {
			return &witness->origins[i];
		}
	}
	return NULL;
}

static int add_key(struct witness *witness, const char *vkey, struct error *err)
{
	if (witness->key_count == WITNESS_LOGS_MAX) {
		return error_set(err, ERR_CONFIG, "more than %d keys of logs", WITNESS_LOGS_MAX);
	}
	struct note_key *key = &witness->keys[witness->key_count];
	int rc = note_key_parse(str_of(vkey), key, err);
	if (rc < 0) {
		error_prefix(err, "log \"%s\"", vkey);
		return rc;
	}
	if (key->type != NOTE_ED25519) {
		return error_set(err, ERR_CONFIG, "log \"%s\": a log's key is of type 1", vkey);
	}
	if (memcmp(key->public_key, witness->signer.key.public_key, NOTE_KEY_BYTES) == 0) {
		return error_set(err, ERR_CONFIG,
				 "log \"%s\": a witness has a key of its own, which is no log's",
				 vkey);
	}
	struct origin *origin = find_origin(witness, str_of(key->name));
	if (origin == NULL) {
		origin = &witness->origins[witness->origin_count++];
	}
	origin->keys[origin->count++] = key;
	witness->key_count++;
	return 0;
}

/* One program a folder: two would each sign what the other does not know. */
static int lock_folder(struct witness *witness, struct error *err)
{
	struct buf path;
	int rc = io_make_dir(witness->folder, 0755, err);
	if (rc < 0) {
		return rc;
	}
	buf_init(&path, 4096);
	buf_putf(&path, "%s/lock", witness->folder);
	rc = buf_check(&path, "the path of the lock", err);
	if (rc == 0) {
		witness->lock_fd = open(path.ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (witness->lock_fd < 0) {
			rc = error_errno(err, "%s", path.ptr);
		} else if (flock(witness->lock_fd, LOCK_EX | LOCK_NB) != 0) {
			rc = error_set(err, ERR_CONFIG, "%s: another witness uses this folder",
				       witness->folder);
		}
	}
	buf_done(&path);
	return rc;
}

static int load(struct witness *witness, const struct witness_options *options, struct error *err)
{
	int rc = open_signer(witness, options->key_file, err);
	for (size_t i = 0; i < options->log_count && rc == 0; i++) {
		rc = add_key(witness, options->logs[i], err);
	}
	rc = rc < 0 ? rc : lock_folder(witness, err);
	for (size_t i = 0; i < witness->origin_count && rc == 0; i++) {
		struct origin *origin = &witness->origins[i];
		const struct memory_log log = {origin->keys, origin->count};
		rc = memory_load(witness->folder, &log, &origin->seen, err);
	}
	if (rc == -ERR_INPUT) {
		err->code = ERR_CONFIG;
		rc = -ERR_CONFIG;
	}
	return rc;
}

int witness_open(const struct witness_options *options, struct witness **out_witness,
		 struct error *err)
{
	struct witness *witness = calloc(1, sizeof *witness);
	if (witness == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the witness");
	}
	witness->lock_fd = -1;
	witness->folder = strdup(options->folder);
	int rc = witness->folder == NULL ? error_set(err, ERR_NOMEM, "no memory for the witness")
					 : load(witness, options, err);
	if (rc < 0) {
		witness_close(witness);
		return rc;
	}
	*out_witness = witness;
	return 0;
}

static void refuse(struct witness_answer *answer, unsigned status, const char *text)
{
	answer->status = status;
	answer->content_type = "text/plain; charset=utf-8";
	buf_clear(&answer->body);
	buf_put_text(&answer->body, text);
	buf_put_byte(&answer->body, '\n');
}

static void tell_size(struct witness_answer *answer, uint64_t size)
{
	answer->status = 409;
	answer->content_type = "text/x.tlog.size";
	buf_clear(&answer->body);
	buf_put_u64(&answer->body, size);
	buf_put_byte(&answer->body, '\n');
}

/* Signs and keeps it; nothing leaves before it is kept. */
static void accept(struct witness *witness, struct origin *origin, const struct request *request,
		   int64_t now_s, struct witness_answer *answer)
{
	struct error err;
	const struct note *note = &request->note;
	const char *end = note->signature_count > 0
				  ? note->signatures[note->signature_count - 1].line.ptr +
					    note->signatures[note->signature_count - 1].line.len
				  : note->text.ptr + note->text.len;
	struct str whole = str_make(note->text.ptr, (size_t)(end - note->text.ptr));
	buf_clear(&answer->body);
	int rc = note_sign(&witness->signer, note->text, now_s, &answer->body, &err);
	rc = rc < 0 ? rc : memory_save(witness->folder, request->checkpoint.origin, whole, &err);
	if (rc < 0) {
		log_error(LOG_LEVEL_ERROR, "witness-failed", &err);
		refuse(answer, 500, "the witness cannot keep the checkpoint");
		return;
	}
	origin->seen = request->checkpoint.head;
	answer->status = 200;
	answer->content_type = "text/plain; charset=utf-8";
	log_write(LOG_LEVEL_INFO, "witness-signed", "%s: signed a tree of %llu records",
		  origin->keys[0]->name, (unsigned long long)origin->seen.size);
}

void witness_add_checkpoint(struct witness *witness, struct str body, int64_t now_s,
			    struct witness_answer *answer)
{
	struct request request;
	struct error err;
	if (request_parse(body, &request, &err) < 0) {
		refuse(answer, 400, err.text);
		return;
	}
	struct origin *origin = find_origin(witness, request.checkpoint.origin);
	if (origin == NULL) {
		refuse(answer, 404, "this witness does not know the log");
		return;
	}
	const struct memory_log log = {origin->keys, origin->count};
	if (memory_verify(&log, &request.note, &err) < 0) {
		refuse(answer, 403, err.text);
		return;
	}
	if (request.old_size != origin->seen.size) {
		tell_size(answer, origin->seen.size);
		return;
	}
	if (merkle_check_tree(&origin->seen, &request.checkpoint.head, &request.proof, &err) < 0) {
		log_write(LOG_LEVEL_ERROR, "witness-refused",
			  "%s: its key signed a tree of %llu records that does not extend the one "
			  "of %llu: %s",
			  origin->keys[0]->name, (unsigned long long)request.checkpoint.head.size,
			  (unsigned long long)origin->seen.size, err.text);
		refuse(answer, 422, err.text);
		return;
	}
	accept(witness, origin, &request, now_s, answer);
}

static int write_key(const char *file, struct str text, struct error *err)
{
	int fd IO_CLOSE = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		return errno == EEXIST ? error_set(err, ERR_CONFIG, "%s is there already", file)
				       : error_errno(err, "%s", file);
	}
	int rc = io_write_all(fd, text, err);
	rc = rc < 0 ? rc : io_write_all(fd, STR_LIT("\n"), err);
	if (rc == 0 && fsync(fd) != 0) {
		rc = error_errno(err, "%s", file);
	}
	return rc;
}

int witness_make_key(const char *name, const char *file, struct buf *out, struct error *err)
{
	struct note_signer signer;
	struct secret text;
	if (!note_name_is_valid(str_of(name))) {
		return error_set(err, ERR_CONFIG,
				 "\"%s\" is no name for a key: no spaces, no +, not empty", name);
	}
	int rc = note_signer_make(&signer, str_of(name), NOTE_COSIGNATURE, err);
	if (rc < 0) {
		return rc;
	}
	secret_init(&text);
	rc = note_signer_put(&signer, &text, err);
	rc = rc < 0 ? rc : write_key(file, secret_peek(&text), err);
	if (rc == 0) {
		note_key_put(&signer.key, out);
		buf_put_byte(out, '\n');
	}
	secret_done(&text);
	note_signer_done(&signer);
	return rc;
}
