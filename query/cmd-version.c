#include "query/command.h"

#include "query/version.h"

int cmd_version(struct session *session, struct error *err)
{
	(void)err;
	buf_put_text(&session->out.text, "querytrail " QUERYTRAIL_VERSION "\n");
	return EXIT_FOUND;
}
