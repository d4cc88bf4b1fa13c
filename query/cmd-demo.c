#include "query/command.h"
#include "query/demo.h"

#define DEMO_SEED     20261122
#define DEMO_REQUESTS 2000

int cmd_demo(struct session *session, struct error *err)
{
	struct demo_options options = {.seed = DEMO_SEED, .request_count = DEMO_REQUESTS};
	if (session->line.word_count != 0) {
		options.folder = session->line.word[0];
	}
	int result = demo_run(&options, err);
	return result == 0 ? EXIT_FOUND : result;
}
