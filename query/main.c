#include "query/command.h"

int main(int argc, char **argv)
{
	struct surroundings surroundings = surroundings_detect();
	return command_main(argc, argv, &surroundings);
}
