/* plainrule - a condition evaluated as the specification reads, on a record: slow, and without a line of the engine's.
 *
 * Limits:  our own fields of one record; texts <= 128 bytes of a few letters; decimal numbers without sign in texts.
 * Source:  Sigma specification 2.1.0.
 */
#ifndef TESTS_CONTRACT_PLAINRULE_H
#define TESTS_CONTRACT_PLAINRULE_H

#include "correlator/rules/rule.h"
#include "model/record.h"

/* Whether a condition holds for a statement or a request. */
bool plainrule_holds(const struct record *record, const struct rule_node *node);

#endif
