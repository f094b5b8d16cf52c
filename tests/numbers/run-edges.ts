import * as E from 'fp-ts/lib/Either.js'
import assert from 'node:assert/strict'
import type { Backend } from '#backends/backend.ts'
import type { DType, Elements } from '#lib/dtype.ts'
import { sentence } from '#lib/fault.ts'
import { instantiate } from '#lib/lower/instantiate.ts'
import { type AnyTensor, compile, input, mesh, program } from '#lib/mod.ts'
import { right } from '../backends/support.ts'
import type { Case, EdgeGroup, Either, Entry } from './edges.ts'

/** Runs a group of edges as a program of public ops on a backend. */

const given = (one: Case): readonly Entry[] => one.slice(0, -1) as readonly Entry[]
export const resultOf = (one: Case): Entry | Either => one.at(-1)!

const elementsFor = (type: DType, values: readonly number[]): Elements =>
  type === 'f32' ? Float32Array.from(values) : Int32Array.from(values)

/** The program of a group: one input for each operand, its cases along dim n and the numbers of a row along dim e. */
const programOf = ({ of, apply, cases, table }: EdgeGroup) => {
  const row = given(cases[0]!).find((entry) => typeof entry !== 'number')
  const spec = row === undefined ? `n:${cases.length}` : `n:${cases.length} e:${(row as readonly number[]).length}`
  const declared = Object.fromEntries([
    ...of.map((type, n) => [`x${n}`, input(spec, type)] as const),
    ...(table === undefined ? [] : [['table', input(`v:${table.length}`, 'f32')] as const]),
  ])
  return program('edges', mesh(''), declared, (tensors) => {
    const all = tensors as Readonly<Record<string, AnyTensor>>
    return apply([...of.map((_, n) => all[`x${n}`]!), ...(table === undefined ? [] : [all['table']!])]) as never
  })
}

/** The results of all cases, one after another. */
export const runEdges = async (group: EdgeGroup, backend: Backend): Promise<Elements> => {
  const plan = compile(programOf(group))
  if (E.isLeft(plan)) assert.fail(`${group.op}: ${sentence(plan.left)}`)
  const rank = instantiate(plan.right, 0)
  const executable = await right(backend.load(rank))
  try {
    for (const { name, view, sizes } of rank.inputs) {
      const values = name === 'table' ? group.table! : group.cases.flatMap((one) => given(one)[Number(name.slice(1))]!)
      await right(executable.write(view, sizes, elementsFor(view.type, values)))
    }
    await right(executable.run(0, rank.steps.length))
    const { view, sizes } = rank.outputs[0]!
    return await right(executable.read(view, sizes))
  } finally {
    await executable.free()
  }
}

const leastNormal = 2 ** -126

/** Whether a result is what the rule says: bits for zeros, infinities and NaN, six digits otherwise; a subnormal number may be 0. */
export const agrees = (found: number, wanted: number): boolean => {
  const single = Math.fround(wanted)
  if (Object.is(found, single)) return true
  if (found === 0 && single !== 0 && Math.abs(single) < leastNormal) return true
  return Number.isFinite(single) && single !== 0 && Math.abs(found - single) <= Math.max(1e-6 * Math.abs(single), 2 ** -149)
}

/** Sentences on the cases in which a backend does otherwise than the rule. */
export const mistakesOf = async (group: EdgeGroup, backend: Backend): Promise<readonly string[]> => {
  const found = await runEdges(group, backend)
  const width = found.length / group.cases.length
  return group.cases.flatMap((one, n) => {
    const wanted = resultOf(one)
    const allowed = typeof wanted === 'object' && 'either' in wanted ? wanted.either.map((x) => [x]) : [[wanted].flat() as number[]]
    const own = Array.from(found.subarray(n * width, (n + 1) * width))
    const integers = found instanceof Int32Array
    const right = allowed.some((numbers) => own.every((x, i) => integers ? x === numbers[i] : agrees(x, numbers[i]!)))
    const shown = (x: number): string => Object.is(x, -0) ? '-0' : String(x)
    return right ? [] : [`${group.op} of ${JSON.stringify(given(one).map((x) => [x].flat().map(shown)))} is ${own.map(shown)}`]
  })
}
