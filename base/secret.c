#include "base/secret.h"

#include "base/buf.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECURE_HEAP_BYTES 262144

void secret_init(struct secret *secret)
{
	*secret = (struct secret){.ptr = NULL, .len = 0};
}

void secret_done(struct secret *secret)
{
	if (secret->ptr != NULL) {
		OPENSSL_secure_clear_free(secret->ptr, secret->len + 1);
	}
	secret_init(secret);
}

int secret_set(struct secret *secret, struct str bytes, struct error *err)
{
	secret_done(secret);
	if (bytes.len > SECRET_MAX_BYTES) {
		return error_set(err, ERR_LIMIT, "a secret has more than %d bytes",
				 SECRET_MAX_BYTES);
	}
	char *copy = OPENSSL_secure_malloc(bytes.len + 1);
	if (copy == NULL) {
		return error_set(err, ERR_NOMEM, "no memory for a secret of %zu bytes", bytes.len);
	}
	if (bytes.len != 0) {
		memcpy(copy, bytes.ptr, bytes.len);
	}
	copy[bytes.len] = '\0';
	secret->ptr = copy;
	secret->len = bytes.len;
	return 0;
}

/* The path to open: a bare name is a systemd credential. */
static int secret_path(const char *name, struct buf *out, struct error *err)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	if (strchr(name, '/') != NULL) {
		buf_put_text(out, name);
	} else if (folder != NULL) {
		buf_putf(out, "%s/%s", folder, name);
	} else {
		return error_set(err, ERR_CONFIG,
				 "the secret %s is named without a folder, and the service has no "
				 "credentials folder",
				 name);
	}
	return buf_check(out, "the path of a secret", err) != 0 ? -ERR_CONFIG : 0;
}

static int read_secret_file(struct secret *secret, int fd, const char *path, struct error *err)
{
	struct stat about;
	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
		return error_set(err, ERR_CONFIG, "the secret file %s is no regular file", path);
	}
	if ((about.st_mode & 007) != 0) {
		return error_set(err, ERR_CONFIG,
				 "the secret file %s may be used by everybody (mode %03o); "
				 "run: chmod o= %s",
				 path, (unsigned)(about.st_mode & 0777), path);
	}
	char bytes[SECRET_MAX_BYTES + 1];
	size_t len = 0;
	ssize_t got;
	while (len < sizeof(bytes) && (got = read(fd, bytes + len, sizeof(bytes) - len)) > 0) {
		len += (size_t)got;
	}
	int result;
	if (len > SECRET_MAX_BYTES) {
		result = error_set(err, ERR_CONFIG, "the secret file %s has more than %d bytes",
				   path, SECRET_MAX_BYTES);
	} else {
		len -= len != 0 && bytes[len - 1] == '\n';
		len -= len != 0 && bytes[len - 1] == '\r';
		result = len == 0 ? error_set(err, ERR_CONFIG, "the secret file %s is empty", path)
				  : secret_set(secret, str_make(bytes, len), err);
	}
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return result;
}

int secret_read(struct secret *secret, const char *path, struct error *err)
{
	secret_done(secret);
	struct buf real;
	buf_init(&real, 4096);
	int result = secret_path(path, &real, err);
	if (result == 0) {
		int fd = open(real.ptr, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			(void)error_errno(err, "open the secret file %s",
					  real.ptr); /* code below */
			result = -ERR_CONFIG;
			if (err != NULL) {
				err->code = ERR_CONFIG;
			}
		} else {
			result = read_secret_file(secret, fd, real.ptr, err);
			(void)close(fd); /* it was only read */
		}
	}
	buf_done(&real);
	return result;
}

void secret_harden_process(void)
{
	struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
	(void)setrlimit(RLIMIT_CORE, &none);      /* what the system refuses is left as it is */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* as above */
	(void)CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, 16); /* as above: falls back to wiping */
}
