// The 32 bits that travel with a DISCONNECT. Sessions share the table, so it stands below both.

export { describeEndCode, EndCode } from '../../util/end-codes.ts'
