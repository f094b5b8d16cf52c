/**
 * How a parameter starts. Numbers are counter-based: a function of the seed, the parameter's name and the element's number
 * alone, so that every mesh starts alike (lib/train/initialise.ts makes them).
 */
export type Initialiser =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly deviation: number }
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'xavier'; readonly into: string | undefined; readonly gain: number }
