import type { Shape } from './layout/layout.ts'
import type { Template } from './kernel/template.ts'
import type { AnyTensor } from './language/tensor.ts'

/** What an op's attributes may be: plain JSON, so that a graph can be compared, hashed and printed. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type Attributes = { readonly [key: string]: Json }

/**
 * How an op crosses one dim. The dim has a name in each operand that has it (null where it does not) and in the
 * result (null where it is folded away).
 *
 * - `map`: each position alone; a cut passes through.
 * - `sum`, `max`, `min`: all positions folded into one; a cut leaves the result pending.
 * - `whole`: needs all positions at once; a cut is refused.
 * - `fold`: takes the positions block by block, so they may come round an axis that cuts them, one piece after another. A cut
 *   is refused unless the program declares that `ring`; the planner may choose one where nothing is declared.
 */
export interface Crossing {
  readonly kind: 'map' | 'sum' | 'max' | 'min' | 'whole' | 'fold'
  readonly operands: readonly (string | null)[]
  readonly result: string | null
  /** Number of positions that the ranks must divide, where a cut is to stay a cut: split and merge. */
  readonly divisor?: number
  /** Of a fold: the axis that the program declares its blocks to go round. */
  readonly ring?: string
}

/**
 * One operation of the language, said once. Everything else follows from it: the check at trace time, the planner's
 * choices, the local work and the report.
 */
export interface Op<A extends Attributes = Attributes> {
  readonly name: string
  /** What the pass treats apart: values from outside, and declarations. */
  readonly role?: 'input' | 'declaration'
  /** The result's dims and type. Refuses operands that don't fit, whatever their layouts. */
  shape(operands: readonly Shape[], attributes: A): Shape
  /** How each dim of the operands and of the result is crossed, in the order in which faults are to be reported. */
  crossings(operands: readonly Shape[], result: Shape, attributes: A): readonly Crossing[]
  /** The parts that the operands play, for messages: `query`, `key`. `left` and `right`, or `input`, unless said. */
  sides?(attributes: A): readonly string[]
  /** The sets of operands that may be pending sums together, leaving the result pending: [[0, 1]] for add. */
  readonly linear: readonly (readonly number[])[]
  /**
   * The gradient of each operand, given that of the result: undefined where it has none. Not needed where the kernel is a
   * map or a row of sums, whose gradients follow from their arithmetic.
   */
  gradient?(of: Differential<A>): readonly ((() => AnyTensor | undefined) | undefined)[]
  /** Whether its folds by `sum` are means: divided by the number of positions. */
  readonly averages?: boolean
  /** Whether gradients take its result for a constant, so that nothing is asked of what it is made of. */
  readonly constant?: boolean
  /** What each rank computes on its pieces. */
  kernel(operands: readonly Shape[], result: Shape, attributes: A): Template
  /**
   * Where the same op with other attributes gives this and more: those attributes, and the op that takes this out of it. If a
   * program has both, it makes the larger one alone.
   */
  within?(result: Shape, attributes: A): Within | undefined
  /** Needed where a dim is crossed by `fold`: how the blocks follow one another. */
  readonly blocks?: Blocks<A>
}

/** What an op gives as a part of what it gives with other attributes. */
export interface Within {
  readonly attributes: Attributes
  readonly part: { readonly op: Op; readonly attributes: Attributes }
}

/** An op block by block: each block's kernel goes on from what the block before left, which is its last operand. */
export interface Blocks<A extends Attributes = Attributes> {
  /** The shape of what is left between blocks. */
  carry(operands: readonly Shape[], result: Shape, attributes: A): Shape
  /** The kernel of a block that is the first, the last, both or neither. */
  kernel(operands: readonly Shape[], result: Shape, attributes: A, place: { readonly first: boolean; readonly last: boolean }): Template
  /** Whether the result belongs to the blocks, and goes round with them to come home complete. */
  readonly travels: boolean
}

/** One use of an op in a program whose gradient is wanted; all gradients lie as what they are the gradients of. */
export interface Differential<A extends Attributes = Attributes> {
  readonly operands: readonly AnyTensor[]
  readonly result: AnyTensor
  readonly cotangent: AnyTensor
  readonly attributes: A
}

/** Crossings of an op that treats equal names as one dim: every dim is mapped but those named. */
export const crossByName = (
  operands: readonly Shape[],
  result: Shape,
  special: { readonly [dim: string]: Crossing['kind'] } = {},
): readonly Crossing[] => {
  const names = [...new Set([...operands, result].flatMap((shape) => shape.dims.map((dim) => dim.name)))]
  return names.map((name) => ({
    kind: special[name] ?? 'map',
    operands: operands.map((shape) => shape.dims.some((dim) => dim.name === name) ? name : null),
    result: result.dims.some((dim) => dim.name === name) ? name : null,
  }))
}
