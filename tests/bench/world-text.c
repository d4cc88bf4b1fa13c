/* The SQL of a template: conditions and values for its literals, then columns until it has its length. */
#include "base/buf.h"
#include "tests/bench/world-plan.h"

#include <assert.h>
#include <string.h>

#define MARK    '\1' /* stands for a literal */
#define COMMENT 51   /* bytes of the request id's comment */

static const char *const columns[] = {
	"CustomerId",  "OrderId",       "Amount",      "OrderDate",     "Email",
	"City",        "CreatedAt",     "Note",        "CorrelationId", "Quantity",
	"StatusId",    "ModifiedAt",    "Currency",    "TaxRate",       "Discount",
	"Priority",    "Channel",       "WarehouseId", "CarrierCode",   "TrackingNumber",
	"InvoiceId",   "PaymentTerm",   "ShippedAt",   "DeliveredAt",   "CancelledAt",
	"IsDeleted",   "VersionNumber", "Street",      "PostalCode",    "CountryCode",
	"PhoneNumber", "LanguageCode",  "SegmentId",   "CampaignId",    "ExternalReference",
	"LineNumber",  "ProductId",     "UnitPrice",   "ApprovedBy",    "ClosedAt"};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

static const char *const column_of[LITERAL_KINDS] = {
	[LITERAL_INT] = "Quantity",       [LITERAL_CUSTOMER] = "CustomerId",
	[LITERAL_ORDER] = "OrderId",      [LITERAL_MONEY] = "Amount",
	[LITERAL_DATE] = "OrderDate",     [LITERAL_EMAIL] = "Email",
	[LITERAL_NAME] = "City",          [LITERAL_TIMESTAMP] = "CreatedAt",
	[LITERAL_TEXT] = "Note",          [LITERAL_GUID] = "CorrelationId",
	[LITERAL_REPEAT] = "ReferenceId", [LITERAL_CONSTANT] = "StatusId"};

/* about how many bytes a literal has */
static const uint8_t width_of[LITERAL_KINDS] = {
	[LITERAL_INT] = 2,   [LITERAL_CUSTOMER] = 6, [LITERAL_ORDER] = 8,  [LITERAL_MONEY] = 6,
	[LITERAL_DATE] = 12, [LITERAL_EMAIL] = 27,   [LITERAL_NAME] = 8,   [LITERAL_TIMESTAMP] = 21,
	[LITERAL_TEXT] = 50, [LITERAL_GUID] = 38,    [LITERAL_REPEAT] = 7, [LITERAL_CONSTANT] = 2};

struct text {
	struct buf head, tail;
	struct dice *dice;
	size_t wanted; /* bytes of head and tail */
	size_t column; /* the next to be named */
};

static const char *next_column(struct text *text)
{
	text->column += 1 + dice_below(text->dice, WORLD_TABLES, 3);
	return columns[text->column % COLUMN_COUNT];
}

static int is_short(const struct text *text)
{
	return text->head.len + text->tail.len + 12 < text->wanted;
}

/* The literal or parameter number n; behind it the marks are cut out. */
static void put_value(struct buf *out, const struct plan_template *template, size_t n)
{
	if (template->has_parameters) {
		buf_putf(out, "@P%zu", n + 1);
	} else {
		buf_put_byte(out, MARK);
	}
}

static size_t value_count(const struct plan_template *template)
{
	size_t parameters = template->target_bytes < 200 ? 1 : 2 + template->table % 4u;
	return template->has_parameters ? parameters : template->slot_count;
}

static const char *column_for(const struct plan_template *template, size_t n)
{
	static const uint8_t kinds[] = {LITERAL_CUSTOMER, LITERAL_ORDER, LITERAL_INT, LITERAL_DATE,
					LITERAL_EMAIL};
	return column_of[template->has_parameters ? kinds[n % 5] : template->slots[n].kind];
}

static void put_conditions(struct buf *out, const struct plan_template *template, size_t from)
{
	static const char *const comparisons[] = {" = ", " >= ", " <> ", " = "};
	for (size_t n = from; n < value_count(template); n++) {
		buf_put_text(out, n == from ? " WHERE a." : " AND a.");
		buf_put_text(out, column_for(template, n));
		buf_put_text(out, comparisons[n == 0 ? 0 : (n + template->table) % 4]);
		put_value(out, template, n);
	}
}

static void put_name(struct buf *out, const struct plan_table *table, const char *prefix)
{
	buf_putf(out, "%s.%s%s", table->schema, prefix, table->name);
}

static void write_select(const struct world_plan *plan, struct text *text,
			 const struct plan_template *template)
{
	const struct plan_table *table = &plan->tables[template->table];
	buf_put_text(&text->tail, " FROM ");
	put_name(&text->tail, table, "");
	buf_put_text(&text->tail, " AS a");
	if (text->wanted > 300) {
		buf_put_text(&text->tail, " INNER JOIN ");
		put_name(&text->tail, &plan->tables[(template->table + 7u) % PLAN_TABLES], "");
		buf_put_text(&text->tail, " AS b ON b.OrderId = a.OrderId");
	}
	put_conditions(&text->tail, template, 0);
	if (text->wanted > 250) {
		buf_put_text(&text->tail, " ORDER BY a.CreatedAt DESC");
	}
	buf_putf(&text->head, "SELECT a.%s", next_column(text));
	while (is_short(text)) {
		buf_putf(&text->head, ", %s.%s",
			 text->wanted > 300 && text->column % 3 == 0 ? "b" : "a",
			 next_column(text));
	}
}

static void write_insert(const struct world_plan *plan, struct text *text,
			 const struct plan_template *template)
{
	buf_put_text(&text->head, "INSERT INTO ");
	put_name(&text->head, &plan->tables[template->table], "");
	buf_put_text(&text->tail, ") VALUES (");
	for (size_t n = 0; n < value_count(template); n++) {
		buf_putf(&text->head, "%s%s", n == 0 ? " (" : ", ", column_for(template, n));
		buf_put_text(&text->tail, n == 0 ? "" : ", ");
		put_value(&text->tail, template, n);
	}
	while (is_short(text)) {
		buf_putf(&text->head, ", %s", next_column(text));
		buf_put_text(&text->tail, ", DEFAULT");
	}
	buf_put_text(&text->tail, ")");
}

static void write_update(const struct world_plan *plan, struct text *text,
			 const struct plan_template *template)
{
	size_t set = value_count(template) / 2;
	buf_put_text(&text->head, "UPDATE a SET a.ModifiedAt = SYSUTCDATETIME()");
	for (size_t n = 0; n < set; n++) {
		buf_putf(&text->head, ", a.%s = ", column_for(template, n));
		put_value(&text->head, template, n);
	}
	buf_put_text(&text->tail, " FROM ");
	put_name(&text->tail, &plan->tables[template->table], "");
	buf_put_text(&text->tail, " AS a");
	put_conditions(&text->tail, template, set);
	while (is_short(text)) {
		const char *column = next_column(text);
		buf_putf(&text->head, ", a.%s = COALESCE(a.%s, NULL)", column, column);
	}
}

static void write_exec(const struct world_plan *plan, struct text *text,
		       const struct plan_template *template)
{
	buf_put_text(&text->head, "EXEC ");
	put_name(&text->head, &plan->tables[template->table], "usp_Refresh");
	for (size_t n = 0; n < value_count(template); n++) {
		buf_putf(&text->head, "%s @%s%zu = ", n == 0 ? "" : ",", column_for(template, n),
			 n + 1);
		put_value(&text->head, template, n);
	}
	while (is_short(text)) {
		buf_putf(&text->head, ", @%s = NULL", next_column(text));
	}
}

static void write_delete(const struct world_plan *plan, struct text *text,
			 const struct plan_template *template)
{
	buf_put_text(&text->head, "DELETE a FROM ");
	put_name(&text->head, &plan->tables[template->table], "");
	buf_put_text(&text->head, " AS a");
	put_conditions(&text->head, template, 0);
	while (is_short(text)) {
		buf_putf(&text->head, " AND a.%s IS NOT NULL", next_column(text));
	}
}

void plan_write_text(const struct world_plan *plan, struct dice *dice,
		     struct plan_template *template)
{
	struct text text = {.dice = dice, .wanted = template->target_bytes - COMMENT};
	buf_init(&text.head, PLAN_TEXT_MAX);
	buf_init(&text.tail, PLAN_TEXT_MAX);
	for (size_t n = 0; n < template->slot_count; n++) {
		text.wanted -= text.wanted > 60 ? width_of[template->slots[n].kind] : 0u;
	}
	switch (template->verb) {
	case VERB_SELECT:
		write_select(plan, &text, template);
		break;
	case VERB_INSERT:
		write_insert(plan, &text, template);
		break;
	case VERB_UPDATE:
		write_update(plan, &text, template);
		break;
	case VERB_EXEC:
		write_exec(plan, &text, template);
		break;
	case VERB_DELETE:
		write_delete(plan, &text, template);
		break;
	case VERB_COUNT:
		assert(0);
	}
	buf_put_str(&text.head, buf_str(&text.tail));
	assert(!text.head.failed && text.head.len < PLAN_TEXT_MAX);
	size_t piece = 0, length = 0;
	for (size_t i = 0; i < text.head.len; i++) {
		if (text.head.ptr[i] == MARK) {
			template->piece_end[piece++] = length;
		} else {
			template->text[length++] = text.head.ptr[i];
		}
	}
	template->piece_end[piece] = length;
	template->text[length] = '\0';
	assert(piece == template->slot_count);
	buf_done(&text.head);
	buf_done(&text.tail);
}
