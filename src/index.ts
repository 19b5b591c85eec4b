// The front door of the package.

export * from './transport/index.ts'
