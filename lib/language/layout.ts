import { input } from '../kernel/expression.ts'
import { cutTwice } from '../layout/cross.ts'
import { isUndecided, type Layout as Lies, namesOf, positionOf, printSpec, type Shape } from '../layout/layout.ts'
import { crossByName, type Op } from '../op.ts'
import type { Mesh } from './mesh.ts'
import { axisNames } from './mesh.ts'
import * as say from './messages.ts'
import { nodeOf, record, tensorOf } from './record.ts'
import { readSpec } from './read-spec.ts'
import { atLine, refuse } from './refusal.ts'
import type { Expect, Layout, SumOver } from './rules/layout.ts'
import { sourceLine } from './source.ts'
import { type AnyTensor, type Stage, stage } from './tensor.ts'

/** The same value; what follows sees it in the declared layout. The pass gives it a meaning, no kernel runs. */
export const declaration: Op = {
  name: 'layout',
  role: 'declaration',
  shape: ([x]) => x!,
  crossings: (operands, result) => crossByName(operands, result),
  linear: [[0]],
  kernel: () => ({ family: 'map', expression: input(0) }),
}

/** Refuses axes that the mesh lacks, or that cut the dim twice. */
export const checkAxes = (what: string, dim: string, cut: readonly string[], mesh: Mesh | undefined): void => {
  if (isUndecided(cut)) return
  cut.forEach((axis, i) => {
    if (cut.indexOf(axis, i + 1) >= 0) refuse(say.axisRepeated(what, axis, dim))
    if (mesh !== undefined && !mesh.axes.some(({ name }) => name === axis)) refuse(say.noAxis(what, axis, axisNames(mesh)))
  })
}

/**
 * From here on the dims lie as declared and every other dim is whole: `layout('s@sp')`, `layout('t@dp s@sp+tp')`,
 * `layout('')` for all whole. A dim `@?` is left to the planner. It is a declaration, not a collective: the pass decides
 * what moves, where, and whether anything moves at all. Pending reductions are finished.
 */
export const layout = <const L extends string>(text: L): Stage<Layout<L>> => {
  const where = sourceLine()
  return stage((x) => record(declaration, {}, [x], where, (shape, _, mesh) => laidOut(shape, text, mesh)))
}

const laidOut = (shape: Shape, text: string, mesh: Mesh | undefined): Lies => {
  const cuts: (readonly string[])[] = shape.dims.map(() => [])
  const tokens = text.trim() === '' ? [] : text.trim().split(/\s+/)
  for (const [i, token] of tokens.entries()) {
    const [, dim, axes] = /^([^@]+)@(.+)$/.exec(token) ?? []
    if (dim === undefined) return refuse(say.notOfForm('layout', token, 'dim@axis'))
    const at = positionOf(shape, dim)
    if (at < 0) return refuse(say.noDim('layout', dim, 'input', namesOf(shape)))
    if (tokens.slice(i + 1).some((later) => later.startsWith(`${dim}@`))) return refuse(say.dimTwice('layout', dim))
    cuts[at] = axes!.split('+')
    checkAxes('layout', dim, cuts[at]!, mesh)
  }
  const twice = cutTwice('layout', shape, cuts)
  return twice === undefined ? { cuts, pending: [] } : refuse(twice)
}

/** Finishes a pending sum over a mesh axis; the result is whole over that axis. Other pending sums stay. */
export const sumOver = <const A extends string>(axis: A): Stage<SumOver<A>> => {
  const where = sourceLine()
  return stage((x) =>
    record(
      declaration,
      {},
      [x],
      where,
      (_, lies) =>
        lies.pending.some((pending) => pending.axis === axis && pending.combine === 'sum')
          ? { cuts: lies.cuts, pending: lies.pending.filter((pending) => pending.axis !== axis) }
          : refuse(say.notPending('sumOver', axis)),
    )
  )
}

/**
 * States a tensor's dims, sizes and layout, where the types have lost them: `expect('s:16 e:48')` after a helper that
 * works on tensors of any dims. What the types know must agree; the rest is checked at trace time.
 */
export const expect = <const S extends string>(spec: S): Stage<Expect<S>> => {
  const where = sourceLine()
  return stage((x) => atLine(where, () => checked(x, spec)))
}

const checked = (x: AnyTensor, spec: string): AnyTensor => {
  const want = readSpec('expect', spec, x.type)
  if (x.pending !== '' || printSpec(want.shape, want.layout) !== x.spec) {
    refuse(say.unexpected(spec, x.pending === '' ? x.spec : `${x.spec}, pending over ${x.pending}`))
  }
  return tensorOf(nodeOf(x))
}
