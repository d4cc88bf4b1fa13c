#include "query/writer.h"

#include "base/io.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

bool writer_alive(const char *dir, long *out_pid)
{
	char path[4096];
	struct stat status;
	int len = snprintf(path, sizeof(path), "%s/lock", dir);
	IO_FCLOSE FILE *locks = fopen("/proc/locks", "re");
	if (len < 0 || (size_t)len >= sizeof(path) || stat(path, &status) != 0 || locks == NULL) {
		return false;
	}
	char line[256];
	while (fgets(line, sizeof(line), locks) != NULL) {
		/* "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"; only the inode tells on every file system */
		long pid;
		unsigned major_number;
		unsigned minor_number;
		unsigned long long inode;
		if (sscanf(line, "%*d: FLOCK %*s WRITE %ld %x:%x:%llu", &pid, &major_number,
			   &minor_number, &inode) == 4 &&
		    inode == status.st_ino) {
			*out_pid = pid > 0 ? pid : 0;
			return true;
		}
	}
	return false;
}
