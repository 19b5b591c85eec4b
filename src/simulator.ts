// Public face of `vaiven/simulator`: bad networks, and sessions that live in them.

export * from './transport/simulator/index.ts'
export { VirtualSessions } from './testing.ts'
export type { VirtualClientOptions, VirtualOptions } from './testing.ts'
