import type { CutsTwo, NeedsWhole, On } from '../messages.ts'
import type { Axes, AxisTwice, CutByAny, DimWithAxis, FixByMoving, LayoutIn, LayoutWithoutAxis, Remove } from '../spec.ts'

/** An operand as a message sees it: the part it plays, and its spec. */
export type Part = readonly [side: string, spec: string]

/**
 * Refuses a dim that is cut on any of its holders. `All` are the op's operands, `Skip` the dims that the axes cannot
 * cut instead. Where another operand is cut by the same axes, the dim is best whole; else the axes may cut another dim.
 */
export type AllWhole<
  Op extends string,
  D extends string,
  Holders extends readonly Part[],
  All extends readonly Part[] = Holders,
  Skip extends string = '',
> = FirstCut<D, Holders> extends readonly [infer Side extends string, infer S extends string, infer A extends string] ? NeedsWhole<
    Op,
    D,
    A,
    Side,
    UsedByOthers<Side, A, All> extends true ? `${Gathered<D, Holders>} before it`
      : FixByMoving<S, D, A, `${D} ${Skip}${CutByOthers<Side, All>}`, On<Side>>
  >
  : ''

/** The first holder that cuts the dim, and its axes. */
type FirstCut<D extends string, Holders extends readonly Part[]> = Holders extends
  readonly [infer P extends Part, ...infer Rest extends readonly Part[]]
  ? Axes<P[1], D> extends '' | '?' ? FirstCut<D, Rest> : [...P, Axes<P[1], D>]
  : ''

type UsedByOthers<Side extends string, A extends string, All extends readonly Part[]> = All extends
  readonly [infer P extends Part, ...infer Rest extends readonly Part[]]
  ? P[0] extends Side ? UsedByOthers<Side, A, Rest> : CutByAny<P[1], A> extends true ? true : UsedByOthers<Side, A, Rest>
  : false

/** Dims that other operands cut, each with a blank in front. */
type CutByOthers<Side extends string, All extends readonly Part[]> = All extends
  readonly [infer P extends Part, ...infer Rest extends readonly Part[]]
  ? `${P[0] extends Side ? '' : CutNames<P[1]>}${CutByOthers<Side, Rest>}`
  : ''
type CutNames<S extends string> = S extends `${infer Head} ${infer Rest}` ? `${CutName<Head>}${CutNames<Rest>}` : CutName<S>
type CutName<Text extends string> = Text extends `${infer D}:${string}@${string}` ? ` ${D}` : ''

/** `layout('…') on the key and layout('…') on the value` for the holders that cut the dim. */
type Gathered<D extends string, Holders extends readonly Part[], Text extends string = ''> = Holders extends
  readonly [infer P extends Part, ...infer Rest extends readonly Part[]] ? Gathered<
    D,
    Rest,
    Axes<P[1], D> extends '' | '?' ? Text : `${Text}${Text extends '' ? '' : ' and '}layout('${LayoutIn<Remove<P[1], D>>}') on the ${P[0]}`
  >
  : Text

/** No axis may cut two dims of the result; the last of the operands that it cuts is to blame. */
export type CutTwice<Op extends string, S extends string, Operands extends readonly Part[] = []> = CutTwiceIn<S> extends
  `${infer A} ${infer D1} ${infer D2}` ? CutsTwo<Op, A, D1, D2, FixTwice<A, Operands>> : ''
type CutTwiceIn<S extends string> = S extends `${string}@${string}@${string}` ? AxisTwice<S> : ''
type FixTwice<A extends string, Operands extends readonly Part[], Found extends string = ''> = Operands extends
  readonly [infer P extends Part, ...infer Rest extends readonly Part[]]
  ? FixTwice<A, Rest, DimWithAxis<P[1], A> extends '' ? Found : `; fix: layout('${LayoutWithoutAxis<P[1], A>}')${On<P[0]>} before it`>
  : Found
