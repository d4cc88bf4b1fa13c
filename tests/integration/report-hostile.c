/* report-hostile - writes one report in which every text is hostile: report-hostile FORMAT FILE.
 *
 * Shape:   each payload of tests/hostile stands as a fact, as the label of a bar, and as a row: its number, as prose, as code.
 */
#include "query/report/writer.h"
#include "tests/hostile/payloads.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const struct report_column columns[] = {{"number", "Number", REPORT_NUMBER, 1},
					       {"prose", "Prose", REPORT_TEXT, 5},
					       {"code", "Code", REPORT_CODE, 5}};

static int put_payload(struct report_writer *writer, size_t index, struct buf *text,
		       struct error *err)
{
	buf_clear(text);
	payload_put(index, text);
	const struct report_cell cells[] = {
		{.number = (int64_t)index}, {.text = buf_str(text)}, {.text = buf_str(text)}};
	const struct report_bar bar = {buf_str(text), 5, 1};
	const struct report_chart chart = {REPORT_BARS, buf_str(text), STR_LIT("rows"),
					   "marked",    &bar,          1};
	const struct report_fact fact = {"fact", "Fact", buf_str(text), true};
	const struct report_table table = {
		.name = "payload", .title = buf_str(text), .columns = columns, .column_count = 3};
	const struct report_table_end end = {1, 1};
	const struct report_section section = {buf_str(text), buf_str(text), 2, "payload"};
	writer->table = &table;
	int rc = writer->type->section(writer, &section, err);
	rc = rc < 0 ? rc : writer->type->facts(writer, &fact, 1, err);
	rc = rc < 0 ? rc : writer->type->chart(writer, &chart, err);
	rc = rc < 0 ? rc : writer->type->table_begin(writer, &table, err);
	rc = rc < 0 ? rc : writer->type->row(writer, cells, err);
	rc = rc < 0 ? rc : writer->type->table_end(writer, &end, err);
	return rc < 0 ? rc : writer->type->note(writer, buf_str(text), false, err);
}

static int write_all(struct report_writer *writer, struct error *err)
{
	const struct report_head head = {.name = STR_LIT("hostile"),
					 .title = STR_LIT("Hostile <b>texts</b>"),
					 .purpose = STR_LIT("Each is \"text\" & nothing else.")};
	struct buf text;
	buf_init(&text, 0);
	int rc = writer->type->begin(writer, &head, err);
	for (size_t i = 0; i < PAYLOAD_COUNT && rc == 0; i++) {
		rc = put_payload(writer, i, &text, err);
	}
	buf_done(&text);
	rc = rc < 0 ? rc : writer->type->end(writer, err);
	writer->type->done(writer);
	return rc < 0 ? rc : output_flush(writer->out, err);
}

int main(int argc, char **argv)
{
	struct zone zone = zone_utc();
	struct output out;
	struct error err;
	struct report_writer writer = {.out = &out};
	writer.type = argc == 3 ? report_writer_find(argv[1]) : NULL;
	if (writer.type == NULL) {
		fprintf(stderr, "usage: report-hostile html|pdf|csv|jsonl|md FILE\n");
		return 2;
	}
	int fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	output_init(&out, fd, &zone);
	int rc = write_all(&writer, &err);
	output_done(&out);
	if (rc < 0 || close(fd) != 0) {
		fprintf(stderr, "report-hostile: %s\n",
			rc < 0 ? err.text : "the file was not closed");
		return 2;
	}
	return 0;
}
