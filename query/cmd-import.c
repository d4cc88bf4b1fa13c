#include "query/command.h"
int cmd_import(struct session *session, struct error *err)
{
	(void)session;
	return error_set(err, ERR_USAGE, "not built");
}
