// An implementation with a mistake, so that the laws can show that they find it: every seventh packet that arrives is not
// handed out.

import { Host } from '../../src/transport/core/host.ts'
import type { HostEvent } from '../../src/transport/types.ts'
import type { Implementation } from './implementation.ts'

class Forgetful extends Host {
  #received = 0

  override pollEvent(): HostEvent | null {
    const event = super.pollEvent()
    return event?.type === 'receive' && ++this.#received % 7 === 0 ? super.pollEvent() : event
  }
}

const forgetful: Implementation = {
  name: 'forgetful',
  quick: true,
  open: ({ seed, mtu, checksum, compression }) => new Forgetful({ seed, mtu, checksum, compression, connectTimeoutMs: 60_000 }),
}

export default forgetful
