// godot3() on real sockets without an engine: a manual session closes by itself, last words first.

import t from 'tap'
import { godot3 } from '../../../src/godot/index.ts'
import { connect, listen } from '../../../src/open.ts'

t.test('a session that the program pumps says its last words and closes without being pumped', async (t) => {
  const server = await listen({ host: '127.0.0.1', dialects: [godot3()] })
  t.teardown(() => server.destroy())
  const heard: string[] = []
  server.on('message', (_sender, bytes) => heard.push(Buffer.from(bytes).toString()))
  const left = new Promise<number>((resolve) => server.once('peerDisconnected', () => resolve(heard.length)))
  const client = await connect({ host: '127.0.0.1', port: server.address.port, dialect: godot3({ compression: 'zlib' }), pump: 'manual' })
  client.poll()
  client.send(1, Buffer.from('first'))
  client.flush()
  client.send(1, Buffer.from('last words'))
  const before = performance.now()
  await client.close()
  t.ok(performance.now() - before >= 90, 'time to look at them')
  t.equal(await left, 2, 'both arrived before it left')
  t.same(heard, ['first', 'last words'])
})
