import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { loadCluster } from '#lib/cluster/load.ts'
import { makeUpTensors } from '#lib/cli/tensors.ts'
import type { Comparison } from '#lib/compare/codec.ts'
import { type Candidate, compare, type CompareOptions } from '#lib/compare/compare.ts'
import { refused, sentence } from '#lib/fault.ts'
import { compile, input, layout, mesh, parameter, type Plan, type Program, program, valueAndGrad } from '#lib/mod.ts'
import { linear, mean, softmax, square } from '#ops/mod.ts'

/** Small programs to compare, and what comes of it. */

export const planOf = (of: Program): Plan => {
  const plan = compile(of)
  if (E.isLeft(plan)) throw new Error(sentence(plan.left))
  return plan.right
}

/** One switch of T × S × E numbers from t to s. */
export const twoStages = (name: string, on: string, [t, s, e]: readonly [number, number, number] = [4, 6, 2]): Program =>
  program(
    name,
    mesh(on),
    { x: input(`t:${t}@sp s:${s} e:${e}` as string) },
    ({ x }) => pipe(x, softmax('s'), layout('s@sp'), softmax('t')),
  ) as Program

/** A linear layer with its loss and gradients. */
export const training = (name: string, on: string): Program => ({
  name,
  mesh: mesh(on),
  inputs: { x: input('b:6@sp e:8'), w: { weight: parameter('f:5 e:8'), bias: parameter('f:5') } },
  outputs: undefined,
  body: ({ x, w }) => {
    const [loss, gradients] = valueAndGrad((of: typeof w) => pipe(x, linear(of, 'e'), square, mean('b f')))(w)
    return { loss, gradients }
  },
})

/** Three programs, one with a name that must be escaped and one that is refused, estimated and measured in this process. */
export const compared = async (measured: boolean): Promise<Comparison> => {
  const cluster = await loadCluster('h100')()
  if (E.isLeft(cluster)) throw new Error(sentence(cluster.left))
  const candidates: readonly Candidate[] = [
    { file: 'one.ts', plan: E.right(planOf(twoStages(hostile, 'sp=3'))) },
    { file: 'two.ts', plan: E.right(planOf(training('training', 'sp=3'))) },
    { file: 'three.ts', plan: E.left(refused(`no <b>mesh</b> & no "axis"`)) },
  ]
  const options: CompareOptions = {
    cluster: cluster.right,
    ...(measured && { measurement: { repeat: 5, launch: { backend: 'reference', inProcess: true }, tensors: makeUpTensors } }),
  }
  return await compare(candidates, options)()
}

/** Would be an element, end a script, and leave an attribute, if it weren't escaped. */
export const hostile = `<img src=x onerror=alert(1)> "two" & </script><script>alert(2)</script>`
