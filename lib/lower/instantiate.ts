import { createHash } from 'node:crypto'
import { bytesPerElement } from '../dtype.ts'
import { call, input } from '../kernel/expression.ts'
import {
  contiguous,
  elementsOf,
  type Exchange,
  type Kernel,
  mapViews,
  type Parcel,
  type Port,
  type RankProgram,
  type View,
} from '../kernel/kernel.ts'
import { type Layout, positionOf, type Shape } from '../layout/layout.ts'
import type { Box } from '../layout/pieces.ts'
import { boxOn, partsOn } from '../layout/transfer.ts'
import type { Compute, Move, Plan, PlanPort } from '../plan/plan.ts'
import { meshOf, readValue } from '../plan/read-value.ts'
import { kernelsOf } from './kernels.ts'
import { storage } from './storage.ts'
import { type Piece, viewThrough } from './views.ts'

interface Known {
  readonly shape: Shape
  readonly layout: Layout
  readonly box: Box
}

/**
 * A rank's own program: the plan's steps with every size, stride and offset known. Views and free slices vanish; every
 * exchange becomes one contiguous message per peer. All ranks get the same exchanges in the same order.
 */
export const instantiate = (plan: Plan, rank: number): RankProgram => instantiateWithPeak(plan, rank).program

/** What a rank's buffers hold at the moment when they hold most, in bytes. */
export const peakOf = (plan: Plan, rank: number): Peak => instantiateWithPeak(plan, rank).peak

/** Both at once. */
export const instantiateWithPeak = (plan: Plan, rank: number): { readonly program: RankProgram; readonly peak: Peak } => {
  const mesh = meshOf(plan)
  const values = plan.values.map((value): Known => {
    const { shape, layout } = readValue(value)
    return { shape, layout, box: boxOn(shape, layout, mesh, rank) }
  })
  const pieces: Piece[] = []
  const contents = contentsOf(plan)
  const memory = storage<Content>()
  const lastUse = lastUses(plan)
  const changes = changesOf(plan)
  /** Buffers of parameters that change, and copies of results that lie in them: a change must not reach those. */
  const changing = new Set<number>()
  const copies = new Map<number, Piece>()
  const holders = new Map<number, Set<number>>()
  const steps: (Kernel | Exchange)[] = []
  const labels: string[] = []

  const hold = (value: number, piece: Piece): Piece => {
    pieces[value] = piece
    holders.set(piece.buffer, (holders.get(piece.buffer) ?? new Set()).add(value))
    return piece
  }
  const newPiece = (value: number): Piece => {
    const { shape, box } = values[value]!
    const sizes = box.map((range) => range.size)
    const strides = contiguous(sizes)
    const elements = Math.max(1, elementsOf(sizes))
    return {
      buffer: memory.take(elements, contents[value]!),
      offset: 0,
      dims: shape.dims.map(({ name }, i) => ({ name, size: sizes[i]!, stride: strides[i]! })),
    }
  }
  const allocate = (value: number): Piece => hold(value, newPiece(value))
  const letGo = (value: number): void => {
    const { buffer } = pieces[value]!
    const holding = holders.get(buffer)!
    if (holding.delete(value) && holding.size === 0) memory.give(buffer)
  }
  /** Gives back what no later step reads. */
  const release = (after: number, touched: readonly number[]): void => {
    for (const value of touched) if (lastUse[value]!.buffer <= after) letGo(value)
  }
  const emit = (label: string, ...made: readonly (Kernel | Exchange)[]): void => {
    for (const step of made) {
      steps.push(step)
      labels.push(label)
    }
  }

  const copy = (value: number, from: Piece, to: Piece): readonly Kernel[] => {
    const { shape, box } = values[value]!
    const origin = box.map((range) => range.start)
    // What stays from run to run is float32 on every backend, so that it can be saved and given back without a difference.
    const expression = shape.type === 'f32' ? call('single', input(0)) : input(0)
    const startOf = (): number => 0
    return kernelsOf({ family: 'map', expression }, { operands: [from], types: [shape.type], result: to, shape, origin, startOf })
  }
  /** A result that lies in a parameter's buffer gets one of its own, before the parameter changes. */
  const keepApart = (value: number): void => {
    if (!lastUse[value]!.result || copies.has(value) || !changing.has(pieces[value]!.buffer)) return
    const piece = newPiece(value)
    copies.set(value, piece)
    emit('in keeping a result', ...copy(value, pieces[value]!, piece))
  }
  /** Changes parameters as soon as nothing reads their old values any more, so that the new ones need not be kept. */
  const change = (after: number): void => {
    for (const one of changes) {
      const { name, parameter, value, done } = one
      const next = copies.get(value) ?? pieces[value]
      const { buffer } = pieces[parameter]!
      if (done || next === undefined || [...holders.get(buffer)!].some((holder) => lastUse[holder]!.read > after)) continue
      emit(`in the change of parameter '${name}'`, ...copy(value, next, pieces[parameter]!))
      one.done = true
      if (lastUse[value]!.read <= after && lastUse[value]!.buffer === Infinity && !lastUse[value]!.output) letGo(value)
    }
  }

  for (const port of plan.inputs) allocate(port.value)
  for (const { parameter } of changes) changing.add(pieces[parameter]!.buffer)
  for (const port of plan.inputs) keepApart(port.value)
  const inputs = plan.inputs.map((port) => portOf(port, pieces[port.value]!))
  plan.steps.forEach((step, at) => {
    if (step.do === 'compute') {
      emit(`in ${step.op} at ${step.where}`, ...compute(step))
      keepApart(step.result)
      release(at, [...new Set([...step.operands, step.result])])
    } else {
      const exchange = move(step, at)
      if (exchange !== undefined) emit(`in the ${step.collective} ${step.what} for ${step.where}`, exchange)
      keepApart(step.to)
      release(at, [step.from, step.to])
    }
    change(at)
  })
  change(plan.steps.length)
  const outputs = plan.outputs.map((port) => portOf(port, copies.get(port.value) ?? pieces[port.value]!))
  const { sizes, bufferOf } = memory.assign()
  const placed = { inputs, outputs, steps }
  const program = { rank, ranks: plan.ranks, buffers: sizes, labels, ...inBuffers(placed, bufferOf) }
  return { program, peak: peakFrom(memory.most(), sizes) }

  function compute(step: Compute): readonly Kernel[] {
    const result = values[step.result]!
    const operands = step.operands.map((value) => pieces[value]!)
    if (step.template.family === 'view') {
      const sizes = new Map(result.shape.dims.map(({ name }, i) => [name, result.box[i]!.size]))
      const seen = viewThrough(operands[0]!, step.template.view, sizes)
      if (seen !== undefined) {
        hold(step.result, seen)
        return []
      }
    }
    return kernelsOf(step.template, {
      operands,
      types: step.operands.map((value) => values[value]!.shape.type),
      result: allocate(step.result),
      shape: result.shape,
      origin: result.box.map((range) => range.start),
      startOf: (operand, dim) => {
        const { shape, box } = values[step.operands[operand]!]!
        return box[positionOf(shape, dim)]!.start
      },
    })
  }

  function move({ from, to, what, collective, bytes }: Move, at: number): Exchange | undefined {
    const [before, after] = [values[from]!, values[to]!]
    const source = pieces[from]!
    const inside = (piece: Piece, box: Box, part: Box): View => ({
      buffer: piece.buffer,
      type: before.shape.type,
      strides: piece.dims.map(({ stride }) => stride),
      offset: part.reduce((offset, range, i) => offset + (range.start - box[i]!.start) * piece.dims[i]!.stride, piece.offset),
    })
    if (bytes.every((sent) => sent === 0)) {
      const view = inside(
        source,
        before.box,
        after.box.map((range, i) => range.size === 0 ? { start: before.box[i]!.start, size: 0 } : range),
      )
      hold(to, { buffer: view.buffer, offset: view.offset, dims: source.dims.map((dim, i) => ({ ...dim, size: after.box[i]!.size })) })
      return undefined
    }
    const target = allocate(to)
    const parts = partsOn(rank, before.shape, before.layout, after.layout, mesh)
    const parcel = (peer: number, box: Box, view: View): Parcel => ({ peer, sizes: box.map((range) => range.size), view })
    const kept = parts.find((part) => part.from === rank && part.to === rank)
    const finished = before.layout.pending.find(({ axis }) => !after.layout.pending.some((pending) => pending.axis === axis))
    return {
      kind: 'exchange',
      name: `${collective} ${what}`,
      signature: createHash('sha256').update(JSON.stringify([plan.values[from], plan.values[to], at])).digest('hex').slice(0, 16),
      sends: parts.filter((part) => part.from === rank && part.to !== rank).map(({ to: peer, box }) =>
        parcel(peer, box, inside(source, before.box, box))
      ),
      receives: parts.filter((part) => part.to === rank && part.from !== rank).map(({ from: peer, box }) =>
        parcel(peer, box, inside(target, after.box, box))
      ),
      keeps: kept === undefined ? null : {
        sizes: kept.box.map((range) => range.size),
        from: inside(source, before.box, kept.box),
        to: inside(target, after.box, kept.box),
      },
      combine: finished?.combine ?? 'place',
    }
  }

  function portOf(port: PlanPort, piece: Piece): Port {
    return {
      name: port.name,
      parameter: port.parameter,
      sizes: piece.dims.map(({ size }) => size),
      view: { buffer: piece.buffer, type: port.type, offset: piece.offset, strides: piece.dims.map(({ stride }) => stride) },
    }
  }
}

/** The same with each view in the buffer that its value was given. */
const inBuffers = (
  { inputs, outputs, steps }: Pick<RankProgram, 'inputs' | 'outputs' | 'steps'>,
  bufferOf: readonly number[],
): Pick<RankProgram, 'inputs' | 'outputs' | 'steps'> => {
  const view = (of: View): View => ({ ...of, buffer: bufferOf[of.buffer]! })
  const port = (of: Port): Port => ({ ...of, view: view(of.view) })
  return { inputs: inputs.map(port), outputs: outputs.map(port), steps: steps.map((step) => mapViews(step, view)) }
}

/** What a value is to the person who wonders where the memory went. */
export type Content = 'inputs' | 'parameters' | 'optimiser' | 'activations' | 'gradients' | 'update'
export type Peak = { readonly [kind in Content | 'unused' | 'total']: number }

/** A parameter that only the update reads is the optimiser's. */
const contentsOf = (plan: Plan): readonly Content[] => {
  const contents = new Array<Content>(plan.values.length).fill('activations')
  const readBy = (update: boolean): ReadonlySet<number> =>
    new Set(plan.steps.flatMap((step) => (step.phase === 'update') !== update ? [] : step.do === 'compute' ? step.operands : [step.from]))
  const [learned, updated] = [readBy(false), readBy(true)]
  const updates = plan.steps.some(({ phase }) => phase === 'update')
  for (const { value, parameter } of plan.inputs) {
    contents[value] = !parameter ? 'inputs' : updates && updated.has(value) && !learned.has(value) ? 'optimiser' : 'parameters'
  }
  for (const step of plan.steps) {
    contents[step.do === 'compute' ? step.result : step.to] = step.phase === 'backward'
      ? 'gradients'
      : step.phase === 'update'
      ? 'update'
      : 'activations'
  }
  return contents
}

const peakFrom = (most: ReadonlyMap<Content, number>, sizes: readonly number[]): Peak => {
  const bytes = (kind: Content): number => bytesPerElement * (most.get(kind) ?? 0)
  const kinds: readonly Content[] = ['inputs', 'parameters', 'optimiser', 'activations', 'gradients', 'update']
  const total = bytesPerElement * sizes.reduce((sum, size) => sum + size, 0)
  const used = kinds.reduce((sum, kind) => sum + bytes(kind), 0)
  return { ...Object.fromEntries(kinds.map((kind) => [kind, bytes(kind)])), unused: total - used, total } as Peak
}

/** The last step that reads a value; the last one after which its buffer is needed; and whether it is a result. */
interface LastUse {
  read: number
  buffer: number
  result: boolean
  output: boolean
}

/** Buffers of parameters and of results are never done with. */
const lastUses = (plan: Plan): readonly LastUse[] => {
  const last = plan.values.map((): LastUse => ({ read: -1, buffer: -1, result: false, output: false }))
  plan.steps.forEach((step, at) => {
    for (const value of step.do === 'compute' ? step.operands : [step.from]) last[value] = { ...last[value]!, read: at, buffer: at }
  })
  for (const { value, parameter } of plan.inputs) if (parameter) last[value]!.buffer = Infinity
  for (const { value } of plan.outputs) last[value] = { ...last[value]!, buffer: Infinity, result: true, output: true }
  for (const { value } of plan.changes) last[value] = { ...last[value]!, buffer: Infinity, result: true }
  return last
}

/** The parameters that change, each with its value before and after; one that becomes itself doesn't. */
const changesOf = (plan: Plan) =>
  plan.changes.map(({ parameter: name, value }) => ({
    name,
    parameter: plan.inputs.find((port) => port.parameter && port.name === name)!.value,
    value,
    done: false,
  })).filter(({ parameter, value }) => parameter !== value)
