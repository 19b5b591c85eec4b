// What a library must offer to be measured on loopback: a server and a client that exchange whole messages. Knows nothing of
// workloads, processes or clocks. A library of your own needs one file that exports this: see docs/performance.md.

/** What every contestant says of itself. */
export interface Introduction {
  /** Short: it heads columns. */
  readonly name: string
  /** One line: version, mode, what is special. */
  readonly about: string
  /** Every message arrives, in order. `false` keeps it out of the workloads that need that on a bad network. @default true */
  readonly reliable?: boolean
  /** It runs over UDP, so that the impairment relay can stand in between. @default true */
  readonly udp?: boolean
  /** Largest message that it carries, bytes. @default no limit */
  readonly maxMessageBytes?: number
  /** Most messages that may be under way at once without a reply. @default no limit */
  readonly maxWindow?: number
  /** Why it cannot run here, or null; for packages that may not be installed. */
  unavailable?(): Promise<string | null> | string | null
}

/** One library under measurement. A plug-in's default export. */
export interface Contestant extends Introduction {
  /** Opens a server on a free UDP (or TCP) port of 127.0.0.1. */
  listen(options: ListenOptions, onMessage: (bytes: Uint8Array, reply: (bytes: Uint8Array) => void) => void): Promise<Listening>
  /** Connects to such a server. */
  connect(port: number, onMessage: (bytes: Uint8Array) => void): Promise<Connection>
}

/** What a server must be ready for. */
export interface ListenOptions {
  /** Connections at once. */
  readonly peers: number
}

/** A running server. */
export interface Listening {
  readonly port: number
  /** Connections that stand. */
  peers(): number
  /** Datagrams so far, where the library counts them. */
  datagrams?(): { readonly sent: number; readonly received: number }
  close(): Promise<void>
}

/** A running client with one connection. */
export interface Connection {
  /** Queues or sends one message. The bytes may be reused as soon as this returns. */
  send(bytes: Uint8Array): void
  /** Everything queued leaves now. Absent: it leaves by itself. */
  flush?(): void
  datagrams?(): { readonly sent: number; readonly received: number }
  close(): Promise<void>
}

/** A contestant in another language: a program that speaks the lines of `contestant-process.ts`. */
export interface NativeContestant extends Introduction {
  /** Path of the program; it is called with `server …` or `client PORT WORKLOAD …`. */
  program(): string
}

export type AnyContestant = Contestant | NativeContestant
