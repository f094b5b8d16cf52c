/**
 * A tensor's dims in memory order, as one string: `b:2 t:16@sp s:1024 e:1152`. `@sp` says that mesh axis sp cuts the
 * dim, `@sp+tp` that both do (major first), `@?` that the planner decides. Every type here works on that string alone,
 * because the compiler evaluates and interns strings at once: the cost of checking does not grow with depth.
 */

type Padded<S extends string> = ` ${S} `

/** What follows the colon of dim D (`16@sp`), or '' if there is no such dim. */
export type Dim<S extends string, D extends string> = Padded<S> extends `${string} ${D}:${infer Text} ${string}` ? Text : ''

/** The size in `16@sp`. */
export type SizeIn<Text extends string> = Text extends `${infer Size}@${string}` ? Size : Text
/** The axes in `16@sp+tp`, or ''. */
export type AxesIn<Text extends string> = Text extends `${string}@${infer Axes}` ? Axes : ''

export type Size<S extends string, D extends string> = SizeIn<Dim<S, D>>
export type Axes<S extends string, D extends string> = AxesIn<Dim<S, D>>

/** 'b, t, s' for messages. */
export type Names<S extends string> = S extends `${infer Name}:${string} ${infer Rest}` ? `${Name}, ${Names<Rest>}`
  : S extends `${infer Name}:${string}` ? Name
  : '(none)'

/** Joins two texts with a blank, where both are there. */
export type Join<A extends string, B extends string> = A extends '' ? B : B extends '' ? A : `${A} ${B}`

/** The spec without dim D. */
export type Remove<S extends string, D extends string> = S extends `${infer Head} ${infer Rest}`
  ? Head extends `${D}:${string}` ? Rest : Join<Head, Remove<Rest, D>>
  : S extends `${D}:${string}` ? ''
  : S

/** The spec without each of the blank-separated dims. */
export type RemoveAll<S extends string, Ds extends string> = Ds extends `${infer D} ${infer Rest}` ? RemoveAll<Remove<S, D>, Rest>
  : Remove<S, Ds>

/** Replaces the text of dim D (name and all) by another text of zero or more dims. */
export type Replace<S extends string, D extends string, By extends string> = S extends `${infer Head} ${infer Rest}`
  ? Head extends `${D}:${string}` ? Join<By, Rest> : Join<Head, Replace<Rest, D, By>>
  : S extends `${D}:${string}` ? By
  : S

/** `@sp`, or '' for a whole dim. */
export type At<Axes extends string> = Axes extends '' ? '' : `@${Axes}`

/** The same dims, all whole. */
export type Whole<S extends string> = S extends `${infer Head} ${infer Rest}` ? `${WholeDim<Head>} ${Whole<Rest>}` : WholeDim<S>
type WholeDim<Text extends string> = Text extends `${infer Bare}@${string}` ? Bare : Text

/** The layout part alone: 't@sp h@tp', '' where all is whole. */
export type LayoutIn<S extends string> = S extends `${infer Head} ${infer Rest}` ? Join<LayoutInDim<Head>, LayoutIn<Rest>> : LayoutInDim<S>
type LayoutInDim<Text extends string> = Text extends `${infer Name}:${string}@${infer Axes}` ? `${Name}@${Axes}` : ''

/** Whether axis A is among `a+b`. */
export type HasAxis<List extends string, A extends string> = `+${List}+` extends `${string}+${A}+${string}` ? true : false

/** The first dim that axis A cuts, or ''. */
export type DimWithAxis<S extends string, A extends string> = S extends `${infer Head} ${infer Rest}`
  ? DimCutBy<Head, A> extends infer Name extends string ? (Name extends '' ? DimWithAxis<Rest, A> : Name) : never
  : DimCutBy<S, A>
type DimCutBy<Text extends string, A extends string> = Text extends `${infer Name}:${string}@${infer List}`
  ? HasAxis<List, A> extends true ? Name : ''
  : ''

/** 'sp t s' for the first axis that cuts two dims of the spec, or ''. */
export type AxisTwice<S extends string> = S extends `${infer Head} ${infer Rest}`
  ? Head extends `${infer Name}:${string}@${infer List}`
    ? SharedAxis<List, Rest> extends `${infer A} ${infer Other}` ? `${A} ${Name} ${Other}` : AxisTwice<Rest>
  : AxisTwice<Rest>
  : ''
type SharedAxis<List extends string, Rest extends string> = List extends '?' ? ''
  : List extends `${infer A}+${infer More}`
    ? DimWithAxis<Rest, A> extends infer D extends string ? (D extends '' ? SharedAxis<More, Rest> : `${A} ${D}`) : never
  : DimWithAxis<Rest, List> extends infer D extends string ? (D extends '' ? '' : `${List} ${D}`)
  : never

/** Number of ranks along an axis of the mesh text 'sp=4 tp=2'; `${number}` if the mesh is not known. */
export type RanksOf<Mesh extends string, Axis extends string> = string extends Mesh ? `${number}`
  : Padded<Mesh> extends `${string} ${Axis}=${infer N} ${string}` ? N
  : `${number}`

/** Whether the mesh text has the axis. */
export type MeshHas<Mesh extends string, Axis extends string> = Padded<Mesh> extends `${string} ${Axis}=${string}` ? true : false

/** 'sp, tp' for messages. */
export type AxesOfMesh<Mesh extends string> = Mesh extends `${infer A}=${string} ${infer Rest}` ? `${A}, ${AxesOfMesh<Rest>}`
  : Mesh extends `${infer A}=${string}` ? A
  : '(none)'

/** Whether any of the axes `a+b` cuts a dim of the spec. */
export type CutByAny<S extends string, A extends string> = A extends `${infer One}+${infer Rest}`
  ? DimWithAxis<S, One> extends '' ? CutByAny<S, Rest> : true
  : DimWithAxis<S, A> extends '' ? false
  : true

// ---- layouts that a message proposes: only worked out when there is something to say --------------------------------

/** The layout text with D cut by A, and every dim that shares an axis with A whole. */
export type LayoutWithCut<S extends string, D extends string, A extends string> = S extends `${infer Head} ${infer Rest}`
  ? Join<DimWithCut<Head, D, A>, LayoutWithCut<Rest, D, A>>
  : DimWithCut<S, D, A>
type DimWithCut<Text extends string, D extends string, A extends string> = Text extends `${D}:${string}` ? `${D}${At<A>}`
  : CutByAny<Text, A> extends true ? ''
  : LayoutInDim<Text>

/** The layout text with every dim that axis A cuts whole. */
export type LayoutWithoutAxis<S extends string, A extends string> = S extends `${infer Head} ${infer Rest}`
  ? Join<DimWithoutAxis<Head, A>, LayoutWithoutAxis<Rest, A>>
  : DimWithoutAxis<S, A>
type DimWithoutAxis<Text extends string, A extends string> = DimCutBy<Text, A> extends '' ? LayoutInDim<Text> : ''

/** Whether a word is among blank-separated ones. */
export type HasWord<Words extends string, Word extends string> = Padded<Words> extends `${string} ${Word} ${string}` ? true : false

/** The names of whole dims worth cutting, each followed by a blank: not those of one position, nor those to be skipped. */
type WholeNames<S extends string, Skip extends string> = S extends `${infer Head} ${infer Rest}`
  ? `${WholeName<Head, Skip>}${WholeNames<Rest, Skip>}`
  : WholeName<S, Skip>
type WholeName<Text extends string, Skip extends string> = Text extends `${string}@${string}` | `${string}:1` ? ''
  : Text extends `${infer N}:${string}` ? (HasWord<Skip, N> extends true ? '' : `${N} `)
  : ''

/**
 * A declaration that makes D whole and lets its axes cut another dim, none of `Skip`: the dims after D are tried first,
 * then those before. Where no other dim can be cut, D is gathered. `On` says where: '' or ' on the right'.
 */
export type FixByMoving<S extends string, D extends string, A extends string, Skip extends string = '', On extends string = ''> =
  Padded<S> extends `${infer Before} ${D}:${string} ${infer After}`
    ? FixFrom<`${WholeNames<After, Skip>}${WholeNames<Before, Skip>}`, LayoutIn<Remove<S, D>>, A, On>
    : never
type FixFrom<Names extends string, Kept extends string, A extends string, On extends string> = Names extends `${infer First} ${infer More}`
  ? `layout('${Join<Kept, `${First}@${A}`>}')${On} before it${More extends `${infer Second} ${string}`
    ? ` (or '${Join<Kept, `${Second}@${A}`>}')`
    : ''}`
  : `layout('${Kept}')${On} before it`
