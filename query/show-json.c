#include "query/show.h"

#include "base/json.h"

/* A record's JSON with its leaf in front and, when has_more, without the closing brace. */
static int put_record(struct show *show, uint64_t leaf, bool has_more, struct error *err)
{
	struct record record;
	struct buf json;
	bool read;
	int result = show_fetch(show, leaf, &record, &read, err);
	if (result != 0) {
		return result;
	}
	if (!read) {
		buf_putf(&show->out->text, "{\"leaf\":%llu,\"unreadable\":true%s",
			 (unsigned long long)leaf, has_more ? "" : "}");
		return 0;
	}
	buf_init(&json, 0);
	record_put_json(&record, &json);
	buf_putf(&show->out->text, "{\"leaf\":%llu,", (unsigned long long)leaf);
	buf_put_str(&show->out->text, str_slice(buf_str(&json), 1, json.len - (has_more ? 2 : 1)));
	buf_done(&json);
	return 0;
}

static int put_json_verdicts(struct show *show, uint64_t statement, uint64_t request,
			     struct error *err)
{
	int result = 0;
	bool first = true;
	buf_put_text(&show->out->text, ",\"verdicts\":[");
	for (size_t i = 0; result == 0 && i < show->story->verdict_count; i++) {
		const struct story_verdict *verdict = &show->story->verdicts[i];
		if (verdict->statement_leaf == statement &&
		    (statement != STORY_NO_LEAF || verdict->request_leaf == request)) {
			buf_put_text(&show->out->text, first ? "" : ",");
			first = false;
			result = put_record(show, verdict->leaf, false, err);
		}
	}
	buf_put_text(&show->out->text, "]");
	return result;
}

static int put_json_list(struct show *show, const char *key, const struct story_list *list,
			 struct error *err)
{
	int result = 0;
	bool requests = list == &show->story->requests;
	buf_putf(&show->out->text, "\"%s\":[", key);
	for (size_t i = 0; result == 0 && i < list->count; i++) {
		buf_put_text(&show->out->text, i > 0 ? ",\n" : "\n");
		if (list == &show->story->others) {
			result = put_record(show, list->leaf[i], false, err);
			continue;
		}
		result = put_record(show, list->leaf[i], true, err);
		if (result == 0) {
			result = put_json_verdicts(show, requests ? STORY_NO_LEAF : list->leaf[i],
						   list->leaf[i], err);
		}
		buf_put_byte(&show->out->text, '}');
	}
	buf_put_text(&show->out->text, "]");
	return result;
}

int show_put_json(struct show *show, struct error *err)
{
	buf_put_byte(&show->out->text, '{');
	int result = put_json_list(show, "requests", &show->story->requests, err);
	buf_put_text(&show->out->text, ",\n");
	if (result == 0) {
		result = put_json_list(show, "statements", &show->story->statements, err);
	}
	buf_put_text(&show->out->text, ",\n");
	if (result == 0) {
		result = put_json_list(show, "others", &show->story->others, err);
	}
	if (result == 0 && show->store != NULL) {
		buf_put_text(&show->out->text, ",\n\"alerts\":[");
		result = show_put_alerts_json(show, err);
		buf_put_byte(&show->out->text, ']');
	}
	verified_put_json(show->verified, &show->out->text);
	buf_put_text(&show->out->text, "}\n");
	return result;
}
