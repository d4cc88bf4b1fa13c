#include "correlator/rules/cidr.h"

#include "base/parse.h"

#include <arpa/inet.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

/* Reads an address; *out_is_v4 says how it was written. */
static bool read_address(struct str text, uint8_t out[16], bool *out_is_v4)
{
	char copy[INET6_ADDRSTRLEN];

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, 0, text.len) != NULL) {
		return false;
	}
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	*out_is_v4 = inet_pton(AF_INET, copy, out + 12) == 1;
	if (*out_is_v4) {
		memcpy(out, mapped, sizeof(mapped));
		return true;
	}
	return inet_pton(AF_INET6, copy, out) == 1;
}

/* Whether the first bits of both are the same. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	if (memcmp(a, b, bits / 8) != 0) {
		return false;
	}
	return bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8)) == 0;
}

bool cidr_parse(struct str text, struct cidr *out_cidr)
{
	struct cidr cidr;
	ptrdiff_t slash = str_find_byte(text, '/', 0);
	bool is_v4;
	uint64_t bits;

	if (!read_address(slash < 0 ? text : str_slice(text, 0, (size_t)slash), cidr.address,
			  &is_v4)) {
		return false;
	}
	bits = is_v4 ? 32 : 128;
	if (slash >= 0) {
		struct str digits = str_slice(text, (size_t)slash + 1, text.len);

		if (digits.len > 3 || !parse_u64(digits, &bits) || bits > (is_v4 ? 32 : 128)) {
			return false;
		}
	}
	cidr.prefix = (unsigned)bits + (is_v4 ? 96 : 0);
	for (unsigned bit = cidr.prefix; bit < 128; bit++) {
		if ((cidr.address[bit / 8] >> (7 - bit % 8) & 1) != 0) {
			return false;
		}
	}
	*out_cidr = cidr;
	return true;
}

bool cidr_holds(const struct cidr *cidr, struct str text)
{
	uint8_t address[16];
	bool is_v4;

	if (!read_address(text, address, &is_v4)) {
		return false;
	}
	/* ::/0 is all of IPv6, and an IPv4 address is not one of them unless the network is of mapped ones */
	if (cidr->prefix < 96 && memcmp(address, mapped, sizeof(mapped)) == 0 &&
	    memcmp(cidr->address, mapped, sizeof(mapped)) != 0) {
		return false;
	}
	return same_bits(cidr->address, address, cidr->prefix);
}
