#include "tests/sim/company.h"

#include <assert.h>

static const struct service services[SERVICES] = {
	[SERVICE_ORDERS] = {"orders", "svc_orders", "Fjordkjop.Orders 4.2", "ip-10-20-1-11",
			    CARRIER_JSON, true},
	[SERVICE_CRM] = {"crm", "svc_crm", "crm-api:17", "ip-10-20-2-21", CARRIER_SIGNED, false},
	[SERVICE_BILLING] = {"billing", "svc_billing", "billing-api:9", "ip-10-20-3-31",
			     CARRIER_AUDIT, false},
	[SERVICE_STOCK] = {"stock", "svc_stock", "node-mssql", "ip-10-20-4-41", CARRIER_REPLAY,
			   false},
	[SERVICE_CATALOG] = {"catalog-search", "svc_catalog", "lambda", "169.254.100.6",
			     CARRIER_APP, false},
	[SERVICE_PRICING] = {"pricing", "svc_pricing", "pricing-fn:33", "169.254.100.7",
			     CARRIER_LAMBDA, false},
	[SERVICE_LEGACY] = {"legacy", "svc_legacy", "Microsoft JDBC Driver for SQL Server",
			    "ip-10-20-7-71", CARRIER_COMMENT, true},
	[SERVICE_PARTNER] = {"partner", "svc_partner", "partner-gateway", "ip-10-20-8-81",
			     CARRIER_NONE, false},
};

static const struct table tables[TABLES] = {
#define TABLE(id, database, schema, name) [TABLE_##id] = {database, schema, name},
#include "tests/sim/tables.def"
#undef TABLE
};

static const struct template templates[STATEMENTS] = {
#define STATEMENT(id, table, action, text) [STATEMENT_##id] = {TABLE_##table, action, text},
#include "tests/sim/statements.def"
#undef STATEMENT
};

#define S(id) STATEMENT_##id
#define R1(a)        \
	1,           \
	{            \
		S(a) \
	}
#define R2(a, b)           \
	2,                 \
	{                  \
		S(a), S(b) \
	}
#define R3(a, b, c)              \
	3,                       \
	{                        \
		S(a), S(b), S(c) \
	}
#define R4(a, b, c, d)                 \
	4,                             \
	{                              \
		S(a), S(b), S(c), S(d) \
	}
#define ORDERS(kind, ...)     SERVICE_ORDERS, USER_##kind, __VA_ARGS__
#define CRM(kind, ...)        SERVICE_CRM, USER_##kind, __VA_ARGS__
#define BILLING(kind, ...)    SERVICE_BILLING, USER_##kind, __VA_ARGS__
#define STOCK(kind, ...)      SERVICE_STOCK, USER_##kind, __VA_ARGS__
#define CATALOG_FN(kind, ...) SERVICE_CATALOG, USER_##kind, __VA_ARGS__
#define PRICING(kind, ...)    SERVICE_PRICING, USER_##kind, __VA_ARGS__
#define LEGACY(kind, ...)     SERVICE_LEGACY, USER_##kind, __VA_ARGS__
#define PARTNER(kind, ...)    SERVICE_PARTNER, USER_##kind, __VA_ARGS__
#define NO_STATEMENT(kind)              \
	SERVICE_ORDERS, USER_##kind, 0, \
	{                               \
		0                       \
	}

/* the first ones are asked most */
/* clang-format off */
static const struct route routes[ROUTES] = {
	{"GET", "/products/{id}", CATALOG_FN(CUSTOMER, R4(PRODUCT_GET, IMAGE_LIST, ATTRIBUTE_LIST, REVIEW_LIST))},
	{"GET", "/orders/{id}", ORDERS(CUSTOMER, R3(ORDER_GET, ORDER_LINES_GET, SHIPMENT_GET))},
	{"GET", "/customers/{id}", CRM(STAFF, R3(CUSTOMER_GET, ADDRESS_GET, LOYALTY_GET))},
	{"GET", "/search", CATALOG_FN(CUSTOMER, R2(PRODUCT_SEARCH, CATEGORY_LIST))},
	{"GET", "/prices/{id}", PRICING(CUSTOMER, R2(PRICE_GET, PRICE_CALC))},
	{"GET", "/carts/{id}", ORDERS(CUSTOMER, R2(CART_GET, CART_LINES_GET))},
	{"GET", "/stock/{id}", STOCK(IAM, R2(ITEM_GET, LEVEL_GET))},
	{"GET", "/invoices/{id}", BILLING(CUSTOMER, R3(INVOICE_GET, INVOICE_LINES, PAYMENT_LIST))},
	{"GET", "/legacy/orders/{id}", LEGACY(CUSTOMER, R2(ORDER_GET, ORDER_LINES_GET))},
	{"GET", "/health", NO_STATEMENT(IAM)},
	{"GET", "/customers/{id}/orders", ORDERS(STAFF, R1(ORDERS_BY_CUSTOMER))},
	{"PUT", "/carts/{id}/lines", ORDERS(CUSTOMER, R3(CART_GET, CART_LINE_PUT, CART_TOUCH))},
	{"GET", "/partner/stock", PARTNER(KEY, R1(LEVEL_GET))},
	{"GET", "/products/{id}/reviews", CATALOG_FN(CUSTOMER, R1(REVIEW_LIST))},
	{"POST", "/orders", ORDERS(CUSTOMER, R4(CART_GET, ORDER_INSERT, ORDER_LINE_INSERT, COUPON_GET))},
	{"GET", "/tickets", CRM(STAFF, R2(TICKET_LIST, MACRO_LIST))},
	{"GET", "/tickets/{id}", CRM(STAFF, R3(TICKET_GET, MESSAGE_LIST, ATTACHMENT_GET))},
	{"POST", "/tickets/{id}/messages", CRM(STAFF, R2(TICKET_GET, MESSAGE_INSERT))},
	{"POST", "/payments", BILLING(CUSTOMER, R4(INVOICE_GET, CARD_GET, PAYMENT_INSERT, LEDGER_INSERT))},
	{"PATCH", "/orders/{id}", ORDERS(STAFF, R2(ORDER_GET, ORDER_STATUS))},
	{"GET", "/customers/search", CRM(STAFF, R1(CUSTOMER_SEARCH))},
	{"DELETE", "/carts/{id}/lines/{line}", ORDERS(CUSTOMER, R2(CART_LINE_DELETE, CART_TOUCH))},
	{"GET", "/legacy/invoices", LEGACY(CUSTOMER, R2(INVOICE_LIST, TAX_GET))},
	{"POST", "/stock/movements", STOCK(IAM, R2(LEVEL_TAKE, MOVEMENT_INSERT))},
	{"POST", "/stock/reservations", STOCK(IAM, R3(LEVEL_GET, LEVEL_TAKE, RESERVATION_INSERT))},
	{"GET", "/categories/{id}", CATALOG_FN(CUSTOMER, R1(CATEGORY_LIST))},
	{"POST", "/prices", PRICING(STAFF, R2(PRICE_GET, PRICE_SET))},
	{"GET", "/customers/{id}/loyalty", CRM(CUSTOMER, R1(LOYALTY_GET))},
	{"POST", "/login", CRM(CUSTOMER, R2(CUSTOMER_SEARCH, LOGIN_RECORD))},
	{"PUT", "/customers/{id}", CRM(CUSTOMER, R2(CUSTOMER_GET, CUSTOMER_UPDATE))},
	{"POST", "/customers", CRM(CUSTOMER, R2(CUSTOMER_INSERT, SEGMENT_LIST))},
	{"POST", "/returns", ORDERS(CUSTOMER, R3(ORDER_GET, RETURN_INSERT, RETURN_LINES))},
	{"GET", "/orders", ORDERS(STAFF, R1(ORDER_SEARCH))},
	{"POST", "/products/{id}/reviews", LEGACY(CUSTOMER, R2(PRODUCT_GET, REVIEW_INSERT))},
	{"POST", "/partner/orders", PARTNER(KEY, R2(ORDER_INSERT, ORDER_LINE_INSERT))},
	{"GET", "/partner/shipments/{id}", PARTNER(KEY, R1(SHIPMENT_GET))},
	{"GET", "/stock/locations", STOCK(IAM, R1(LOCATION_LIST))},
	{"GET", "/stock/deliveries", STOCK(IAM, R2(DELIVERY_LIST, SUPPLIER_GET))},
	{"DELETE", "/stock/reservations/{id}", STOCK(IAM, R1(RESERVATION_DELETE))},
	{"POST", "/invoices", BILLING(IAM, R3(TAX_GET, INVOICE_INSERT, LEDGER_INSERT))},
	{"POST", "/refunds", BILLING(STAFF, R2(INVOICE_GET, REFUND_EXEC))},
	{"GET", "/dunning", BILLING(IAM, R1(DUNNING_LIST))},
	{"POST", "/customers/{id}/loyalty", CRM(IAM, R1(LOYALTY_ADD))},
	{"PUT", "/customers/{id}/addresses", CRM(CUSTOMER, R2(ADDRESS_GET, ADDRESS_PUT))},
	{"GET", "/customers/{id}/consents", CRM(STAFF, R1(CONSENT_GET))},
	{"PUT", "/products/{id}", LEGACY(STAFF, R2(PRODUCT_GET, PRODUCT_UPDATE))},
	{"POST", "/shipments/{id}/events", LEGACY(IAM, R2(SHIPMENT_GET, SHIPMENT_EVENT))},
	{"POST", "/tickets", CRM(CUSTOMER, R2(AGENT_GET, TICKET_INSERT))},
	{"DELETE", "/customers/{id}", CRM(STAFF, R2(CUSTOMER_GET, CUSTOMER_DELETE))},
	{"GET", "/customers/export", CRM(STAFF, R1(CUSTOMER_EXPORT))},
};
/* clang-format on */

static const char *const first_names[] = {
	"Marit",  "Bjørn",  "Ingrid",  "Ole",    "Åse",    "Lars",   "Søren",   "Kari",
	"Anders", "Sigrid", "Jürgen",  "Zoë",    "Niamh",  "Pål",    "Grete",   "Håkon",
	"Ida",    "Jonas",  "Emma",    "Nora",   "Filip",  "Maja",   "Łukasz",  "José",
	"Chloé",  "Renée",  "Mika",    "Aino",   "Ünal",   "Şebnem", "Nguyễn",  "Олена",
	"明",     "さくら", "Aaliyah", "Tomasz", "Vigdís", "Seán",   "Andrius", "Bob",
};

static const char *const last_names[] = {
	"Lund",    "Ødegård", "Hansen",   "O'Brien", "Nilsen", "Bakke",  "Müller", "Kristiansen",
	"Solberg", "Moen",    "D'Angelo", "Strand",  "Berg",   "Haugen", "Ylönen", "Þórsson",
	"Nowak",   "García",  "Dahl",     "Sæther",  "Eide",   "Vik",    "Novák",  "Jensen",
	"Petrov",  "Tanaka",  "Nguyen",   "Smith",   "Rød",    "Fjeld",
};

const struct service *company_service(size_t index)
{
	assert(index < SERVICES);
	return &services[index];
}

const struct table *company_table(size_t index)
{
	assert(index < TABLES);
	return &tables[index];
}

const struct template *company_template(size_t index)
{
	assert(index < STATEMENTS);
	return &templates[index];
}

const struct route *company_route(size_t index)
{
	assert(index < ROUTES);
	return &routes[index];
}

size_t company_find_route(const char *method, const char *path)
{
	size_t i = 0;
	while (i < ROUTES &&
	       (strcmp(routes[i].method, method) != 0 || strcmp(routes[i].path, path) != 0)) {
		i++;
	}
	assert(i < ROUTES);
	return i;
}

int32_t company_object_id(const struct table *table)
{
	return 245575913 + 16 * (int32_t)(table - tables);
}

const char *company_first_name(uint64_t index)
{
	return first_names[index % (sizeof(first_names) / sizeof(first_names[0]))];
}

const char *company_last_name(uint64_t index)
{
	return last_names[index % (sizeof(last_names) / sizeof(last_names[0]))];
}

static void put_name(struct chance *chance, enum user_kind kind, uint32_t number, struct buf *buf)
{
	switch (kind) {
	case USER_CUSTOMER:
		buf_putf(buf, "%s.%s%u@post.example", company_first_name(chance_u64(chance)),
			 company_last_name(chance_u64(chance)), number);
		break;
	case USER_STAFF:
		/* number makes it unique: first and last name counts have no common divisor but 10 */
		buf_putf(buf, "%s.%s%.0u@fjordkjop.example", company_first_name(number),
			 company_last_name(number * 7 / 40 + number), number < 40 ? 0 : number);
		break;
	case USER_IAM:
		buf_putf(buf, "arn:aws:sts::123456789012:assumed-role/fjord-%s/i-0%08x",
			 services[number % SERVICES].name,
			 (unsigned)chance_below(chance, 1u << 31));
		break;
	case USER_KEY:
		buf_put_text(buf, "k");
		buf_putf(buf, "%03u", number);
		chance_put_hex(chance, 6, buf);
		break;
	case USER_KINDS:
		break;
	}
}

static void put_ip(struct chance *chance, enum user_kind kind, struct buf *buf)
{
	unsigned a = (unsigned)chance_below(chance, 250) + 1,
		 b = (unsigned)chance_below(chance, 250);
	if (kind == USER_CUSTOMER && chance_permille(chance, 200)) {
		buf_putf(buf, "2001:db8:%x:%x::%x", a, b, a ^ b);
	} else if (kind == USER_CUSTOMER) {
		buf_putf(buf, "198.51.%u.%u", a, b);
	} else {
		buf_putf(buf, "203.0.113.%u", a);
	}
}

struct user *company_users(struct arena *arena, struct chance *chance, enum user_kind kind,
			   uint32_t count)
{
	struct user *users = arena_calloc(arena, count, sizeof(users[0]));
	if (users == NULL) {
		return NULL;
	}
	struct buf buf;
	buf_init(&buf, 0);
	int failed = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct user *user = &users[i];
		user->kind = kind;
		user->agent = (uint8_t)chance_below(chance, 12);
		put_name(chance, kind, i, &buf);
		failed |= arena_str(arena, buf_str(&buf), &user->name);
		buf_clear(&buf);
		if (kind == USER_CUSTOMER || kind == USER_STAFF) {
			chance_put_uuid(chance, &buf);
			failed |= arena_str(arena, buf_str(&buf), &user->subject);
			buf_clear(&buf);
		}
		for (size_t ip = 0; ip < 2; ip++) {
			put_ip(chance, kind, &buf);
			failed |= arena_str(arena, buf_str(&buf), &user->ip[ip]);
			buf_clear(&buf);
		}
	}
	failed |= buf.failed;
	buf_done(&buf);
	return failed ? NULL : users;
}
