// Addresses as people write and read them, next to addresses as sockets report them.

/** How an IPv6 socket names an IPv4 address. RFC 4291 §2.5.5.2. */
const MAPPED_PREFIX = '::ffff:'

/** The IPv4 address inside an IPv4-mapped IPv6 address; any other address as it is. */
export const unmapAddress = (address: string): string =>
  address.startsWith(MAPPED_PREFIX) && address.includes('.') ? address.slice(MAPPED_PREFIX.length) : address

/** An IPv4 address as a dual-stack IPv6 socket names it. */
export const mapAddress = (address: string): string => (address.includes(':') ? address : MAPPED_PREFIX + address)

/**
 * An address for people: IPv4 addresses of a dual-stack socket without their `::ffff:`, IPv6 addresses in brackets when
 * a port follows.
 *
 * @example displayAddress('::ffff:192.0.2.7', 7777)   // '192.0.2.7:7777'
 * @example displayAddress('::1', 7777)                // '[::1]:7777'
 */
export const displayAddress = (address: string, port?: number): string => {
  const plain = unmapAddress(address)
  if (port === undefined) return plain
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`
}
