// Our host behind the words that the tests of this folder share.

import { Host } from '../../../src/transport/core/host.ts'
import type { AnyHost, AnyOptions } from './any.ts'
import { fnv, runLengths } from './plug-ins.ts'

/** A host of ours; what only C hosts have is left out. */
export const openOurs = (options: AnyOptions): AnyHost => {
  const { checksum = 'none', compression = 'none', pollMs: _pollMs, clockStartMs: _clockStartMs, ...same } = options
  return new Host({
    ...same,
    checksum: checksum === 'fnv' ? fnv : checksum,
    compression: compression === 'runLengths' ? runLengths : compression,
    ...(compression === 'runLengths' ? { compressors: [runLengths] } : {}),
  })
}
