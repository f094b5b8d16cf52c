import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pipe } from 'fp-ts/lib/function.js'
import fc from 'fast-check'
import { buildGraph, type Graph, isInput } from '#lib/graph/graph.ts'
import { trace } from '#lib/language/trace.ts'
import { input, layout, mesh, type Program, program, type Tensor } from '#lib/mod.ts'
import { add, exp, multiply, softmax, sum, tanh } from '#ops/mod.ts'
import { right } from '../lower/run-plan.ts'
import { programOf, recipes } from '../plan/random-programs.ts'

const graphOf = (program: Program): Graph => buildGraph(right(trace(program)))
const opsOf = (graph: Graph): readonly string[] => graph.nodes.filter((node) => !isInput(node)).map(({ op }) => op.name)

test('equal operations on equal operands are one, wherever they are written', () => {
  const graph = graphOf(
    program('twice', mesh('sp=2'), { x: input('t:4@sp e:6') }, ({ x }) => pipe(tanh(x), add(tanh(x)), multiply(tanh(x)))),
  )
  assert.deepEqual(opsOf(graph), ['tanh', 'add', 'multiply'])
})

test('operations that differ in an attribute, an operand or a declaration between are not', () => {
  const graph = graphOf(program('not twice', mesh('sp=2'), { x: input('t:4 e:6') }, ({ x }) => ({
    attribute: [softmax('t')(x), softmax('e')(x)],
    declaration: [tanh(x), pipe(x, layout('t@sp'), tanh), pipe(x, layout('e@sp'), tanh)],
  })))
  assert.deepEqual(opsOf(graph).toSorted(), ['softmax', 'softmax', 'tanh', 'tanh', 'tanh'])
})

test('so are numbers that JSON would write alike', () => {
  const graph = graphOf(
    program('numbers', mesh('sp=2'), { x: input('t:4') }, ({ x }) => [NaN, Infinity, -Infinity, 0, -0].map((n) => pipe(x, add(n)))),
  )
  assert.deepEqual(graph.nodes.slice(1).map(({ attributes }) => attributes['value']), [NaN, Infinity, -Infinity, 0, -0])
})

test('declarations are no operations: they say how a use of a value lies', () => {
  const graph = graphOf(
    program('declared', mesh('sp=2'), { x: input('t:4@sp e:6') }, ({ x }) => pipe(x, layout('e@sp'), softmax('t'), layout(''))),
  )
  assert.deepEqual(opsOf(graph), ['softmax'])
  assert.deepEqual(graph.nodes.find((node) => !isInput(node))!.operands[0]!.pin!.layout.cuts, [[], ['sp']])
  assert.deepEqual(graph.outputs[0]!.use.pin!.layout.cuts, [[], []])
})

test('of two declarations in a row the last one counts', () => {
  const graph = graphOf(
    program('declared twice', mesh('sp=2'), { x: input('t:4 e:6') }, ({ x }) => pipe(x, layout('t@sp'), layout('e@sp'), tanh)),
  )
  assert.deepEqual(graph.nodes.find((node) => !isInput(node))!.operands[0]!.pin!.layout.cuts, [[], ['sp']])
})

test('what no output needs is left out, but for inputs', () => {
  const graph = graphOf(program('unused', mesh('sp=2'), { x: input('t:4'), y: input('t:4') }, ({ x, y }) => {
    pipe(y, exp, sum('t'))
    return tanh(x)
  }))
  assert.deepEqual(graph.nodes.filter(isInput).map(({ attributes }) => attributes['name']), ['x', 'y'])
  assert.deepEqual(opsOf(graph), ['tanh'])
})

test('dims of one position are known as cut if the program cuts them somewhere', () => {
  const graph = graphOf(
    program('one position', mesh('sp=2'), { x: input('b:1 t:1@sp e:6'), y: input('o:1 e:6') }, ({ x, y }) => ({ x, y })),
  )
  assert.deepEqual([...graph.cutSingles], ['t'])
})

test('every operand is made before it is used', () => {
  fc.assert(fc.property(recipes(['sp=2', 'a=2 b=2'], 14), (recipe) => {
    const graph = graphOf(programOf(recipe, 3))
    graph.nodes.forEach(({ operands }, number) => operands.forEach(({ value }) => assert.ok(value < number)))
    graph.outputs.forEach(({ use }) => assert.ok(use.value < graph.nodes.length))
  }))
})

test('depth is not limited by the stack', () => {
  const deep = program('deep', mesh('sp=2'), { x: input('t:4@sp' as string) }, ({ x }) => {
    let value: Tensor<string> = x
    for (let i = 0; i < 20_000; i++) value = add(i)(value) as Tensor<string>
    return value
  })
  assert.equal(opsOf(graphOf(deep)).length, 20_000)
})
