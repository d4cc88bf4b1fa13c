/* Proofs of growth from anywhere: they are refused, or hold between the two heads that this key signed; nothing is read past their end. */
#include "query/log-proof.h"

#include <stdlib.h>

#define VKEY   "vm/querytrail-3fd7580b+277175dd+AabSkae633Wk6wLqAqmnMsyEY4/A4bEKsuTWX2U/Vlby"
#define POLICY "log " VKEY "\nquorum none\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_known(uint64_t size)
{
	return size == 23 || size == 45;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct logpolicy *policy = NULL;
	struct log_proof_heads heads;
	if (logpolicy_parse(STR_LIT(POLICY), &policy, NULL) < 0) {
		abort();
	}
	if (log_proof_check(str_make(data, size), policy, &heads, NULL) == 0 &&
	    (!is_known(heads.older.size) || !is_known(heads.head.size))) {
		abort();
	}
	logpolicy_free(policy);
	return 0;
}
