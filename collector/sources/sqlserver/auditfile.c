#include "collector/sources/sqlserver/auditfile.h"

#include "base/parse.h"
#include "model/auditrow/auditrow.h"

#include <assert.h>

#define SUFFIX      ".sqlaudit"
#define TRANSMITTED "transmitted"

struct str auditfile_folder(struct str path)
{
	return str_slice(path, 0, path.len - auditrow_basename(path).len);
}

/* Where the last count parts "_x" of the name begin, counted from its end without the suffix; -1 when it has fewer. */
static ptrdiff_t tail_start(struct str stem, unsigned count)
{
	size_t at = stem.len;
	while (count > 0) {
		if (at == 0) {
			return -1;
		}
		at--;
		if (stem.ptr[at] == '_') {
			count--;
		}
	}
	return (ptrdiff_t)at;
}

/* The name without .sqlaudit. */
static struct str stem_of(struct str name)
{
	size_t suffix = sizeof(SUFFIX) - 1;
	if (name.len >= suffix &&
	    str_equal_fold(str_slice(name, name.len - suffix, suffix), STR_LIT(SUFFIX))) {
		return str_slice(name, 0, name.len - suffix);
	}
	return name;
}

static bool creation_number(struct str name, uint64_t *out)
{
	struct str stem = stem_of(name);
	ptrdiff_t at = tail_start(stem, 1);
	return at >= 0 && parse_u64(str_slice(stem, (size_t)at + 1, stem.len), out);
}

int auditfile_compare(struct str a, struct str b)
{
	uint64_t x, y;
	if (creation_number(a, &x) && creation_number(b, &y) && x != y) {
		return x < y ? -1 : 1;
	}
	return str_compare(a, b);
}

void auditfile_put_pattern(struct buf *out, struct str path)
{
	struct str base = auditrow_basename(path);
	struct str stem = stem_of(base);
	ptrdiff_t at = tail_start(stem, 2);
	buf_put_str(out, auditfile_folder(path));
	if (at > 0) {
		buf_put_str(out, str_slice(stem, 0, (size_t)at));
		buf_put_byte(out, '_');
	}
	buf_put_text(out, "*" SUFFIX);
}

void auditfile_put_transmitted(struct buf *out, struct str folder)
{
	char separator = '\\';
	if (folder.len > 0) {
		separator = folder.ptr[folder.len - 1];
		assert(separator == '\\' || separator == '/');
	}
	buf_put_str(out, folder);
	buf_put_text(out, TRANSMITTED);
	buf_put_byte(out, (uint8_t)separator);
}
