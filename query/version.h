/* version - the version of the query programs, as the build says it.
 *
 * Tests:   tests/golden/version
 */
#ifndef QUERY_VERSION_H
#define QUERY_VERSION_H

#ifndef QUERYTRAIL_VERSION
#define QUERYTRAIL_VERSION "0.1.0"
#endif

#endif
