#include "query/command.h"
int cmd_show(struct session *session, struct error *err)
{
	(void)session;
	return error_set(err, ERR_USAGE, "not built");
}
