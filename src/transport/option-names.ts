// The names of a host's options, for finding the misspelt ones.

import type { Names } from '../util/names.ts'
import { CORE_OPTIONS } from './core/option-names.ts'
import type { CreateHostOptions } from './create-host.ts'

/** Every option of `createHost`. */
export const HOST_OPTIONS: Names<CreateHostOptions> = {
  ...CORE_OPTIONS,
  host: true, port: true, pump: true, client: true, receiveBufferBytes: true, sendBufferBytes: true, impair: true, reusePort: true,
  signal: true,
}
