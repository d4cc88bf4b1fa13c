/* cidr - a network of addresses, and whether an address is in it.
 *
 * Shape:   IPv4 and IPv6; ::ffff:a.b.c.d is the IPv4 address that it maps, in networks and in addresses.
 * Threads: pure. Blocking: never. Source: RFC 4291, RFC 4632. Tests: tests/unit/cidr.c
 */
#ifndef CORRELATOR_RULES_CIDR_H
#define CORRELATOR_RULES_CIDR_H

#include "base/str.h"

#include <stdint.h>

struct cidr {
	uint8_t address[16]; /* IPv4 as mapped; bits behind the prefix are 0 */
	unsigned prefix;     /* 0..128 */
};

/* Reads "10.0.0.0/8", "2001:db8::/32", or an address alone. False when it is none, or has bits behind its prefix. */
bool cidr_parse(struct str text, struct cidr *out_cidr);

/* Whether text is an address within the network. */
bool cidr_holds(const struct cidr *cidr, struct str text);

#endif
