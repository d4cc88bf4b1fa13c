/* awsfile - the shared AWS configuration files: sections of key = value lines.
 *
 * Shape:   "[name]" or "[profile name]" opens a section; # and ; begin comment lines, " #" and " ;" end-of-line comments;
 *          indented lines belong to the key before them and are skipped. A later value of a key wins.
 * Life:    values borrow from the text.
 * Threads: pure. Blocking: never.
 * Source:  AWS "Shared config and credentials files". Tests: tests/unit/awsfile.c, tests/fuzz/awsfile.c
 */
#ifndef COLLECTOR_SOURCES_CLOUDWATCH_AWSFILE_H
#define COLLECTOR_SOURCES_CLOUDWATCH_AWSFILE_H

#include "base/str.h"

/* The value of key in the section of profile. prefixed: sections are named "profile NAME", but for "default", as in ~/.aws/config.
 * Returns false when there is none; then *out_value is untouched. */
bool awsfile_get(struct str text, const char *profile, bool prefixed, const char *key,
		 struct str *out_value);

/* Whether the text has a section of that profile. */
bool awsfile_has(struct str text, const char *profile, bool prefixed);

#endif
