// Commands that wait to be sent again, urgent ones and bulk, each in the order of their first transmission.

import type { Millis } from '../endpoint.ts'
import type { ReliableCommand } from './message.ts'
import { MinHeap } from './ring.ts'

export class Repeats {
  readonly #urgent = new MinHeap<ReliableCommand>()
  readonly #bulk = new MinHeap<ReliableCommand>()

  /** Something waits to be sent again. What was acknowledged meanwhile does not: nobody else might ever look for it. */
  get any(): boolean {
    return this.peekUrgent() !== null || this.peekBulk() !== null
  }

  /** The next urgent command to send again; `null` when there is none. Stays queued until `take`. */
  peekUrgent(): ReliableCommand | null {
    return settledSkipped(this.#urgent)
  }

  /** The same for bulk. */
  peekBulk(): ReliableCommand | null {
    return settledSkipped(this.#bulk)
  }

  /** The command that a peek gave is being sent. */
  take(command: ReliableCommand): void {
    ;(command.urgent ? this.#urgent : this.#bulk).pop()
    command.queued = false
  }

  add(command: ReliableCommand, now: Millis): void {
    if (command.queued) return
    command.queued = true
    command.againAt = now
    ;(command.urgent ? this.#urgent : this.#bulk).push(command.order, command)
  }

  clear(): void {
    this.#urgent.clear()
    this.#bulk.clear()
  }
}

// Commands acknowledged while they waited to be sent again are left out here rather than searched for when it happened.
const settledSkipped = (heap: MinHeap<ReliableCommand>): ReliableCommand | null => {
  for (;;) {
    const command = heap.peek()
    if (command === undefined) return null
    if (!command.acknowledged) return command
    heap.pop()
    command.queued = false
  }
}
