/* columns - the hot fields of one batch, column by column: built at commit, read section by section.
 *
 * Shape:   a blob is a header, a directory and sections. A section belongs to one field (or to kind, time, source, stable id of
 *          the rows) and has one entry for each row whose kind may hold the field, in row order. docs/format.md section 5.3.
 *          Two blobs per batch: columns (kind, time, source, CODES and NUMBERS of store/columns.def) and ids (IDS and stable ids).
 * Checks:  the directory and each section carry a CRC-32C; offsets, codes and dictionary bounds are checked when read, so that
 *          any bytes at all give an answer or ERR_CORRUPT, never a bad access.
 * Limits:  COLUMNS_ROWS_MAX rows; a blob < 1 GiB.
 * Threads: one builder or view per thread. Blocking: never.
 * Source:  docs/format.md section 5.3. Tests: tests/unit/columns.c, tests/fuzz/columns.c
 */
#ifndef STORE_COLUMNS_H
#define STORE_COLUMNS_H

#include "base/buf.h"
#include "base/error.h"
#include "model/record.h"

#define COLUMNS_MAGIC        0x31435451u /* "QTC1" */
#define COLUMNS_ROWS_MAX     65536
#define COLUMNS_SECTIONS_MAX 96
#define COLUMNS_HEADER_BYTES 16
#define COLUMNS_ENTRY_BYTES  20
/* The first bytes of a blob that are enough for the directory (all of it when it is shorter). */
#define COLUMNS_FRONT_BYTES (COLUMNS_HEADER_BYTES + COLUMNS_SECTIONS_MAX * COLUMNS_ENTRY_BYTES)

/* Sections that belong to no field; numbers are stored. */
#define COLUMNS_KIND   128
#define COLUMNS_TIME   129
#define COLUMNS_SOURCE 130
#define COLUMNS_RECORD 131 /* stable ids */
#define COLUMNS_ID_MAX 132

enum columns_form { /* stored; never changes */
		    COLUMNS_CODES = 1,
		    COLUMNS_NUMBERS = 2,
		    COLUMNS_IDS = 3,
		    COLUMNS_BYTES = 4, /* one byte a row: the kinds */
};

/* The form in which a field is kept, or 0 when it is read from the records. */
enum columns_form columns_form(unsigned field);

/* The hash of an id's text as IDS sections hold it (never 0, which is "absent"), and that of a stable id. */
uint32_t columns_id_hash(struct str id);
uint32_t columns_record_hash(struct str source, struct str key);

/* Builder: rows in, two blobs out. */
struct columns_builder;

/* Returns NULL without memory. */
struct columns_builder *columns_builder_new(void);
void columns_builder_free(struct columns_builder *builder);

/* Forgets all rows; keeps the memory for the next batch. */
void columns_builder_clear(struct columns_builder *builder);

/* Adds a row; copies what it keeps. Returns 0, -ERR_LIMIT past COLUMNS_ROWS_MAX, or -ERR_NOMEM: then the builder is spoilt
 * and must be cleared. */
int columns_builder_add(struct columns_builder *builder, const struct record *record);

/* Writes both blobs (cleared first). Returns 0, -ERR_LIMIT or -ERR_NOMEM. */
int columns_builder_finish(struct columns_builder *builder, struct buf *out_columns,
			   struct buf *out_ids);

/* The checksum that a finished blob carries of its header and directory. */
uint32_t columns_blob_checksum(struct str blob);

/* Reader. */
struct columns_section {
	uint16_t id;    /* a field, or COLUMNS_KIND .. */
	uint16_t kinds; /* bit k: rows of kind k have an entry */
	uint8_t form;
	uint8_t width; /* bytes an entry: 0, 1, 2, 4, 8 */
	uint32_t offset, length, crc;
};

struct columns_directory {
	uint32_t row_count;
	size_t section_count;
	struct columns_section sections[COLUMNS_SECTIONS_MAX];
};

/* Reads the directory from the front of a blob of blob_bytes in all.
 *   front  the first min(blob_bytes, COLUMNS_FRONT_BYTES) bytes
 * Returns 0 or ERR_CORRUPT. */
int columns_directory_read(struct str front, size_t blob_bytes, struct columns_directory *out,
			   struct error *err);

/* The section of a field (or COLUMNS_KIND ..), or NULL. */
const struct columns_section *columns_directory_find(const struct columns_directory *directory,
						     unsigned id);

/* The kinds of a block's rows, and how many there are of each. */
struct columns_rows {
	const uint8_t *kinds; /* row_count bytes, each a record kind */
	size_t row_count;
	size_t of_kind[RECORD_KIND_COUNT];
};

/* Counts the rows of each kind. kinds is borrowed. */
struct columns_rows columns_rows(const uint8_t *kinds, size_t row_count);

/* The readers below take one section's bytes, check them against its CRC, and write one value per row; rows without an entry are
 * absent. They return 0, ERR_CORRUPT, or ERR_NOMEM. */

/* The kind of each row: row_count bytes. */
int columns_read_kinds(const struct columns_section *section, struct str bytes, size_t row_count,
		       uint8_t *out_kinds, struct error *err);

/* Numbers; INT64_MIN where absent. */
int columns_read_numbers(const struct columns_section *section, struct str bytes,
			 const struct columns_rows *rows, int64_t *out_values, struct error *err);

struct columns_codes {
	uint32_t *codes;   /* room for row_count, by the caller; UINT32_MAX where absent */
	struct str *texts; /* the dictionary, borrowing from bytes; malloc'ed: free it when done */
	size_t text_count, text_room;
};

/* Codes and their dictionary. */
int columns_read_codes(const struct columns_section *section, struct str bytes,
		       const struct columns_rows *rows, struct columns_codes *out,
		       struct error *err);

/* Calls each(owner, row) for every row whose id hash is the wanted one. Returns 0 or ERR_CORRUPT, or what each returned. */
typedef int columns_row_fn(void *owner, size_t row);
struct columns_wanted {
	uint32_t hash;
	columns_row_fn *each;
	void *owner;
};
int columns_find_id(const struct columns_section *section, struct str bytes,
		    const struct columns_rows *rows, const struct columns_wanted *wanted,
		    struct error *err);

#endif
