import * as E from 'fp-ts/lib/Either.js'
import type { Fault } from '../fault.ts'
import { refused } from '../fault.ts'
import { cutTwice } from '../layout/cross.ts'
import { printCuts, printSpec, type Shape } from '../layout/layout.ts'
import { crossByName, type Op } from '../op.ts'
import { type Change, changeOf, isChange } from './becomes.ts'
import { checkAxes } from './layout.ts'
import * as say from './messages.ts'
import { type Declaration, type DeclarationTree, isDeclaration, type Program } from './program.ts'
import { readSpec } from './read-spec.ts'
import { isSymbolic, makeNode, type Node, nodeOf, tensorOf } from './record.ts'
import { atLine, isRefusal, refuse } from './refusal.ts'
import type { Mesh } from './mesh.ts'
import type { AnyTensor } from './tensor.ts'

/** A program that was run once over symbols: its inputs and what its results are made of. */
export interface Traced {
  readonly name: string
  readonly mesh: Mesh
  readonly inputs: readonly Node[]
  readonly outputs: readonly { readonly name: string; readonly node: Node }[]
  /** The parameters that have another value after a run. */
  readonly changes: readonly { readonly parameter: Node; readonly value: Node }[]
}

/** The op of a node that comes from outside. */
export const inputOp: Op<{ readonly name: string; readonly parameter: boolean; readonly trained: boolean }> = {
  name: 'input',
  role: 'input',
  shape: () => refuse('an input is not computed'),
  crossings: (_, result) => crossByName([], result),
  linear: [],
  kernel: () => refuse('an input is not computed'),
}

/** Runs a program's body over symbols. A program that does not fit gives a `Refused` fault with its source line. */
export const trace = (program: Program): E.Either<Fault, Traced> => {
  try {
    const inputs: Node[] = []
    const symbols = symbolsFor(program.inputs, [], program.mesh, inputs, oneOfAName('input'))
    const results = (program.body as (inputs: unknown) => unknown)(symbols)
    const found = [...resultsOf(results, [])]
    const named = oneOfAName('output')
    const outputs = found.flatMap(({ path, result }) => isChange(result) ? [] : [{ name: named(path) || 'output', node: nodeOf(result) }])
    const changes = found.flatMap(({ result }) => isChange(result) ? [changeOf(result)] : [])
    checkMesh([...outputs.map(({ node }) => node), ...changes.map(({ value }) => value)], program.mesh)
    checkChanges(changes)
    if (found.length === 0) refuse(`program '${program.name}': the body gives no tensor back`)
    for (const [name, wanted] of Object.entries(program.outputs ?? {})) {
      checkOutput(name, wanted, outputs.find((output) => output.name === name)?.node, program.mesh)
    }
    return E.right({ name: program.name, mesh: program.mesh, inputs, outputs, changes })
  } catch (thrown) {
    if (isRefusal(thrown)) return E.left(refused(thrown.message, thrown.where))
    throw thrown
  }
}

type Path = readonly string[]

/** Names of tensors by their places among the declarations or results, of which no two may be the same. */
const oneOfAName = (what: 'input' | 'output'): (path: Path) => string => {
  const places = new Map<string, Path>()
  return (path) => {
    const name = path.join('.')
    const other = places.get(name)
    if (other !== undefined) refuse(say.nameTwice(what, name, placeText(other), placeText(path)))
    places.set(name, path)
    return name
  }
}

/** A place as it is written in a program: `blocks[0].weight`, or `['blocks.0.weight']`. */
const placeText = (path: Path): string =>
  path.map((key, i) => /^[A-Za-z_$][\w$]*$/.test(key) ? `${i === 0 ? '' : '.'}${key}` : /^\d+$/.test(key) ? `[${key}]` : `['${key}']`).join(
    '',
  )

const symbolsFor = (tree: DeclarationTree, path: Path, mesh: Mesh, inputs: Node[], named: (path: Path) => string): unknown => {
  if (!isDeclaration(tree)) {
    return Array.isArray(tree)
      ? tree.map((part, i) => symbolsFor(part, [...path, String(i)], mesh, inputs, named))
      : Object.fromEntries(Object.entries(tree).map(([key, part]) => [key, symbolsFor(part, [...path, key], mesh, inputs, named)]))
  }
  const name = named(path)
  const { shape, layout } = checkedSpec(`input '${path.at(-1) ?? ''}'`, tree, mesh)
  const node = makeNode({
    op: inputOp,
    attributes: { name, parameter: tree.role === 'parameter', trained: tree.trained !== false },
    operands: [],
    shape,
    layout,
    mesh,
    where: 'input',
  })
  inputs.push(node)
  return tensorOf(node)
}

function* resultsOf(results: unknown, path: Path): Generator<{ path: Path; result: AnyTensor | Change }> {
  if (isSymbolic(results) || isChange(results)) yield { path, result: results }
  else if (typeof results === 'object' && results !== null) {
    for (const [key, part] of Object.entries(results)) yield* resultsOf(part, [...path, key])
  } else refuse(`result '${path.join('.') || 'output'}' is not a tensor`)
}

const checkChanges = (changes: Traced['changes']): void => {
  const twice = changes.find(({ parameter }, i) => changes.findIndex((other) => other.parameter === parameter) !== i)
  if (twice !== undefined) refuse(`becomes: parameter '${String(twice.parameter.attributes['name'])}' is given two next values`)
}

const checkOutput = (name: string, wanted: Declaration, found: Node | undefined, mesh: Mesh): void => {
  const want = checkedSpec(`output '${name}'`, wanted, mesh)
  if (found === undefined) return refuse(say.notGiven(name, wanted.spec))
  const { shape, layout } = found
  const fix = bare(shape) === bare(want.shape) ? `; fix: layout('${printCuts(want.shape, want.layout)}') at the end` : ''
  const [first] = layout.pending
  if (first !== undefined) {
    const axes = layout.pending.map(({ axis }) => axis).join('+')
    return refuse(say.declared(name, wanted.spec, `a pending ${first.combine} over '${axes}'`, fix))
  }
  const got = printSpec(shape, layout)
  if (got !== wanted.spec) return refuse(say.declared(name, wanted.spec, got, fix))
  if (shape.type !== wanted.type) refuse(say.declared(name, wanted.type, shape.type, `; fix: cast('${wanted.type}') at the end`))
}

/** A declared spec, refused where it is wrong in itself or does not fit the mesh. */
const checkedSpec = (what: string, { spec, type }: Declaration, mesh: Mesh): ReturnType<typeof readSpec> => {
  const read = readSpec(what, spec, type)
  read.shape.dims.forEach((dim, i) => checkAxes(what, dim.name, read.layout.cuts[i]!, mesh))
  const twice = cutTwice(what, read.shape, read.layout.cuts)
  return twice === undefined ? read : refuse(twice)
}

const bare = (shape: Shape): string => printSpec(shape, { cuts: shape.dims.map(() => []), pending: [] })

/** A constant meets the mesh here at the latest: until now its axes were only names. */
const checkMesh = (results: readonly Node[], mesh: Mesh): void => {
  const seen = new Set(results)
  // The set grows while it is walked: every operation behind the results is met once.
  for (const node of seen) {
    if (node.mesh === undefined) {
      atLine(node.where, () => node.shape.dims.forEach((dim, i) => checkAxes(node.op.name, dim.name, node.layout.cuts[i]!, mesh)))
    }
    for (const operand of node.operands) seen.add(operand)
  }
}
