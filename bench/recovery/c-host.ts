// The stock C library as a contestant in virtual time: ENet's own sender and receiver, not a model of them. A process for each
// host, served by its program at an interval; null where the library is not installed.

import type { Contestant, Playable } from './workloads.ts'

/** @param pollMs how often the C program serves its host */
export type StockEnet = (pollMs: number) => Contestant

export const stockEnet = async (): Promise<StockEnet | null> => {
  const { skipReason } = await import('../../test/interop/support/native.ts')
  if (skipReason !== false) return null
  const { OracleHost } = await import('../../test/interop/support/oracle.ts')
  return (pollMs) => ({
    name: `C ENet, polled every ${pollMs} ms`,
    host: (seed) => new OracleHost({ seed, pollMs }) as unknown as Playable,
  })
}
