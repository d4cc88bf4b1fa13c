/* Runs a fuzz target over every file of a corpus folder, and over every truncation of the small ones; fails when there is none. */
#include "base/io.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX     (8u << 20)
#define TRUNCATE_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The target gets a copy of exactly the size, so that a read past the end is seen. */
static void run_copy(const char *bytes, size_t size)
{
	uint8_t *copy = malloc(size != 0 ? size : 1);
	if (copy == NULL) {
		abort();
	}
	if (size != 0) {
		memcpy(copy, bytes, size);
	}
	(void)LLVMFuzzerTestOneInput(copy, size); /* it says nothing by its result */
	free(copy);
}

static int run_file(const char *path)
{
	struct buf file;
	struct error err = {0};
	buf_init(&file, FILE_MAX);
	int result = io_read_file(path, FILE_MAX, &file, &err);
	if (result != 0) {
		fprintf(stderr, "%s\n", err.text);
	} else {
		run_copy(file.ptr, file.len);
		for (size_t size = 0; file.len <= TRUNCATE_MAX && size < file.len; size++) {
			run_copy(file.ptr, size);
		}
	}
	buf_done(&file);
	return result;
}

int main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	int count = argc == 2 ? scandir(argv[1], &entries, NULL, alphasort) : -1;
	int ran = 0, failed = 0;
	for (int i = 0; i < count; i++) {
		struct buf path;
		buf_init(&path, 4096);
		buf_putf(&path, "%s/%s", argv[1], entries[i]->d_name);
		if (entries[i]->d_name[0] != '.') {
			failed += run_file(path.ptr) != 0;
			ran++;
		}
		buf_done(&path);
		free(entries[i]);
	}
	free(entries);
	printf("%d files\n", ran);
	return ran == 0 || failed != 0;
}
