/* auditfile - names of audit files: <audit>_<GUID>_<n>_<number>.sqlaudit in a folder with \ or /.
 *
 * Shape:   the number is a FILETIME, so that files of one audit sort by creation; n is 0 but for partitioned audits.
 * Life:    results borrow from the input. Threads: pure. Blocking: never.
 * Source:  Microsoft "CREATE SERVER AUDIT", "sys.fn_get_audit_file"; Amazon RDS guide. Tests: tests/unit/auditfile.c
 */
#ifndef COLLECTOR_SOURCES_SQLSERVER_AUDITFILE_H
#define COLLECTOR_SOURCES_SQLSERVER_AUDITFILE_H

#include "base/buf.h"

#define AUDITFILE_NAME_MAX 1040 /* bytes: nvarchar(260) in UTF-8 */

/* What stands before the base name, with its last separator; empty when there is no folder. */
struct str auditfile_folder(struct str path);

/* Order of creation: by the number at the end of the names when both have one, else by bytes. Takes base names. */
int auditfile_compare(struct str a, struct str b);

/* Appends the pattern that matches all files of the audit that wrote path: folder and name up to the GUID, then _*.sqlaudit.
 * A path that is not of this form gives folder*.sqlaudit. */
void auditfile_put_pattern(struct buf *out, struct str path);

/* Appends the folder transmitted below the folder, where Amazon RDS keeps files that it has copied away. */
void auditfile_put_transmitted(struct buf *out, struct str folder);

#endif
