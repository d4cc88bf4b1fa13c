#include "query/command.h"

#include "base/heap.h"

#define HEAP_STEP ((size_t)64 << 20)

int main(int argc, char **argv)
{
	(void)heap_prepare(HEAP_STEP); /* only makes it quicker */
	struct surroundings surroundings = surroundings_detect();
	return command_main(argc, argv, &surroundings);
}
