// What connected peers that say nothing cost on real sockets: memory of each, and the server's share of a core. The same crowd of ours
// stands before each server that speaks ENet.

import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startServer, Talker } from '../lib/processes.ts'
import type { Entry } from '../lib/processes.ts'
import { TableBuilder } from '../lib/report.ts'
import type { Settings, Table } from '../lib/report.ts'

const CROWD = fileURLToPath(new URL('../lib/crowd.js', import.meta.url))
const SECONDS = 6

export const memory = async (entries: readonly Entry[], { progress, failed }: Settings): Promise<Table> => {
  const table = new TableBuilder({
    id: 'memory', kind: 'clock', title: 'Idle peers on real sockets',
    about: `Live heap and memory outside of it per connected peer with two channels (C ENet: mallinfo2), room for them included; the ` +
      `server's own CPU over ` +
      `${SECONDS} s, with default pings.`,
  })
  for (const entry of entries.filter(({ contestant }) => ['vaiven', 'enet'].includes(contestant.name))) {
    const { name } = entry.contestant
    for (const count of [1000, 4000]) {
      progress(`${count} idle peers: ${name}`)
      const server = await startServer(entry, count === 1000 ? 1000 : 4095)
      const crowd = new Talker(process.execPath, [CROWD, String(server.port), String(count)])
      try {
        await crowd.next('connected', 120_000)
        await sleep(2000)
        const before = await server.usage()
        const began = performance.now()
        await sleep(SECONDS * 1000)
        const after = await server.usage()
        const elapsed = performance.now() - began
        table.add(`${count}-memory`, `${count} peers, memory of each`, 'kB', 'lower', name, before.heapBytes / before.peers / 1000)
        table.add(`${count}-cpu`, `${count} peers, share of one core`, '%', 'lower', name, ((after.cpuMs - before.cpuMs) / elapsed) * 100)
        table.add(`${count}-datagrams`, `${count} peers, datagrams received`, '/s', 'neither', name,
          ((Number(after.datagramsReceived) - Number(before.datagramsReceived)) / elapsed) * 1000)
      } catch (error) {
        failed(name, `${count} idle peers`, error)
      } finally {
        await crowd.stop()
        await server.stop()
      }
    }
  }
  return table.build()
}
