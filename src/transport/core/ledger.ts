// The ledger: everything that was not delivered, by cause. SPEC §10.

import type { Ledger } from '../types.ts'

export const createLedger = (): Ledger => ({
  malformedDatagram: 0,
  unknownPeer: 0,
  checksum: 0,
  compression: 0,
  refusedConnect: 0,
  unknownCommand: 0,
  malformedCommand: 0,
  strayAcknowledgement: 0,
  duplicate: 0,
  stale: 0,
  outsideWindow: 0,
  budget: 0,
  incomplete: 0,
  closing: 0,
  expired: 0,
  superseded: 0,
  throttled: 0,
  queueFull: 0,
  disconnected: 0,
  socket: 0,
})
