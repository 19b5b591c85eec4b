// Not getting in, as an error.

import { describeEndCode, EndCode, refusalInWords } from '../util/end-codes.ts'
import { VaivenError } from '../util/errors.ts'
import type { Ending } from './endings.ts'

/** The server refused us. `words` is what it said, or what its number means. */
export class Refused extends VaivenError {
  readonly words: string

  constructor(words: string, data: number) {
    super('ERR_REFUSED', refusalInWords('the server', data, words), { data })
    this.words = words
  }
}

/** The error for a connection that ended before we were in. */
export const connectError = ({ reason, data, text }: Ending): VaivenError => {
  if (reason === 'timeout') return new VaivenError('ERR_TIMEOUT', 'the server stopped answering while we were joining', { data })
  const words = text || describeEndCode(data)
  if (data === EndCode.dialect) return new VaivenError('ERR_DIALECT', `the server speaks another protocol: ${words}`, { data })
  return new Refused(words, data)
}
