#include "query/access-report.h"

#include "query/feed-report.h"

#include <sys/random.h>

#define KEY_BYTES 16

int access_report_send(const char *path, const struct access_report *report, struct error *err)
{
	struct record record;
	char key[KEY_BYTES];
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
		return error_errno(err, "no random key for the access record");
	}
	record_init(&record, RECORD_ACCESS);
	record.source = STR_LIT(ACCESS_SOURCE);
	record.key = str_make(key, sizeof(key));
	record.time_ns = report->now_ns;
	record_set_text(&record, FIELD_user, report->user);
	record_set_text(&record, FIELD_event, STR_LIT("query"));
	record_set_text(&record, FIELD_program, STR_LIT(ACCESS_SOURCE));
	record_set_text(&record, FIELD_arguments, report->arguments);
	record_set_number(&record, FIELD_peer_uid, report->peer_uid);
	const struct feed_report sent = {
		.path = path, .source = ACCESS_SOURCE, .source_type = "serve", .record = &record};
	int result = feed_report_send(&sent, err);
	if (result != 0) {
		error_prefix(err, "the access cannot be recorded, so nothing is shown");
	}
	return result;
}
