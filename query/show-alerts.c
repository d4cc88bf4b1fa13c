#include "query/show.h"

#include "base/json.h"
#include "model/alert.h"
#include "query/fmt.h"
#include "query/when.h"
#include "query/wrap.h"
#include "store/alerts.h"

struct lines {
	struct show *show;
	bool json;
	size_t count;
};

/* The title stands in the ALERT record. */
static int put_title(struct show *show, const struct store_alert *alert, struct buf *out,
		     struct error *err)
{
	struct record record;
	bool read = false;
	int result = show_fetch(show, alert->leaf, &record, &read, err);
	if (result == 0) {
		fmt_put_one_line(out, read && record_has(&record, FIELD_title)
					      ? record_text(&record, FIELD_title)
					      : alert->rule);
	}
	return result;
}

static int put_line(struct lines *lines, const struct store_alert *alert, struct error *err)
{
	struct output *out = lines->show->out;
	struct buf line;
	if (lines->count++ == 0) {
		buf_put_byte(&out->text, '\n');
		output_style(out, STYLE_TITLE);
		buf_put_text(&out->text, "Alerts");
		output_style(out, STYLE_NONE);
		buf_put_byte(&out->text, '\n');
	}
	buf_init(&line, 0);
	buf_putf(&line, "%s: ", alert_severity_word(alert->severity));
	int result = put_title(lines->show, alert, &line, err);
	buf_putf(&line, ", %s, alert %.*s", alerts_state_word(alert->state), STR_ARG(alert->id));
	if (alert->note.len > 0) {
		buf_put_text(&line, ", acknowledged by ");
		fmt_put_one_line(&line, alert->by);
		buf_put_text(&line, ": ");
		fmt_put_one_line(&line, alert->note);
	}
	buf_put_text(&out->text, "  ");
	wrap_put_behind(out, 2, 4, buf_str(&line));
	buf_done(&line);
	return result;
}

static int put_object(struct lines *lines, const struct store_alert *alert, struct error *err)
{
	struct buf *out = &lines->show->out->text;
	struct buf title;
	bool first = true;
	buf_init(&title, 0);
	int result = put_title(lines->show, alert, &title, err);
	const struct {
		const char *key;
		struct str text;
	} texts[] = {{"id", alert->id},
		     {"severity", str_of(alert_severity_word(alert->severity))},
		     {"disposition", str_of(alerts_state_word(alert->state))},
		     {"rule", alert->rule},
		     {"title", buf_str(&title)},
		     {"acknowledged_by", alert->by},
		     {"note", alert->note}};
	buf_put_text(out, lines->count++ > 0 ? ",\n{" : "\n{");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].text.len > 0) {
			json_put_key(out, &first, texts[i].key);
			json_put_string(out, texts[i].text);
		}
	}
	buf_put_byte(out, '}');
	buf_done(&title);
	return result;
}

static int each(void *owner, const struct store_alert *alert, struct error *err)
{
	struct lines *lines = owner;
	return lines->json ? put_object(lines, alert, err) : put_line(lines, alert, err);
}

static int put_all(struct lines *lines, struct error *err)
{
	const struct story *story = lines->show->story;
	const struct story_list *const lists[] = {&story->requests, &story->statements,
						  &story->others};
	const struct alerts_walk walk = {each, lines};
	int result = 0;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (size_t k = 0; k < lists[i]->count && result == 0; k++) {
			result =
				alerts_of_record(lines->show->store, lists[i]->leaf[k], &walk, err);
		}
	}
	return result;
}

int show_put_alerts(struct show *show, struct error *err)
{
	struct lines lines = {.show = show};
	return put_all(&lines, err);
}

int show_put_alerts_json(struct show *show, struct error *err)
{
	struct lines lines = {.show = show, .json = true};
	return put_all(&lines, err);
}
