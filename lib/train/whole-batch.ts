import { ancestorsOf, sourcesOf } from '../grad/gradient.ts'
import { derivative } from '../kernel/derivative.ts'
import type { Expression } from '../kernel/expression.ts'
import * as say from '../language/messages.ts'
import type { Node } from '../language/record.ts'
import { atLine, refuse } from '../language/refusal.ts'

/**
 * What a batch's loss would be as a part of that of one batch which holds the examples of all, one batch behind the other along
 * the first dim of each input. Examples are treated each alone until they are folded: by sums, which grow with the batch, or
 * means, which don't. Of what is folded,
 *
 * - *statistics* depend on no parameter that is learned, like a sum of masks. They are to be those of all batches together.
 * - *sums* and means depend on some. The loss must be affine in them (with statistics for constants): then it is the mean, over
 *   the batches, of the losses with each batch's sums taken as many times as there are batches.
 *
 * A loss of which that is not so is refused: there an average of losses would be another number, like a mean of roots for
 * the root of a mean, or a mean of means for a mean over all that is not masked.
 */
export interface Folded {
  /** The loss, and all it is made of, as it was recorded. */
  readonly loss: Node
  readonly ancestors: readonly Node[]
  readonly statistics: readonly Node[]
  readonly sums: ReadonlySet<Node>
}

/** How a value depends on a batch. */
interface Seen {
  /** Whether it is made of examples. */
  readonly given: boolean
  /** Whether it depends on a parameter that is learned. */
  readonly learned: boolean
  /** The dim along which examples lie; undefined where there is none or they are folded. */
  readonly along: string | undefined
  readonly share: Share
}

/**
 * Whether sums over a batch's examples come into it, and by what they are divided: by a statistic (`settled`, as are means), by
 * nothing, or by a number of the program, which may stand for the size of a batch.
 */
type Share = 'settled' | 'sum' | 'scaled'

const constant: Seen = { given: false, learned: false, along: undefined, share: 'settled' }

/** Finds what a loss folds examples to; refuses it where batches of it can't be one. */
export const foldedBy = (loss: Node, inputs: readonly Node[], learned: readonly Node[], batches: number): Folded => {
  const seen = new Map<Node, Seen>(learned.map((node) => [node, { ...constant, learned: true }]))
  for (const [input, along] of examplesOf(inputs)) seen.set(input, { ...constant, given: true, along })
  const ancestors = ancestorsOf(loss)
  const statistics: Node[] = []
  const sums = new Set<Node>()
  const seeing = (node: Node): Seen => {
    const parts = node.operands.map((operand) => seen.get(operand) ?? constant)
    const [given, learned] = [parts.some((part) => part.given), sourcesOf(node).some((source) => seen.get(source)?.learned === true)]
    if (!given) return { ...constant, learned }
    const along = examplesAfter(node, parts, batches)
    const folds = along === undefined && parts.some((part) => part.along !== undefined)
    const varies = parts.map((part) => part.given && part.learned && part.along === undefined)
    if ((along !== undefined || folds) && varies.includes(true)) {
      unlike(batches, `${node.op.name} brings what examples are folded to back to each of them`)
    }
    if (along !== undefined) return { given, learned, along, share: 'settled' }
    if (!folds) return { given, learned, along, share: learned ? shareOf(node, parts, varies, batches) : 'settled' }
    if (node.op.linear.length === 0 || node.shape.type !== 'f32') notAffine(node, batches)
    if (!learned) statistics.push(node)
    else if (node.op.averages !== true) sums.add(node)
    return { given, learned, along, share: sums.has(node) ? 'sum' : 'settled' }
  }
  for (const node of ancestors) if (!seen.has(node)) seen.set(node, atLine(node.where, () => seeing(node)))
  if (seen.get(loss)!.share === 'scaled') {
    const why = 'it multiplies a sum over a batch by a number, which may stand for the size of a batch'
    atLine(loss.where, () => unlike(batches, why, 'mean, or divide by a tensor that counts'))
  }
  return { loss, ancestors, statistics, sums }
}

/**
 * The dims along which the inputs' examples lie: their first ones. Where that is a later dim of another input, like the `t` of
 * positions beside a `b t`, the input belongs to its own batch.
 */
const examplesOf = (inputs: readonly Node[]): ReadonlyMap<Node, string> => {
  const firsts = inputs.flatMap((node): [Node, string][] => node.shape.dims.slice(0, 1).map(({ name }) => [node, name]))
  const later = new Set(inputs.flatMap(({ shape }) => shape.dims.slice(1).map(({ name }) => name)))
  const own = firsts.filter(([, name]) => !later.has(name))
  return new Map(own.length > 0 ? own : firsts)
}

/** The dim of a result along which its operands' examples lie, or undefined where they are all folded. */
const examplesAfter = ({ op, operands, shape, attributes }: Node, parts: readonly Seen[], batches: number): string | undefined => {
  const after = new Set<string>()
  for (const { kind, operands: names, result } of op.crossings(operands.map((operand) => operand.shape), shape, attributes)) {
    const dim = names.find((name, i) => name !== null && parts[i]?.along === name)
    if (dim === undefined || dim === null) continue
    if (kind === 'map' && result !== null) after.add(result)
    else if (kind === 'max' || kind === 'min') unlike(batches, `${op.name} is no sum or mean over the examples along '${dim}'`)
    else if (kind !== 'sum') unlike(batches, `${op.name} needs all examples along '${dim}' at once`, 'another first dim for the inputs')
  }
  if (after.size > 1) unlike(batches, `${op.name} pairs examples along ${[...after].map((dim) => `'${dim}'`).join(' with those along ')}`)
  return [...after][0]
}

/** Refuses what is not affine in those of its operands that vary; says how sums come into the others. */
const shareOf = (node: Node, parts: readonly Seen[], varies: readonly boolean[], batches: number): Share => {
  const { op, operands, shape, attributes, pullback } = node
  const template = op.kernel(operands.map((operand) => operand.shape), shape, attributes)
  const varying = varies.flatMap((does, i) => does ? [i] : [])
  const before = parts.reduce<Share>((most, { share }) => most === 'scaled' || share === 'settled' ? most : share, 'settled')
  if (pullback !== undefined || shape.type !== 'f32') notAffine(node, batches)
  if (template.family !== 'map') return op.linear.some((set) => varying.every((i) => set.includes(i))) ? before : notAffine(node, batches)
  const factors = varying.map((i) => derivative(template.expression, { input: i }) ?? notAffine(node, batches))
  const read = new Set(factors.flatMap(inputsOf))
  if (varying.some((i) => read.has(i))) notAffine(node, batches)
  if (before === 'settled' || [...read].some((i) => parts[i]!.given)) return 'settled'
  return read.size === 0 && factors.every((factor) => 'constant' in factor && Math.abs(factor.constant) === 1) ? before : 'scaled'
}

const inputsOf = (e: Expression): readonly number[] => 'call' in e ? e.of.flatMap(inputsOf) : 'input' in e ? [e.input] : []

const unlike = (batches: number, why: string, fix = 'a loss that is a mean, or a quotient of sums'): never =>
  refuse(say.notOneBatch(batches, why, fix))

const notAffine = ({ op }: Node, batches: number): never =>
  unlike(batches, `${op.name} is not linear in what it makes of sums or means over a batch`)
