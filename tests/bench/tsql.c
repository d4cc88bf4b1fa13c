/* How fast T-SQL is read: tokens, template and literals, facts with and without the cache; and texts that are made to be slow. */
#include "base/clock.h"
#include "model/tsql/facts-cache.h"

#include <stdio.h>
#include <stdlib.h>

#define STATEMENTS    60000
#define ROUNDS        5
#define HOSTILE_BYTES (1u << 20)
#define CACHE_BYTES   (8u << 20)

/* Statements of applications, with the marker that ends them; # is a number that varies. */
static const char *const shapes[] = {
	"SELECT [o].[Id], [o].[CustomerId], [o].[Total], [o].[CreatedAt], [c].[Name], "
	"[c].[Email]\nFROM [dbo].[Orders] AS "
	"[o]\nINNER JOIN [dbo].[Customers] AS [c] ON [o].[CustomerId] = [c].[Id]\nWHERE "
	"([o].[CustomerId] = #) AND "
	"([o].[Status] = N'open#')\nORDER BY [o].[CreatedAt] DESC\nOFFSET 0 ROWS FETCH NEXT 50 "
	"ROWS ONLY",
	"UPDATE dbo.Orders SET Status = 'shipped', Total = #.50, UpdatedAt = "
	"'2026-11-22T10:00:00' WHERE Id = # AND "
	"Version = 3",
	"INSERT INTO dbo.OrderLines (OrderId, ProductId, Quantity, Price, Note) VALUES (#, #, 2, "
	"19.95, N'please ring "
	"twice, the dog is kind')",
	"SELECT TOP (100) p.Id, p.Name, p.Price, (SELECT COUNT(*) FROM dbo.Reviews r WHERE "
	"r.ProductId = p.Id) AS reviews FROM "
	"dbo.Products p WHERE p.CategoryId IN (#, #, 7, 8, 9) AND p.Name LIKE N'%shoe%' ORDER "
	"BY p.Price",
	"DELETE FROM dbo.CartItems WHERE CartId = # AND ProductId = #",
	"EXEC dbo.GetCustomerOrders @CustomerId = #, @PageSize = 50, @Page = #, @Sort = "
	"N'CreatedAt'",
	"WITH recent AS (SELECT CustomerId, MAX(CreatedAt) AS last FROM dbo.Orders WHERE CreatedAt "
	"> '2026-#-01' GROUP BY "
	"CustomerId) SELECT c.Id, c.Name, recent.last FROM dbo.Customers c LEFT JOIN recent ON "
	"recent.CustomerId = c.Id "
	"WHERE c.Region = #",
};

struct texts {
	struct buf bytes;
	size_t ends[STATEMENTS];
};

static void put_shape(struct buf *out, const char *shape, unsigned seed)
{
	for (; *shape != '\0'; shape++) {
		if (*shape == '#') {
			buf_put_u64(out, seed >> 12 & 0xffff);
			seed *= 5;
		} else {
			buf_put_byte(out, (uint8_t)*shape);
		}
	}
}

static void make_texts(struct texts *texts)
{
	unsigned seed = 1;

	buf_init(&texts->bytes, 0);
	for (size_t i = 0; i < STATEMENTS; i++) {
		seed = seed * 1664525 + 1013904223;
		put_shape(&texts->bytes,
			  shapes[(seed >> 24) % (sizeof(shapes) / sizeof(shapes[0]))], seed);
		buf_putf(&texts->bytes, " /*request_id=%08x-7d2b-4f11-9d5c-%012x*/", seed,
			 seed ^ 77);
		texts->ends[i] = texts->bytes.len;
	}
}

static struct str text_of(const struct texts *texts, size_t i)
{
	size_t start = i == 0 ? 0 : texts->ends[i - 1];

	return str_make(texts->bytes.ptr + start, texts->ends[i] - start);
}

/* What is measured: one pass over all statements; returns a sum, so that nothing is left out. */
struct pass {
	const char *name;
	size_t (*run)(const struct texts *texts, void *state);
};

static size_t run_tokens(const struct texts *texts, void *state)
{
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < STATEMENTS; i++) {
		struct tsql_reader reader = tsql_reader(text_of(texts, i));
		struct tsql_token token;

		while (tsql_next(&reader, &token)) {
			count++;
		}
	}
	return count;
}

static size_t run_split(const struct texts *texts, void *state)
{
	struct tsql_template *template = state;
	size_t count = 0;

	for (size_t i = 0; i < STATEMENTS; i++) {
		if (tsql_template_split(template, text_of(texts, i), NULL) == 0) {
			count += template->literal_count;
		}
	}
	return count;
}

static size_t run_facts(const struct texts *texts, void *state)
{
	struct tsql_facts facts;
	size_t count = 0;

	for (size_t i = 0; i < STATEMENTS; i++) {
		if (tsql_facts_of(text_of(texts, i), NULL, state, &facts) == 0) {
			count += facts.object_count;
		}
	}
	return count;
}

static size_t run_cached(const struct texts *texts, void *state)
{
	const struct tsql_facts *facts;
	size_t count = 0;

	for (size_t i = 0; i < STATEMENTS; i++) {
		if (tsql_cache_facts(state, text_of(texts, i), NULL, &facts) == 0) {
			count += facts->object_count;
		}
	}
	return count;
}

static void measure(const struct texts *texts, struct pass pass, void *state)
{
	int64_t best = INT64_MAX;
	size_t sum = 0;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = clock_monotonic_ns();

		sum = pass.run(texts, state);
		int64_t took = clock_monotonic_ns() - start;
		best = took < best ? took : best;
	}
	printf("%-24s %7.0f MB/s %10.0f statements/s %6.1f found a statement\n", pass.name,
	       (double)texts->bytes.len * 1e3 / (double)best, STATEMENTS * 1e9 / (double)best,
	       (double)sum / STATEMENTS);
}

/* A text of HOSTILE_BYTES from a repeated part: how long its facts take. */
static void measure_hostile(const char *part, struct tsql_scratch *scratch,
			    struct tsql_template *template)
{
	struct tsql_facts facts = {.statement_count = 0};
	struct buf text;
	int64_t start;
	int64_t facts_ns;

	buf_init(&text, 0);
	while (text.len < HOSTILE_BYTES) {
		buf_put_text(&text, part);
	}
	start = clock_monotonic_ns();
	(void)tsql_facts_of(buf_str(&text), NULL, scratch, &facts); /* its time matters */
	facts_ns = clock_monotonic_ns() - start;
	start = clock_monotonic_ns();
	(void)tsql_template_split(template, buf_str(&text), NULL);
	printf("1 MB of %-30s facts %8.2f ms, template %6.2f ms\n", part, (double)facts_ns / 1e6,
	       (double)(clock_monotonic_ns() - start) / 1e6);
	buf_done(&text);
}

int main(void)
{
	static const char *const hostile[] = {
		"(",
		"/*",
		"'",
		"[",
		"]",
		"'a'+",
		"a.b(),",
		"REVERSE(",
		"REPLACE('a',",
		"EXEC('a')",
		"DELETE a;",
		"x=x OR ",
		"CREATE PROC p ",
		"(SELECT a FROM b,",
		"CASE WHEN ",
		"SET @a+='b';",
		"a,",
		"GO\n",
		"WITH a AS (",
		"-",
		"IF EXISTS(",
		"EXEC sp_executesql ",
		"CHAR(65)+",
		";",
		"SELECT a.b FROM a c JOIN ",
	};
	struct texts *texts = malloc(sizeof(*texts));
	struct tsql_template template;
	struct tsql_scratch scratch;
	struct tsql_cache cache;

	if (texts == NULL) {
		return 2;
	}
	tsql_template_init(&template);
	tsql_scratch_init(&scratch);
	tsql_cache_init(&cache, CACHE_BYTES);
	make_texts(texts);
	measure(texts, (struct pass){"tokens", run_tokens}, NULL);
	measure(texts, (struct pass){"template and literals", run_split}, &template);
	measure(texts, (struct pass){"facts", run_facts}, &scratch);
	measure(texts, (struct pass){"facts from the cache", run_cached}, &cache);
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		measure_hostile(hostile[i], &scratch, &template);
	}
	tsql_template_done(&template);
	tsql_scratch_done(&scratch);
	tsql_cache_done(&cache);
	buf_done(&texts->bytes);
	free(texts);
	return 0;
}
