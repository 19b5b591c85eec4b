// Calls between sessions in virtual time: from the call to its answer, and to the call's arrival at everybody.

import { defineNode, rpc, t } from '../../src/rpc/index.ts'
import { VirtualSessions } from '../../src/testing.ts'
import { TableBuilder } from '../lib/report.ts'
import type { Settings, Table } from '../lib/report.ts'
import { at } from '../lib/statistics.ts'

const Dice = defineNode('dice', { roll: rpc.remote(t.u16).returns(t.u16) })

/** Round trips of calls with an answer, sorted, ms of virtual time. */
export const roundTrips = async (options: { seed: number; loss: number; count: number }): Promise<number[]> => {
  const play = new VirtualSessions({ seed: options.seed, path: { latencyMs: 25, lossRatio: options.loss }, hash: false })
  const { network } = play
  const server = play.listen()
  server.attach(Dice, { roll: (sides: number) => sides })
  const [client] = play.join(server, 1, { timeoutMs: 60_000 })
  const dice = client!.attach(Dice, { roll: (sides: number) => sides })
  const times: number[] = []
  const start = network.now
  const answers: Promise<unknown>[] = []
  for (let i = 0; i < options.count; i++) {
    network.at(start + i * 33, () => {
      const called = network.now
      answers.push(dice.to(1).roll(i & 0xffff).then(() => times.push(network.now - called)))
    })
  }
  // A step at a time, so that promises settle at the moment in which they do.
  for (const end = start + options.count * 33 + 5000; network.now < end; ) {
    network.runFor(1)
    await undefined
    if (times.length === options.count) break
  }
  await network.settle(Promise.all(answers), { limitMs: 60_000 })
  return times.sort((a, b) => a - b)
}

export const calls = async ({ quick, seed, progress }: Settings): Promise<Table> => {
  const table = new TableBuilder({
    id: 'rpc',
    title: 'Calls with an answer',
    about: 'From a call to its answer through session, rpc and transport, 30 calls a second, round trip 50 ms. Virtual time.',
    kind: 'exact',
  })
  for (const loss of [0, 5, 20]) {
    progress(`calls at ${loss} %`)
    const times = await roundTrips({ seed, loss: loss / 100, count: quick ? 300 : 2000 })
    for (const percent of [50, 99]) table.add(`${loss}-p${percent}`, `${loss} % loss, p${percent}`, 'ms', 'lower', 'vaiven',
      at(times, percent))
  }
  return table.build()
}
