#include "query/store-sizes.h"

#include "base/json.h"

#include <sys/statvfs.h>

void sizes_put(struct buf *out, uint64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double shown = (double)bytes;
	size_t unit = 0;
	while (shown >= 999.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		shown /= 1000;
		unit++;
	}
	buf_putf(out, unit == 0 ? "%.0f %s" : "%.1f %s", shown, units[unit]);
}

void sizes_put_ratio(struct buf *out, double part, double whole)
{
	double ratio = whole > 0 ? part / whole : 0;
	if (whole > 0) {
		buf_putf(out, ratio < 9.995 ? "%.2f" : "%.1f", ratio);
	} else {
		buf_put_byte(out, '-');
	}
}

static uint64_t events_of(const struct store_sizes *sizes)
{
	return sizes->of_kind[RECORD_REQUEST] + sizes->of_kind[RECORD_STATEMENT];
}

/* All but the head, whose records are not sealed yet, and what goes soon. */
static uint64_t sealed_bytes(const struct store_sizes *sizes)
{
	return sizes->all_bytes - sizes->head_bytes - sizes->replaced_bytes;
}

static void put_blocks(const struct store_sizes *sizes, struct buf *out)
{
	buf_putf(out, "blocks:      %llu", (unsigned long long)sizes->block_count);
	if (sizes->open_count > 0) {
		buf_putf(out, " (%llu open)", (unsigned long long)sizes->open_count);
	}
	buf_putf(out, ", %llu records, %llu bytes\n", (unsigned long long)sizes->sealed_records,
		 (unsigned long long)sizes->block_bytes);
	if (sizes->replaced_bytes > 0) {
		buf_putf(out, "replaced:    %llu bytes of old blocks, to be removed\n",
			 (unsigned long long)sizes->replaced_bytes);
	}
}

static void put_catalog(const struct store_sizes *sizes, struct buf *out)
{
	buf_putf(out, "catalog:     %llu bytes", (unsigned long long)sizes->catalog_bytes);
	if (sizes->block_count > 0) {
		buf_put_text(out, ": filters ");
		sizes_put(out, sizes->filter_bytes);
		buf_put_text(out, ", summaries ");
		sizes_put(out, sizes->summary_bytes);
		buf_put_text(out, ", free ");
		sizes_put(out, sizes->free_bytes);
	}
	buf_put_byte(out, '\n');
}

/* "sealed:      18.5 bytes an event in blocks, 21.4 with the catalog
 *  originals:   430.5 MB, 53.1 times the blocks, 46.0 times with the catalog" */
static void put_sealed(const struct store_sizes *sizes, struct buf *out)
{
	double events = (double)events_of(sizes);
	buf_put_text(out, "sealed:      ");
	sizes_put_ratio(out, (double)sizes->block_bytes, events);
	buf_put_text(out, " bytes an event in blocks, ");
	sizes_put_ratio(out, (double)sealed_bytes(sizes), events);
	buf_put_text(out, " with the catalog\noriginals:   ");
	sizes_put(out, sizes->raw_bytes);
	buf_put_text(out, ", ");
	sizes_put_ratio(out, (double)sizes->raw_bytes, (double)sizes->block_bytes);
	buf_put_text(out, " times the blocks, ");
	sizes_put_ratio(out, (double)sizes->raw_bytes, (double)sealed_bytes(sizes));
	buf_put_text(out, " times with the catalog\n");
}

void sizes_put_text(struct output *out, const struct store_sizes *sizes)
{
	buf_putf(&out->text, "head:        %llu records, %llu bytes\n",
		 (unsigned long long)sizes->head_records, (unsigned long long)sizes->head_bytes);
	if (sizes->block_count > 0) {
		put_blocks(sizes, &out->text);
	}
	put_catalog(sizes, &out->text);
	if (events_of(sizes) > 0) {
		put_sealed(sizes, &out->text);
	}
}

void sizes_put_json(struct buf *out, const struct store_sizes *sizes)
{
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{"store_bytes", sizes->all_bytes},
		{"head_bytes", sizes->head_bytes},
		{"head_records", sizes->head_records},
		{"block_bytes", sizes->block_bytes},
		{"blocks", sizes->block_count},
		{"open_blocks", sizes->open_count},
		{"replaced_bytes", sizes->replaced_bytes},
		{"catalog_bytes", sizes->catalog_bytes},
		{"filter_bytes", sizes->filter_bytes},
		{"summary_bytes", sizes->summary_bytes},
		{"free_bytes", sizes->free_bytes},
		{"sealed_records", sizes->sealed_records},
		{"sealed_requests", sizes->of_kind[RECORD_REQUEST]},
		{"sealed_statements", sizes->of_kind[RECORD_STATEMENT]},
		{"sealed_record_bytes", sizes->record_bytes},
		{"sealed_raw_bytes", sizes->raw_bytes},
	};
	bool first = true;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		json_put_key(out, &first, numbers[i].name);
		buf_put_u64(out, numbers[i].value);
	}
}

bool sizes_disk_is_full(const char *dir)
{
	struct statvfs disk;
	return statvfs(dir, &disk) == 0 &&
	       (double)disk.f_bavail * (double)disk.f_frsize < (double)SIZES_ROOM_BYTES;
}
