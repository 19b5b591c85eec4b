// Our host behind the words that the tests of this folder share.

import type { AnyHost, AnyOptions } from './any.ts'
import { fnv, runLengths } from './hosts.ts'

const module_ = (await import(['..', '..', '..', 'src', 'transport', 'core', 'host.js'].join('/')).catch(() => ({}))) as {
  Host?: new (options: object) => AnyHost
}

export const openOurs = (options: AnyOptions): AnyHost => {
  const { checksum = 'none', compression = 'none', pollMs: _, clockStartMs: __, ...same } = options
  return new module_.Host!({
    ...same,
    checksum: checksum === 'fnv' ? fnv : checksum,
    compression: compression === 'runLengths' ? runLengths : compression,
  })
}
