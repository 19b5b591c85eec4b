// Our host behind the words that the tests of this folder share.

import { Host } from '../../../src/transport/core/host.ts'
import type { HostOptions } from '../../../src/transport/core/options.ts'
import type { AnyOptions } from './any.ts'
import { fnv, runLengths } from './plug-ins.ts'

/** With VAIVEN_REDUNDANCY=auto every scenario is played by hosts that double small packets on bad paths. */
const REDUNDANT = process.env['VAIVEN_REDUNDANCY'] === 'auto'

/** A host of ours; what only C hosts have is left out. `more`: options that only we have. */
export const openOurs = (options: AnyOptions = {}, more: HostOptions = {}): Host => {
  const { checksum = 'none', compression = 'none', pollMs: _pollMs, clockStartMs: _clockStartMs, ...same } = options
  return new Host({
    ...same,
    checksum: checksum === 'fnv' ? fnv : checksum,
    compression: compression === 'runLengths' ? runLengths : compression,
    ...(REDUNDANT ? { redundancy: 'auto' as const } : {}),
    ...more,
  })
}
