/* whole - the plainest form of a block: records one behind the other, as they are.
 *
 * Shape:   u32 magic, u64 number, u32 rows; per row u64 leaf, u64 ingest time, u32 parent, u32 size; the records; u32 CRC-32C of all
 *          before it.
 * Threads: pure. Tests: tests/unit/block.c
 */
#ifndef STORE_BLOCK_WHOLE_H
#define STORE_BLOCK_WHOLE_H

#define WHOLE_MAGIC        0x30425451u /* "QTB0" */
#define WHOLE_HEADER_BYTES 16
#define WHOLE_ROW_BYTES    24

#endif
