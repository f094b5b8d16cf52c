import { axesOf } from '../layout/cross.ts'
import { printCuts, printSpec, wholeLayout } from '../layout/layout.ts'
import * as say from './messages.ts'
import type { Becomes } from './rules/layout.ts'
import { type Node, nodeOf } from './record.ts'
import { atLine, refuse } from './refusal.ts'
import { sourceLine } from './source.ts'
import type { Accept, AnyTensor } from './tensor.ts'

const change: unique symbol = Symbol.for('shardwise change')

/** Among a program's results: what a parameter is from the next run on. */
export interface Change {
  readonly [change]: { readonly parameter: Node; readonly value: Node }
}

export const isChange = (value: unknown): value is Change => typeof value === 'object' && value !== null && change in value
export const changeOf = (of: Change): { readonly parameter: Node; readonly value: Node } => of[change]

/**
 * A parameter's value from the next run on, as one of a program's results: `{ loss, w: pipe(w, subtract(step), becomes(w)) }`.
 * It stays on the ranks, and must lie as the parameter is declared.
 */
export const becomes = <const P extends AnyTensor>(parameter: P) =>
<X extends AnyTensor>(
  value: Accept<X, X extends AnyTensor ? Becomes<P, X> : ''>,
): Change => {
  const where = sourceLine()
  return atLine(where, () => {
    const [of, next] = [nodeOf(parameter), nodeOf(value as AnyTensor)]
    if (of.op.role !== 'input' || of.attributes['parameter'] !== true) refuse('becomes: only a parameter of the program can change')
    const lies = `layout('${printCuts(of.shape, of.layout)}')`
    const [pending] = next.layout.pending
    if (pending !== undefined) refuse(say.becomesPending(pending.combine, axesOf(next.layout.pending), lies))
    const [want, got] = [printSpec(of.shape, of.layout), printSpec(next.shape, next.layout)]
    const alike = printSpec(of.shape, wholeLayout(of.shape)) === printSpec(next.shape, wholeLayout(next.shape))
    if (want !== got) refuse(say.becomesOther(want, got, alike ? `; fix: ${lies} before it` : ''))
    const [type, wrong] = [of.shape.type, next.shape.type]
    if (type !== wrong) refuse(say.becomesOther(type, wrong, `; fix: cast('${type}') before it`))
    return { [change]: { parameter: of, value: next } }
  })
}
