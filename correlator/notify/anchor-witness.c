/* anchor-witness - a witness after C2SP tlog-witness: its cosignature is verified before it counts. Tests: tests/integration/anchors.py */
#include "base/parse.h"
#include "correlator/notify/anchor-http.h"

#include <stdlib.h>

struct anchor {
	struct anchor_http http;
	struct buf url, request;
	struct note_key key;
};

static void close_anchor(struct anchor *anchor)
{
	anchor_http_done(&anchor->http);
	buf_done(&anchor->url);
	buf_done(&anchor->request);
	free(anchor);
}

static int read_key(struct anchor *anchor, const struct channel_settings *settings,
		    struct error *err)
{
	const char *text = config_text(settings->config, settings->section, "key");

	int rc = note_key_parse(str_trim(str_of(text)), &anchor->key, err);
	if (rc == 0 && anchor->key.type != NOTE_COSIGNATURE) {
		rc = error_set(err, ERR_INPUT, "it is not the key of a witness (type 4)");
	}
	if (rc != 0) {
		error_prefix(err, "anchor %s: key", settings->name);
		err->code = ERR_CONFIG;
		rc = -ERR_CONFIG;
	}
	return rc;
}

static int open_anchor(const struct channel_settings *settings, const atomic_bool *stop,
		       struct anchor **out_anchor, struct error *err)
{
	struct anchor *anchor = calloc(1, sizeof(*anchor));

	if (anchor == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for the anchor %s", settings->name);
	}
	struct str url = str_of(config_text(settings->config, settings->section, "url"));
	while (str_has_suffix(url, STR_LIT("/"))) {
		url.len--;
	}
	buf_init(&anchor->url, 4096);
	buf_init(&anchor->request, NOTE_MAX_BYTES + 8192);
	buf_put_str(&anchor->url, url);
	buf_put_text(&anchor->url, "/add-checkpoint");
	int rc = anchor_http_init(&anchor->http, settings, stop, err);
	rc = rc != 0 ? rc : read_key(anchor, settings, err);
	if (rc != 0) {
		close_anchor(anchor);
		return rc;
	}
	*out_anchor = anchor;
	return 0;
}

static void put_request(const struct anchor_task *task, struct buf *out)
{
	buf_clear(out);
	buf_putf(out, "old %llu\n", (unsigned long long)task->old_size);
	for (size_t at = 0; at + DIGEST_BYTES <= task->proof.len; at += DIGEST_BYTES) {
		parse_put_base64(out, str_slice(task->proof, at, DIGEST_BYTES));
		buf_put_byte(out, '\n');
	}
	buf_put_byte(out, '\n');
	buf_put_str(out, task->note);
}

/* The signature lines of the witness, when they are good; nothing else that it says is kept. */
static void judge_signatures(const struct anchor *anchor, const struct anchor_task *task,
			     struct anchor_reply *reply)
{
	struct buf whole;
	struct error err;
	struct note *note = calloc(1, sizeof(*note));

	buf_init(&whole, NOTE_MAX_BYTES);
	buf_put_str(&whole, task->note);
	buf_put_str(&whole, buf_str(&anchor->http.answer));
	int rc = note != NULL ? buf_check(&whole, "the checkpoint with its signatures", &err)
			      : error_set(&err, ERR_NOMEM, "no memory for a checkpoint");
	rc = rc != 0 ? rc : note_parse(buf_str(&whole), note, &err);
	rc = rc != 0 ? rc : note_verify(note, &anchor->key, NULL, &err);
	for (size_t i = 0; rc == 0 && i < note->signature_count; i++) {
		const struct note_signature *each = &note->signatures[i];
		if (each->id == anchor->key.id && str_is(each->name, anchor->key.name)) {
			buf_put_str(&reply->receipt, each->line);
		}
	}
	if (rc == 0) {
		anchor_reply_set(reply, FEED_TAKEN, "signed by %s", anchor->key.name);
	} else {
		anchor_reply_set(reply, FEED_NOT_TAKEN,
				 "the answer is no signature of the configured key: %s", err.text);
	}
	buf_done(&whole);
	free(note);
}

static void judge_conflict(const struct anchor *anchor, const struct anchor_task *task,
			   struct anchor_reply *reply)
{
	struct str body = buf_str(&anchor->http.answer);
	uint64_t size = 0;
	bool is_size =
		str_has_prefix(anchor_http_type(&anchor->http), STR_LIT("text/x.tlog.size")) &&
		str_has_suffix(body, STR_LIT("\n")) &&
		parse_u64(str_slice(body, 0, body.len - 1), &size) && size <= INT64_MAX;

	if (!is_size && task->old_size == task->size) { /* some say so what ours says with 422 */
		anchor_reply_set(reply, FEED_ANCHOR_FORK,
				 "it has seen another tree of as many records (HTTP 409)");
		return;
	}
	if (!is_size) {
		anchor_reply_set(reply, FEED_NOT_TAKEN, "HTTP 409 without the size that it knows");
		return;
	}
	reply->known_size = size;
	anchor_reply_set(reply, FEED_OTHER_SIZE, "it has signed %llu records last, not %llu",
			 (unsigned long long)size, (unsigned long long)task->old_size);
}

static void send_task(struct anchor *anchor, const struct anchor_task *task,
		      struct anchor_reply *reply)
{
	put_request(task, &anchor->request);
	const struct anchor_post post = {.url = anchor->url.ptr,
					 .content_type = "text/plain; charset=utf-8",
					 .body = buf_str(&anchor->request)};
	if (anchor->request.failed || anchor->url.failed) {
		anchor_reply_set(reply, FEED_NOT_TAKEN, "no memory for a request");
		return;
	}
	long status = anchor_http_post(&anchor->http, &post, reply);
	struct str line = anchor_http_line(&anchor->http);
	switch (status) {
	case 0:
		return;
	case 200:
		judge_signatures(anchor, task, reply);
		return;
	case 403:
	case 404:
		anchor_reply_set(reply, FEED_NOT_TAKEN,
				 "HTTP %ld: it does not know the log, or not its key: %.*s", status,
				 STR_ARG(line));
		return;
	case 409:
		judge_conflict(anchor, task, reply);
		return;
	case 422:
		anchor_reply_set(
			reply, FEED_ANCHOR_FORK,
			"it has seen another tree of %llu records, which this one does not "
			"extend: %.*s",
			(unsigned long long)task->old_size, STR_ARG(line));
		return;
	default:
		anchor_reply_set(reply, FEED_NOT_TAKEN, "HTTP %ld: %.*s", status, STR_ARG(line));
		return;
	}
}

const struct anchor_type anchor_witness = {
	.name = "witness",
	.open = open_anchor,
	.send = send_task,
	.close = close_anchor,
};
