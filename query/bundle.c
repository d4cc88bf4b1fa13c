#include "query/bundle.h"

#include "base/digest.h"
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int check_empty(const char *dir, struct error *err)
{
	int rc = 0;
	DIR *list = opendir(dir);
	if (list == NULL) {
		return error_errno(err, "%s can't be read", dir);
	}
	errno = 0;
	for (const struct dirent *entry = readdir(list); entry != NULL && rc == 0;
	     entry = readdir(list)) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			rc = error_set(err, ERR_CONFIG,
				       "%s is not empty (%s is in it): evidence is written to a "
				       "folder of its own",
				       dir, entry->d_name);
		}
	}
	if (rc == 0 && errno != 0) {
		rc = error_errno(err, "%s can't be read", dir);
	}
	(void)closedir(list); /* it was only read */
	return rc;
}

int bundle_begin(struct bundle *bundle, const char *dir, struct error *err)
{
	*bundle = (struct bundle){.dir = str_of(dir)};
	buf_init(&bundle->manifest, 0);
	int rc = io_make_dir(dir, 0700, err);
	return rc < 0 ? rc : check_empty(dir, err);
}

void bundle_done(struct bundle *bundle)
{
	buf_done(&bundle->manifest);
}

static int path_of(const struct bundle *bundle, const char *name, struct buf *out,
		   struct error *err)
{
	buf_init(out, 0);
	buf_put_str(out, bundle->dir);
	buf_put_byte(out, '/');
	buf_put_text(out, name);
	return buf_check(out, "the name of a file", err);
}

static int write_new(const char *path, struct str bytes, struct error *err)
{
	IO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return error_errno(err, "%s can't be made", path);
	}
	int rc = io_write_all(fd, bytes, err);
	if (rc < 0) {
		error_prefix(err, "%s", path);
	}
	return rc;
}

int bundle_put(struct bundle *bundle, const char *name, struct str bytes, struct error *err)
{
	uint8_t digest[DIGEST_BYTES];
	struct buf path;
	int rc = path_of(bundle, name, &path, err);
	rc = rc < 0 ? rc : write_new(path.ptr, bytes, err);
	buf_done(&path);
	digest_sha256(bytes, digest);
	buf_put_hex(&bundle->manifest, str_make(digest, sizeof digest));
	buf_putf(&bundle->manifest, "  %s\n", name);
	return rc < 0 ? rc : buf_check(&bundle->manifest, "the manifest", err);
}

int bundle_end(struct bundle *bundle, struct error *err)
{
	struct buf path;
	int rc = path_of(bundle, ".", &path, err);
	IO_CLOSE int fd = rc < 0 ? -1 : open(path.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc == 0 && (fd < 0 || syncfs(fd) < 0)) {
		rc = error_errno(err, "%s can't be brought to the disk", path.ptr);
	}
	buf_done(&path);
	if (rc < 0) {
		return rc;
	}
	rc = path_of(bundle, BUNDLE_MANIFEST, &path, err);
	rc = rc < 0 ? rc : io_replace_file(path.ptr, buf_str(&bundle->manifest), 0600, err);
	buf_done(&path);
	return rc;
}
