/**
 * While a promise of Dawn's is pending, the `webgpu` package polls: it queues itself with `globalThis.setImmediate`,
 * looked up anew at each turn, and so keeps a core busy that a software GPU needs (measured: 1.4 to 2.2 times less
 * throughput, and event-loop gaps of a second under Deno). Dawn offers no other way of waiting, so the global is
 * wrapped: for a short while after `expectSoon` polls run at full speed, for the quickest round trips; after that, once
 * a millisecond. Only Dawn's own callbacks, which are nameless native functions, are slowed.
 */

const eagerMilliseconds = 0.4
let eagerUntil = 0
let installed = false

/** Call it where work is submitted or a buffer is mapped. */
export const expectSoon = (): void => {
  eagerUntil = performance.now() + eagerMilliseconds
}

const isDawn = (callback: unknown): boolean =>
  typeof callback === 'function' && callback.name === '' && Function.prototype.toString.call(callback).includes('[native code]')

export const installPatience = (): void => {
  if (installed) return
  installed = true
  const immediate = globalThis.setImmediate
  const patient = (callback: (...a: unknown[]) => void, ...a: unknown[]): unknown =>
    performance.now() < eagerUntil || !isDawn(callback) ? immediate(callback, ...a) : setTimeout(callback, 1, ...a)
  globalThis.setImmediate = Object.assign(patient, immediate) as unknown as typeof globalThis.setImmediate
}
