import { scope, within } from '../language/scope.ts'

/**
 * The same function or stage, of which nothing but its results is kept for the backward pass: what gradients need of its
 * inside is computed once more when they need it (Chen et al. 2016). Memory for time; the numbers are the same.
 *
 *     pipe(x, checkpoint(block(weights)))
 */
export const checkpoint = <F extends (...inputs: never[]) => unknown>(f: F): F =>
  ((...inputs: never[]) => within({ region: { within: scope().region } }, () => f(...inputs))) as unknown as F
