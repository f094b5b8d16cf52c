import type { Cluster, Precision } from '../cluster/cluster.ts'
import { kernelSeconds, scaleOf } from '../cluster/kernel-seconds.ts'
import { sendSeconds } from '../cluster/links.ts'
import type { Graph, GraphNode } from '../graph/graph.ts'
import { contiguous } from '../kernel/kernel.ts'
import { workOf } from '../kernel/work.ts'
import { piecesAlong } from '../language/mesh.ts'
import type { Layout, Shape } from '../layout/layout.ts'
import { boxOn, bytesFrom, type Held, heldIn } from '../layout/transfer.ts'
import type { Op } from '../op.ts'
import type { Pricing } from '../plan/pricing.ts'
import type { Strategy } from '../plan/strategies.ts'
import { kernelsOf } from './kernels.ts'
import type { Piece } from './views.ts'

/**
 * The microseconds of a step on a cluster: the kernels of the first rank, which has the largest pieces, and exchanges one after
 * another, each as long as the slowest rank of the first host sends (hosts are alike). Where the cluster computes while it
 * communicates, what goes round a ring costs only as far as it takes longer than the work on the blocks that are there already.
 */
export const inMicroseconds = (graph: Graph, cluster: Cluster, precision: Precision): Pricing => {
  const { mesh } = graph
  const known = new Map<Op, Map<string, number>>()
  const host = Array.from({ length: Math.min(mesh.ranks, cluster.links[0]?.ranks ?? 1) }, (_, rank) => rank)
  const send = (from: Held, to: Held): number =>
    Math.max(
      ...host.map((rank) => sendSeconds(cluster.links, rank, bytesFrom(rank, from, to, mesh).map((bytes) => bytes * scaleOf(precision)))),
    )

  const exchange = (from: Held, to: Held): number => {
    const { turn } = to.layout
    if (turn?.by !== 'all') return 1e6 * send(from, to)
    const next: Held = { layout: { ...to.layout, turn: { ...turn, by: 1 } }, boxes: [] }
    return 1e6 * (piecesAlong(mesh, [turn.axis]) - 1) * send(from, next)
  }

  /** A piece as it lies by itself. */
  const pieceOf = (shape: Shape, layout: Layout): Piece => {
    const sizes = boxOn(shape, layout, mesh, 0).map(({ size }) => size)
    const strides = contiguous(sizes)
    return { buffer: 0, offset: 0, dims: shape.dims.map(({ name }, i) => ({ name, size: sizes[i]!, stride: strides[i]! })) }
  }

  const kernelTime = (node: GraphNode, { operands: layouts, result: layout }: Strategy): number => {
    const shapes = node.operands.map(({ value }) => graph.nodes[value]!.shape)
    const template = node.op.kernel(shapes, node.shape, node.attributes)
    if (template.family === 'view') return 0
    const operands = shapes.map((shape, i) => pieceOf(shape, layouts[i]!))
    const result = pieceOf(node.shape, layout)
    const key = JSON.stringify([node.attributes, [...operands, result].map(({ dims }) => dims)])
    const times = known.get(node.op) ?? new Map<string, number>()
    known.set(node.op, times)
    const before = times.get(key)
    if (before !== undefined) return before
    const types = shapes.map(({ type }) => type)
    const kernels = kernelsOf(template, {
      operands,
      types,
      result,
      shape: node.shape,
      origin: node.shape.dims.map(() => 0),
      startOf: () => 0,
    })
    const time = 1e6 * kernels.reduce((sum, kernel) => sum + kernelSeconds(cluster, precision, workOf(kernel)), 0)
    times.set(key, time)
    return time
  }

  const work = (node: GraphNode, strategy: Strategy): number => {
    if (node.op.role === 'input') return 0
    const block = kernelTime(node, strategy)
    if (strategy.ring === undefined) return block
    const turns = piecesAlong(mesh, [strategy.ring])
    const round = (shape: Shape, layout: Layout): number => {
      const home: Layout = { cuts: layout.cuts, pending: layout.pending }
      return exchange(heldIn(shape, home, mesh), heldIn(shape, { ...home, turn: { axis: strategy.ring!, by: 'all' } }, mesh))
    }
    const blocks = strategy.operands.reduce(
      (sum, layout, i) => layout.turn === undefined ? sum : sum + round(graph.nodes[node.operands[i]!.value]!.shape, layout),
      0,
    )
    const result = node.op.blocks?.travels === true ? round(node.shape, strategy.result) : 0
    const hidden = cluster.overlap ? Math.min(blocks + result, (turns - 1) * block) : 0
    return turns * block + result - hidden
  }

  return { exchange, work, sum: (withTies) => withTies }
}
