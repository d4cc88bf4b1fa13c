/* options - every option of the configuration, in one table (model/options.def).
 *
 * Tests:   tests/unit/options.c
 */
#ifndef MODEL_OPTIONS_H
#define MODEL_OPTIONS_H

#include "base/config.h"

/* The schema that all programs load /etc/querytrail/querytrail.yaml with. Static. */
const struct config_schema *options_schema(void);

#endif
