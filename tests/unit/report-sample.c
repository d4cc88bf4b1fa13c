#include "tests/unit/report-sample.h"

#include "base/clock.h"

#include <stdio.h>

#define FIRST_NS    INT64_C(1795305600000000000) /* 2026-11-22 00:00 UTC */
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct report_clause clauses[] = {
	{STR_LIT("PCI DSS 4.0.1"), STR_LIT("10.2.1.1"),
	 STR_LIT("Each access of a person to card data is logged.")},
	{STR_LIT("PCI DSS 4.0.1"), STR_LIT("10.2.2"),
	 STR_LIT("Each entry tells who, what, when, from where, and on which object.")},
};

static const struct report_fact facts[] = {
	{"scope", "Scope", STR_LIT("sources gateway (access log) and database (SQL Server Audit)"),
	 false},
	{"range", "Range", STR_LIT("2026-11-22 00:00:00 to 2026-11-23 00:00:00 (UTC)"), false},
	{"filter", "Filter", STR_LIT("table:dbo.Customers -app:etl"), false},
	{"as_of", "Data as of", STR_LIT("2026-11-22 23:59:58Z"), false},
	{"gaps", "Known gaps",
	 STR_LIT("1: database, 10:14:02 to 10:15:40, an audit file was deleted"), true},
	{"unmatched", "Unmatched", STR_LIT("37 of 12,480 statements (0.3 %) have no API request"),
	 false},
	{"operator", "Run by", STR_LIT("auditor (uid 1004)"), false},
};

static const struct report_section contents[] = {
	{STR_LIT("Who ran what"), {0}, 1, "who"},
	{STR_LIT("By user"), {0}, 2, "by-user"},
	{STR_LIT("Every statement"), {0}, 2, "statements"},
	{STR_LIT("Alerts"), {0}, 1, "alerts"},
};

static const struct report_bar users[] = {
	{STR_LIT("anna.berger@example.com"), 4211, 0},
	{STR_LIT("a-very-long-service-principal-name-that-does-not-fit@federated.example.com"),
	 2890, 40},
	{STR_LIT("<script>alert(1)</script>"), 1200, 600},
	{STR_LIT("\xe5\xbc\xa0\xe4\xbc\x9f"), 310, 0},
	{STR_LIT("nobody"), 1, 1},
};

static const struct report_bar grades[] = {
	{STR_LIT("A"), 9800, 0}, {STR_LIT("B"), 1500, 0}, {STR_LIT("C"), 700, 0},
	{STR_LIT("X"), 143, 0},  {STR_LIT("U1"), 337, 0},
};

static const struct report_column columns[] = {
	{"time", "Time", REPORT_TIME, 4},    {"user", "User", REPORT_TEXT, 5},
	{"route", "Route", REPORT_CODE, 5},  {"table", "Table", REPORT_CODE, 4},
	{"verb", "Verb", REPORT_TEXT, 2},    {"rows", "Rows", REPORT_NUMBER, 2},
	{"grade", "Grade", REPORT_GRADE, 2}, {"statement", "Statement", REPORT_CODE, 9},
};

static const struct str statements[] = {
	STR_LIT("SELECT o.OrderId, o.Total, c.Name FROM dbo.Orders AS o JOIN dbo.Customers AS c ON "
		"c.Id = o.CustomerId WHERE c.Id = 4711"),
	STR_LIT("UPDATE dbo.Customers SET Email = N'anna@example.com', UpdatedAt = "
		"SYSUTCDATETIME() WHERE CustomerId = 99321"),
	STR_LIT("SELECT * FROM dbo.Customers"),
	STR_LIT("DELETE FROM dbo.Carts\r\nWHERE SessionId = '8f14e45f' -- "
		"</td><script>alert('x')</script>"),
	STR_LIT("EXEC dbo.FindCustomer @name = N'M\xc3\xbcller \xe2\x80\xae evil \x1b[31m red', "
		"@city = N'\xe6\x9d\xb1\xe4\xba\xac'"),
};

static const struct str grade_words[] = {STR_LIT("A"), STR_LIT("A"), STR_LIT("X"), STR_LIT("U1"),
					 STR_LIT("C")};

static int put_rows(struct report_writer *writer, size_t rows, struct error *err)
{
	const struct report_table table = {.name = "statements",
					   .title = STR_LIT("All statements in order of time"),
					   .columns = columns,
					   .column_count = COUNT(columns)};
	int rc = writer->type->table_begin(writer, &table, err);
	for (size_t i = 0; i < rows && rc == 0; i++) {
		struct report_cell cells[COUNT(columns)] = {
			{.number = FIRST_NS + (int64_t)i * NS_PER_SEC},
			{.text = users[i % COUNT(users)].label},
			{.text = STR_LIT("GET /customers/{id}")},
			{.text = STR_LIT("dbo.Customers"), .absent = i % 7 == 3},
			{.text = STR_LIT("SELECT")},
			{.number = (int64_t)(i * 7919 % 40000)},
			{.text = grade_words[i % COUNT(grade_words)]},
			{.text = statements[i % COUNT(statements)]},
		};
		rc = writer->type->row(writer, cells, err);
	}
	const struct report_table_end end = {.row_count = rows, .row_matched = rows};
	return rc < 0 ? rc : writer->type->table_end(writer, &end, err);
}

static int put_users(struct report_writer *writer, struct error *err)
{
	static const struct report_column by_user[] = {
		{"user", "User", REPORT_TEXT, 6},
		{"count", "Statements", REPORT_NUMBER, 2},
		{"share", "Share", REPORT_SHARE, 2},
		{"last", "Last seen", REPORT_TIME, 3},
	};
	const struct report_table table = {
		.name = "users", .columns = by_user, .column_count = COUNT(by_user)};
	int rc = writer->type->table_begin(writer, &table, err);
	for (size_t i = 0; i < COUNT(users) && rc == 0; i++) {
		const struct report_cell cells[] = {{.text = users[i].label},
						    {.number = users[i].value},
						    {.number = users[i].value * 1000 / 8612},
						    {.number = FIRST_NS + NS_PER_HOUR}};
		rc = writer->type->row(writer, cells, err);
	}
	const struct report_table_end end = {.row_count = COUNT(users), .row_matched = 91};
	return rc < 0 ? rc : writer->type->table_end(writer, &end, err);
}

static int put_charts(struct report_writer *writer, struct error *err)
{
	struct report_bar hours[24];
	char label[24][32];
	for (size_t i = 0; i < COUNT(hours); i++) {
		int len = snprintf(label[i], sizeof(label[i]), "11-22 %02zu:00", i);
		hours[i] = (struct report_bar){.label = str_make(label[i], (size_t)len),
					       .value = (int64_t)(i * i * 37 % 900),
					       .part_risk = i == 14 ? 120 : 0};
	}
	const struct report_chart charts[] = {
		{REPORT_BARS, STR_LIT("Statements by user"), STR_LIT("statements"),
		 "without API request or contradicting itself", users, COUNT(users)},
		{REPORT_TIMELINE, STR_LIT("Statements by hour"), STR_LIT("statements"),
		 "without API request", hours, COUNT(hours)},
		{REPORT_STACK, STR_LIT("How sure the attribution is"), STR_LIT("statements"), NULL,
		 grades, COUNT(grades)},
	};
	int rc = 0;
	for (size_t i = 0; i < COUNT(charts) && rc == 0; i++) {
		rc = writer->type->chart(writer, &charts[i], err);
	}
	return rc;
}

static int put_all(struct report_writer *writer, const struct report_head *head, size_t rows,
		   struct error *err)
{
	struct report_section section = contents[0];
	section.text = STR_LIT("Every statement that ran in the range, with the person at the API "
			       "where there is one, and how sure that is.");
	int rc = writer->type->begin(writer, head, err);
	rc = rc < 0 ? rc : writer->type->section(writer, &section, err);
	rc = rc < 0 ? rc : writer->type->section(writer, &contents[1], err);
	rc = rc < 0 ? rc : put_charts(writer, err);
	rc = rc < 0 ? rc : put_users(writer, err);
	rc = rc < 0 ? rc : writer->type->section(writer, &contents[2], err);
	rc = rc < 0 ? rc : put_rows(writer, rows, err);
	rc = rc < 0 ? rc : writer->type->section(writer, &contents[3], err);
	rc = rc < 0 ? rc : writer->type->facts(writer, facts, 2, err);
	rc = rc < 0 ? rc
		    : writer->type->note(writer,
					 STR_LIT("No channel was configured in this range."), true,
					 err);
	rc = rc < 0 ? rc : writer->type->note(writer, STR_LIT("Nothing else to say."), false, err);
	return rc < 0 ? rc : writer->type->end(writer, err);
}

int report_sample_write(const struct report_writer_type *type, struct output *out, size_t rows,
			struct error *err)
{
	const struct report_head head = {
		.name = STR_LIT("sample"),
		.title = STR_LIT("Who ran what: customers"),
		.purpose = STR_LIT("Shows who reached the customers' data through the API or past "
				   "it, and how we know."),
		.clauses = clauses,
		.clause_count = COUNT(clauses),
		.facts = facts,
		.fact_count = COUNT(facts),
		.contents = contents,
		.content_count = COUNT(contents),
		.incomplete = true,
		.zone_name = "UTC",
	};
	struct report_writer writer = {.type = type, .out = out};
	int rc = put_all(&writer, &head, rows, err);
	if (type->done != NULL) {
		type->done(&writer);
	}
	return rc;
}
