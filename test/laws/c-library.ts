// The stock C library under the laws: `npm run properties -- --with build/test/laws/c-library.js`, where it is installed
// (test/interop/README.md). Also the example for whoever writes an adapter.

import { OracleHost } from '../interop/support/oracle.ts'
import type { Implementation } from './implementation.ts'

const cLibrary: Implementation = {
  name: 'C ENet',
  open: ({ seed, mtu, checksum, compression }) => new OracleHost({ seed, mtu, checksum, compression }),
}

export default cLibrary
