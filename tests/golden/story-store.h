/* story-store - a small store that tells a story, for golden tests and the tests of query/.
 *
 * Shape:   two sources, six requests, twelve statements at every grade, hostile texts, a gap, a reject; fixed times on 2026-11-22.
 *          The order of commits can be changed: answers must not change with it.
 */
#ifndef TESTS_GOLDEN_STORY_STORE_H
#define TESTS_GOLDEN_STORY_STORE_H

#include "tests/golden/story-records.h"
#include "tests/unit/store-folder.h"

#include <dirent.h>

static inline void story_requests(struct story_store *story)
{
	static const struct story_request requests[] = {
		{STORY_R_ALICE, "alice@example.com", "jwt", "GET /orders/{id}", "/orders/17", 0},
		{STORY_R_BOB, "bob@example.com", "cognito", "POST /orders", "/orders", 10},
		{STORY_R_EVE, NULL, NULL, "GET /report", "/report?x=\033[31m", 20},
		{STORY_R_IDLE, "carol@example.com", "iam", "GET /health", "/health", 30},
	};
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		story_request(story, &requests[i]);
	}
}

static inline void story_statements(struct story_store *story)
{
	static const struct story_statement statements[] = {
		{STORY_S_ALICE_1, "app_orders", "SELECT", "Orders",
		 "SELECT o.id, o.total, c.name FROM dbo.Orders AS o JOIN dbo.Customers AS c ON "
		 "c.id = "
		 "o.customer_id WHERE o.id = 17",
		 1, 0, false},
		{STORY_S_ALICE_2, "app_orders", "SELECT", "Customers",
		 "SELECT name FROM dbo.Customers WHERE id = 3", 1, 0, false},
		{STORY_S_BOB, "app_orders", "INSERT", "Orders",
		 "INSERT INTO dbo.Orders (customer_id, total) VALUES (3, 12.50)", 1, 10, false},
		{STORY_S_COMMENT, "app_orders", "UPDATE", "Stock",
		 "/*request_id=req-1*/ UPDATE dbo.Stock SET n = n - 1 WHERE id = 9", 1, 11, false},
		{STORY_S_ADMIN, "sa_admin", "DELETE", "Customers",
		 "DELETE FROM dbo.Customers WHERE name LIKE '%x%'", 4211, 40, false},
		{STORY_S_CONFLICT, "app_report", "SELECT", "Salaries", "SELECT * FROM dbo.Salaries",
		 120, 21, false},
		{STORY_S_PENDING, "app_orders", "SELECT", "Orders", "SELECT 1", 1, 50, false},
		{STORY_S_HOSTILE, "app_orders", "SELECT", "Tx", STORY_HOSTILE, 0, 22, false},
		{STORY_S_REFUSED, "app_orders", "SELECT", "Salaries", "SELECT * FROM dbo.Salaries",
		 0, 12, true},
	};
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		story_statement(story, &statements[i]);
	}
}

static inline void story_verdicts(struct story_store *story)
{
	static const struct story_verdict_row verdicts[] = {
		{STORY_S_ALICE_1, -1, "U1", "", "", "no request carries this id yet", 0},
		{STORY_S_ALICE_1, STORY_R_ALICE, "A", "session_context", "extended_request_id",
		 "extendedRequestId in signed session context, unique, inside the request", 1},
		{STORY_S_ALICE_2, STORY_R_ALICE, "B", "application", "lambda_request_id",
		 "Lambda request id in the application name", 0},
		{STORY_S_BOB, STORY_R_BOB, "A", "session_context", "extended_request_id",
		 "extendedRequestId in session context, unique, inside the request", 0},
		{STORY_S_COMMENT, STORY_R_BOB, "C", "comment", "request_id",
		 "request id in a comment, which the client writes itself", 0},
		{STORY_S_ADMIN, -1, "U1", "", "", "no id and no request at this time", 0},
		{STORY_S_CONFLICT, STORY_R_EVE, "X", "session_context", "extended_request_id",
		 "login app_report may not be used by route GET /report", 0},
		{STORY_S_HOSTILE, STORY_R_EVE, "C", "comment", "request_id", "id in a comment", 0},
		{STORY_S_REFUSED, STORY_R_BOB, "A", "session_context", "extended_request_id",
		 "extendedRequestId in session context", 0},
		{-1, STORY_R_IDLE, "U2", "", "", "no statement names this request", 0},
	};
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		story_verdict_of(story, &verdicts[i]);
	}
}

/* Makes the store in a new folder.
 *   complete  no gap, all sources well
 *   turned    statements are committed before requests */
static inline void story_store_init(struct story_store *story, bool complete, bool turned)
{
	*story = (struct story_store){.dir = "/tmp/querytrail-story-XXXXXX"};
	assert(mkdtemp(story->dir) != NULL);
	assert(store_open(story->dir, STORE_CREATE, &story->store, NULL) == 0);
	for (int part = 0; part < 2; part++) {
		assert(store_begin(story->store, STORY_NOW_NS, NULL) == 0);
		if ((part == 0) != turned) {
			story_requests(story);
		} else {
			story_statements(story);
		}
		assert(store_commit(story->store, NULL) == 0);
	}
	assert(store_begin(story->store, STORY_NOW_NS, NULL) == 0);
	story_verdicts(story);
	if (!complete) {
		story_rest(story);
	}
	story_sources(story, complete);
	assert(store_commit(story->store, NULL) == 0);
	store_close(story->store);
	story->store = NULL;
}

static inline void story_store_done(struct story_store *story)
{
	store_close(story->store);
	store_folder_remove(story->dir);
}

#endif
