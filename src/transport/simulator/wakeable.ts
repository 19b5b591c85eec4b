// Endpoints that can be given commands (send, connect, ...) and say so to whoever drives them.

/** An endpoint with a place for its driver's bell, as `Host` has it: called when a command has made work to do. */
export interface Wakeable {
  wake: (() => void) | null
}

/** Whether `endpoint` is `Wakeable`. */
export const isWakeable = (endpoint: object): endpoint is Wakeable => 'wake' in endpoint
