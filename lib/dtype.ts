/** Element types. All three take four bytes in memory and on the wire; `bool` is stored as 0 or 1. */
export type DType = 'f32' | 'i32' | 'bool'

export const bytesPerElement = 4

/** A tensor's elements outside a device: `f32` in a Float32Array, `i32` and `bool` in an Int32Array. */
export type Elements = Float32Array | Int32Array

export const isElements = (value: unknown): value is Elements => value instanceof Float32Array || value instanceof Int32Array
