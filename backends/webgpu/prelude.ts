import { emulatedPrelude, wgslPrelude } from '#lib/kernel/scalar.ts'

/**
 * What a shader's text needs in front of it: the scalar functions that it calls and those that they call, in the form that suits the
 * device, and the bits of infinity, NaN and -0. A driver compiles nothing else.
 */

interface Function {
  readonly text: string
  readonly calls: readonly string[]
}

/** Names that end in `_` and are called. */
const callsIn = (text: string): readonly string[] => [...new Set(Array.from(text.matchAll(/\b([a-z]\w*_)\(/g), (match) => match[1]!))]

const functionsOf = (prelude: string): ReadonlyMap<string, Function> =>
  new Map(
    prelude.split(/^(?=fn )/m).flatMap((part) => {
      const name = /^fn (\w+)/.exec(part)?.[1]
      const calls = callsIn(part).filter((other) => other !== name)
      return name === undefined ? [] : [[name, { text: part.replace(/^\/\/.*\n/gm, ''), calls }]]
    }),
  )

const onGpu = functionsOf(wgslPrelude)
const onEmulatedGpu = new Map([...onGpu, ...functionsOf(emulatedPrelude)])

/**
 * WGSL refuses infinities and NaN in constant expressions, and may lose -0 there, so these come from variables' bits. `no_bits_` is 0,
 * but set where a shader begins to what no compiler knows to be 0 (emit.ts): what is joined with it has been rounded.
 */
const specialBits = /* wgsl */ `
var<private> infinity_bits_: u32 = 0x7f800000u;
var<private> nan_bits_: u32 = 0x7fc00000u;
var<private> negative_zero_bits_: u32 = 0x80000000u;
var<private> no_bits_: u32;
`

/** A shader's text with all that it needs. */
export const withPrelude = (text: string, emulated: boolean): string => {
  const functions = emulated ? onEmulatedGpu : onGpu
  const needed = new Set<string>()
  const open = [...callsIn(text)]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const known = functions.get(name)
    if (needed.has(name) || known === undefined) continue
    needed.add(name)
    open.push(...known.calls)
  }
  const scalars = [...functions].flatMap(([name, { text }]) => needed.has(name) ? [text] : [])
  return [...(/_bits_\b/.test(text) ? [specialBits] : []), ...scalars, text].join('')
}
