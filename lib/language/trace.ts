import * as E from 'fp-ts/lib/Either.js'
import type { Fault } from '../fault.ts'
import { refused } from '../fault.ts'
import { cutTwice } from '../layout/cross.ts'
import { type Layout, printCuts, printPending, printSpec, type Shape } from '../layout/layout.ts'
import { crossByName, type Op } from '../op.ts'
import { checkAxes } from './layout.ts'
import * as say from './messages.ts'
import type { Declaration, DeclarationTree, Program } from './program.ts'
import { readSpec } from './read-spec.ts'
import { isSymbolic, type Node, nodeOf, tensorOf } from './record.ts'
import { Refusal, refuse } from './refusal.ts'
import type { Mesh } from './mesh.ts'

/** A program that was run once over symbols: its inputs and what its results are made of. */
export interface Traced {
  readonly name: string
  readonly mesh: Mesh
  readonly inputs: readonly Node[]
  readonly outputs: readonly { readonly name: string; readonly node: Node }[]
}

/** The op of a node that comes from outside. */
export const inputOp: Op<{ readonly name: string; readonly parameter: boolean }> = {
  name: 'input',
  shape: () => refuse('an input is not computed'),
  crossings: (_, result) => crossByName([], result),
  linear: [],
  kernel: () => refuse('an input is not computed'),
}

/** Runs a program's body over symbols. A program that does not fit gives a `Refused` fault with its source line. */
export const trace = (program: Program): E.Either<Fault, Traced> => {
  try {
    const inputs: Node[] = []
    const symbols = symbolsFor(program.inputs, [], program.mesh, inputs)
    const results = (program.body as (inputs: unknown) => unknown)(symbols)
    const outputs = [...resultsOf(results, [])]
    if (outputs.length === 0) refuse(`program '${program.name}': the body gives no tensor back`)
    for (const [name, wanted] of Object.entries(program.outputs ?? {})) checkOutput(name, wanted, outputs)
    return E.right({ name: program.name, mesh: program.mesh, inputs, outputs })
  } catch (thrown) {
    if (thrown instanceof Refusal) return E.left(refused(thrown.message, thrown.where))
    throw thrown
  }
}

const isDeclaration = (tree: DeclarationTree): tree is Declaration => 'role' in tree && typeof tree.spec === 'string'

const symbolsFor = (tree: DeclarationTree, path: readonly string[], mesh: Mesh, inputs: Node[]): unknown => {
  if (!isDeclaration(tree)) {
    return Array.isArray(tree) ? tree.map((part, i) => symbolsFor(part, [...path, String(i)], mesh, inputs))
      : Object.fromEntries(Object.entries(tree).map(([key, part]) => [key, symbolsFor(part, [...path, key], mesh, inputs)]))
  }
  const name = path.join('.')
  const what = `input '${path.at(-1) ?? ''}'`
  const { shape, layout } = readSpec(what, tree.spec, tree.type)
  shape.dims.forEach((dim, i) => checkAxes(what, dim.name, layout.cuts[i]!, mesh))
  const twice = cutTwice(what, shape, layout.cuts)
  if (twice !== undefined) refuse(twice)
  const node: Node = {
    op: inputOp, attributes: { name, parameter: tree.role === 'parameter' }, operands: [], shape, layout, mesh, where: 'input',
  }
  inputs.push(node)
  return tensorOf(node)
}

function* resultsOf(results: unknown, path: readonly string[]): Generator<{ name: string; node: Node }> {
  if (isSymbolic(results)) yield { name: path.join('.') || 'output', node: nodeOf(results) }
  else if (typeof results === 'object' && results !== null) {
    for (const [key, part] of Object.entries(results)) yield* resultsOf(part, [...path, key])
  } else refuse(`result '${path.join('.') || 'output'}' is not a tensor`)
}

const checkOutput = (name: string, wanted: Declaration, outputs: Traced['outputs']): void => {
  const found = outputs.find((output) => output.name === name)
  if (found === undefined) return refuse(`output '${name}' is declared ${wanted.spec} but the body does not give it`)
  const want = readSpec(`output '${name}'`, wanted.spec, wanted.type)
  const { shape, layout } = found.node
  const fix = `; fix: layout('${printCuts(want.shape, want.layout)}') at the end`
  if (layout.pending.length > 0) {
    return refuse(say.declared('output', name, wanted.spec, `a pending sum over '${printPending(layout.pending)}'`, fix))
  }
  const got = printSpec(shape, layout)
  if (got !== printSpec(want.shape, want.layout)) refuse(say.declared('output', name, wanted.spec, got, sameDims(shape, want.shape) ? fix : ''))
}

const sameDims = (a: Shape, b: Shape): boolean => bare(a) === bare(b)
const bare = (shape: Shape): string => printSpec(shape, { cuts: shape.dims.map(() => []), pending: [] } satisfies Layout)
