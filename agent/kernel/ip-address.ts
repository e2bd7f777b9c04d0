// Addresses as net/tcp and net/tcp6 print them, turned into text. Pure.

import { endianness } from "node:os";

/**
 * The kernel prints each 32-bit word of an address, which it holds in network byte order, as a number
 * of the machine: on a little-endian one, 127.0.0.1 reads 0100007F. (get_tcp4_sock() in
 * https://github.com/torvalds/linux/blob/v6.12/net/ipv4/tcp_ipv4.c and get_tcp6_sock() in
 * https://github.com/torvalds/linux/blob/v6.12/net/ipv6/tcp_ipv6.c)
 */
const HOST_IS_LITTLE_ENDIAN = endianness() === "LE";

const WORD_HEX_DIGITS = 8;

/**
 * `hex` is 8 digits (IPv4) or 32 (IPv6); null for anything else. IPv6 comes out as RFC 5952 says, an
 * IPv4-mapped address as its IPv4 address.
 */
export function formatHost(hex: string, isLittleEndian = HOST_IS_LITTLE_ENDIAN): string | null {
  if (!/^(?:[0-9a-f]{8}|[0-9a-f]{32})$/i.test(hex)) return null;
  const octets: number[] = [];
  for (let at = 0; at < hex.length; at += WORD_HEX_DIGITS) {
    const word = Buffer.from(hex.slice(at, at + WORD_HEX_DIGITS), "hex");
    octets.push(...(isLittleEndian ? word.reverse() : word));
  }
  return octets.length === 4 ? octets.join(".") : formatIpv6(octets);
}

function formatIpv6(octets: readonly number[]): string {
  const groups: number[] = [];
  for (let at = 0; at < octets.length; at += 2) {
    groups.push(((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0));
  }
  // RFC 4291 2.5.5.2: ::ffff:a.b.c.d
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return octets.slice(12).join(".");
  }
  const text = (part: readonly number[]): string =>
    part.map((group) => group.toString(16)).join(":");
  const zeros = longestZeroRun(groups);
  if (zeros === null) return text(groups);
  return `${text(groups.slice(0, zeros.start))}::${text(groups.slice(zeros.end))}`;
}

/** RFC 5952 4.2: the longest run of at least two zero groups, the first of equals. */
function longestZeroRun(groups: readonly number[]): { start: number; end: number } | null {
  let best = { start: 0, end: 1 };
  let start = 0;
  for (let at = 0; at <= groups.length; at += 1) {
    if (groups[at] === 0) continue;
    if (at - start > best.end - best.start) best = { start, end: at };
    start = at + 1;
  }
  return best.end - best.start > 1 ? best : null;
}
