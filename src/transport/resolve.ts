// Names to numeric addresses, in the form in which one kind of socket takes them.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { VaivenError } from '../util/errors.ts'
import { mapAddress } from './address.ts'
import type { Address } from './endpoint.ts'

/** What a socket can reach. */
export type Reach =
  /** An IPv4 socket. */
  | 'ipv4'
  /** An IPv6 socket bound to an IPv6 address. */
  | 'ipv6'
  /** An IPv6 socket bound to `::`, which reaches IPv4 by mapped addresses. */
  | 'dual'

/** Addresses tried for one name at most: more only make a failure slower. */
const MAX_ADDRESSES = 6

/**
 * All addresses of a host that the socket can reach, the families taking turns, so that a name of which one family is dead
 * costs one head start and not several.
 *
 * @throws VaivenError `ERR_SOCKET`: no such name, or none of its addresses can be reached from this socket
 */
export const resolveHost = async (host: string, port: number, reach: Reach): Promise<Address[]> => {
  const found = isIP(host) === 0 ? await lookUp(host) : [host]
  const usable = found.filter((address) => reach === 'dual' || address.includes(':') === (reach === 'ipv6'))
  if (usable.length === 0) {
    const [has, can] = reach === 'ipv4' ? ['IPv6', 'IPv4'] : ['IPv4', 'IPv6']
    throw new VaivenError(
      'ERR_SOCKET',
      `${host} has only ${has} addresses (${found.join(', ')}), and this host's socket is bound to ${can}; ` +
        `leave out the option host, or bind to an ${has} address`,
    )
  }
  return interleave(usable)
    .slice(0, MAX_ADDRESSES)
    .map((address) => ({ address: reach === 'dual' ? mapAddress(address) : address, port }))
}

const lookUp = async (host: string): Promise<string[]> => {
  try {
    const found = await lookup(host, { all: true, verbatim: true })
    return [...new Set(found.map(({ address }) => address))]
  } catch (error) {
    throw unresolved(host, error)
  }
}

/** The error for a name that has no address. */
export const unresolved = (host: string, cause: unknown): VaivenError => {
  const code = (cause as NodeJS.ErrnoException).code
  const silent = code === 'EAI_AGAIN'
  const why = silent ? 'the name service does not answer; try again, or give a numeric address' : 'no such name; check its spelling'
  return new VaivenError('ERR_SOCKET', `cannot find the address of "${host}" (${code}): ${why}`, { cause })
}

// IPv4 first: C ENet, and so most servers that a name may lead to, speaks nothing else.
const interleave = (addresses: readonly string[]): string[] => {
  const first = addresses.filter((address) => !address.includes(':'))
  const second = addresses.filter((address) => address.includes(':'))
  const result: string[] = []
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    for (const list of [first, second]) {
      const address = list[i]
      if (address !== undefined) result.push(address)
    }
  }
  return result
}
