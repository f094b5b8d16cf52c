import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Elements } from '../dtype.ts'
import { badTensor, type Fault, usage } from '../fault.ts'
import { isSeed, keyOf, streamOf, threefry, uniformNumber, type Use } from '../kernel/threefry.ts'
import type { Initialiser } from '../language/initialiser.ts'
import * as say from '../language/messages.ts'
import { type Declaration, type Program, walkDeclarations } from '../language/program.ts'
import { readSpec } from '../language/read-spec.ts'
import { type Shape, sizeOf } from '../layout/layout.ts'
import type { NamedElements } from '../run/executor.ts'
import { notNegative, numberFault } from '../language/options.ts'

/** Every element the same. */
export const constant = (value: number): Initialiser => ({ kind: 'constant', value })
/** Every element 0. */
export const zeros: Initialiser = constant(0)
/** Every element 1. */
export const ones: Initialiser = constant(1)
/** Normal numbers around 0. */
export const normal = (deviation: number): Initialiser => ({ kind: 'normal', deviation })
/** Numbers from -bound to bound, all equally likely. */
export const uniform = (bound: number): Initialiser => ({ kind: 'uniform', bound })
/**
 * Numbers from -a to a with a = gain √(6 / (in + out)), which keeps the size of activations and of gradients (Glorot & Bengio
 * 2010, equation 16). `into` names the dims that come in, blank-separated: the last one unless said; the others go out.
 */
export const xavier = ({ into, gain = 1 }: { readonly into?: string; readonly gain?: number } = {}): Initialiser => (
  { kind: 'xavier', into, gain }
)

/** Values for all parameters of a program but some, as they say that they start; one that doesn't say it is a fault that names it. */
export const initialValues = (
  program: Program,
  { seed = 0, except = {} }: { readonly seed?: number; readonly except?: NamedElements } = {},
): E.Either<Fault, NamedElements> =>
  pipe(
    checkedSeed('initialValues', seed),
    E.map(() =>
      [...walkDeclarations(program.inputs)].filter(({ name, declaration }) => declaration.role === 'parameter' && !(name in except))
    ),
    E.chain(
      E.traverseArray(({ name, declaration }) =>
        pipe(initialValue(name, declaration, seed), E.map((elements) => [name, elements] as const))
      ),
    ),
    E.map(Object.fromEntries),
  )

/** A seed, if a number can be one. */
export const checkedSeed = (what: string, seed: number): E.Either<Fault, number> =>
  isSeed(seed) ? E.right(seed) : E.left(usage(say.notSeedNumber(what, String(seed))))

const initialValue = (name: string, { spec, type, init }: Declaration, seed: number): E.Either<Fault, Elements> => {
  if (init === undefined) {
    return E.left(badTensor(name, `nothing says how it starts; write parameter('${spec}', zeros) or xavier(), or give its values`))
  }
  const { shape } = readSpec(`parameter '${name}'`, spec, type)
  const count = shape.dims.reduce((product, { size }) => product * size, 1)
  const senseless = senselessIn(init)
  if (senseless !== undefined) return E.left(badTensor(name, senseless))
  const stranger = init.kind === 'xavier' ? init.into?.split(' ').find((dim) => sizeOf(shape, dim) === undefined) : undefined
  if (stranger !== undefined) return E.left(badTensor(name, `xavier: no dim '${stranger}' in '${spec}'`))
  if (type !== 'f32' && !fits(init, type)) {
    return E.left(badTensor(name, `it is ${type}, and cannot start as ${printed(init)}; write zeros or ones, or give its values`))
  }
  const [low, high] = keyOf(seed)
  const at = elementOf(init, shape, threefry(low, hashOf(name), high))
  return E.right(
    type === 'f32' ? Float32Array.from({ length: count }, (_, i) => at(i)) : Int32Array.from({ length: count }, (_, i) => at(i)),
  )
}

/** What is wrong with the number of a way to start: a sentence, or undefined. A constant may be any number. */
const senselessIn = (init: Initialiser): string | undefined => {
  switch (init.kind) {
    case 'constant':
      return typeof init.value === 'number' ? undefined : `constant: a value is a number, but it is ${String(init.value)}`
    case 'normal':
      return numberFault(notNegative, 'normal', 'deviation', init.deviation)
    case 'uniform':
      return numberFault(notNegative, 'uniform', 'bound', init.bound)
    case 'xavier':
      return numberFault(notNegative, 'xavier', 'gain', init.gain)
  }
}

/** Whether a way to start gives elements of a type that is not f32. */
const fits = (init: Initialiser, type: 'i32' | 'bool'): boolean =>
  init.kind === 'constant' && (type === 'bool' ? init.value === 0 || init.value === 1 : (init.value | 0) === init.value)

const printed = (init: Initialiser): string => init.kind === 'constant' ? `constant(${init.value})` : `${init.kind} numbers`

/** The element at a row-major position, for the key of one parameter. */
const elementOf = (init: Initialiser, shape: Shape, key: number): (i: number) => number => {
  const number = (use: Use, i: number): number => uniformNumber(key, 0, i, streamOf(use))
  switch (init.kind) {
    case 'constant':
      return () => init.value
    case 'uniform':
      return (i) => init.bound * (2 * number('uniform', i) - 1)
    case 'xavier': {
      const into = init.into?.split(' ') ?? shape.dims.slice(-1).map(({ name }) => name)
      const fan = (inside: boolean): number =>
        shape.dims.filter(({ name }) => into.includes(name) === inside).reduce((product, { size }) => product * size, 1)
      return elementOf({ kind: 'uniform', bound: init.gain * Math.sqrt(6 / (fan(true) + fan(false))) }, shape, key)
    }
    case 'normal':
      // Box-Muller; 1 - u lies in (0, 1], so that its logarithm is finite.
      return (i) => init.deviation * Math.sqrt(-2 * Math.log(1 - number('radius', i))) * Math.cos(2 * Math.PI * number('angle', i))
  }
}

/** A number for a name. */
const hashOf = (name: string): number => [...name].reduce((hash, letter) => threefry(hash, letter.codePointAt(0)!), name.length)
