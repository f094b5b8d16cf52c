/**
 * Whole numbers in the type system, as decimal digit strings: what `split`, `merge`, `concat` and `pad` need to know
 * about sizes while a program is being typed. Numbers are handled with their digits reversed, so that a carry travels
 * in reading direction. A size that is only known as `number` arrives here as `${number}` and is passed on untouched.
 */

/** True for a size whose digits the type knows. */
export type Known<N extends string> = `${number}` extends N ? false : true

type Ones = {
  '0': []
  '1': [1]
  '2': [1, 1]
  '3': [1, 1, 1]
  '4': [1, 1, 1, 1]
  '5': [1, 1, 1, 1, 1]
  '6': [1, 1, 1, 1, 1, 1]
  '7': [1, 1, 1, 1, 1, 1, 1]
  '8': [1, 1, 1, 1, 1, 1, 1, 1]
  '9': [1, 1, 1, 1, 1, 1, 1, 1, 1]
}
type Digit = keyof Ones
type Times<A extends readonly 1[]> = {
  '0': []
  '1': A
  '2': [...A, ...A]
  '3': [...A, ...A, ...A]
  '4': [...A, ...A, ...A, ...A]
  '5': [...A, ...A, ...A, ...A, ...A]
  '6': [...A, ...A, ...A, ...A, ...A, ...A]
  '7': [...A, ...A, ...A, ...A, ...A, ...A, ...A]
  '8': [...A, ...A, ...A, ...A, ...A, ...A, ...A, ...A]
  '9': [...A, ...A, ...A, ...A, ...A, ...A, ...A, ...A, ...A]
}

type Reverse<S extends string> = S extends `${infer Head}${infer Tail}` ? `${Reverse<Tail>}${Head}` : ''
type Trim<S extends string> = S extends `0${infer Rest}` ? (Rest extends '' ? '0' : Trim<Rest>) : S

/** [units, tens] of a number below 100. */
type Columns<N extends number> = `${N}` extends `${infer Tens extends Digit}${infer Units extends Digit}` ? [Units, Tens]
  : `${N}` extends infer Units extends Digit ? [Units, '0']
  : never

type AddReversed<A extends string, B extends string, Carry extends Digit> = A extends `${infer X extends Digit}${infer As}`
  ? B extends `${infer Y extends Digit}${infer Bs}` ? AddColumn<As, Bs, [...Ones[X], ...Ones[Y], ...Ones[Carry]]>
  : AddColumn<As, '', [...Ones[X], ...Ones[Carry]]>
  : B extends `${infer Y extends Digit}${infer Bs}` ? AddColumn<'', Bs, [...Ones[Y], ...Ones[Carry]]>
  : Carry extends '0' ? ''
  : Carry
type AddColumn<As extends string, Bs extends string, Sum extends readonly 1[]> = Columns<Sum['length']> extends
  [infer Units extends Digit, infer Tens extends Digit] ? `${Units}${AddReversed<As, Bs, Tens>}` : never

type ScaleReversed<A extends string, By extends Digit, Carry extends Digit> = A extends `${infer X extends Digit}${infer As}`
  ? Columns<Extract<[...Times<Ones[X]>[By], ...Ones[Carry]]['length'], number>> extends
    [infer Units extends Digit, infer Tens extends Digit] ? `${Units}${ScaleReversed<As, By, Tens>}` : never
  : Carry extends '0' ? ''
  : Carry

type MultiplyReversed<A extends string, B extends string> = B extends `${infer Y extends Digit}${infer Bs}`
  ? AddReversed<ScaleReversed<A, Y, '0'>, Bs extends '' ? '' : `0${MultiplyReversed<A, Bs>}`, '0'>
  : ''

/** A + B; unknown when either is. */
export type Add<A extends string, B extends string> = [Known<A>, Known<B>] extends [true, true]
  ? Trim<Reverse<AddReversed<Reverse<A>, Reverse<B>, '0'>>>
  : `${number}`

/** A · B; unknown when either is. */
export type Multiply<A extends string, B extends string> = A extends '1' ? B : B extends '1' ? A
: [Known<A>, Known<B>] extends [true, true] ? Trim<Reverse<MultiplyReversed<Reverse<A>, Reverse<B>>>>
: `${number}`

type Order = '0123456789'
type DigitLess<A extends string, B extends string> = Order extends `${string}${A}${infer Later}`
  ? Later extends `${string}${B}${string}` ? true : false
  : false
type LexicalAtMost<A extends string, B extends string> = A extends `${infer X}${infer As}`
  ? B extends `${infer Y}${infer Bs}` ? (X extends Y ? LexicalAtMost<As, Bs> : DigitLess<X, Y>) : false
  : true
type Length<S extends string, L extends readonly 1[] = []> = S extends `${string}${infer Rest}` ? Length<Rest, [...L, 1]> : L

/** A ≤ B; true when either is unknown. */
export type AtMost<A extends string, B extends string> = [Known<A>, Known<B>] extends [true, true]
  ? Length<A>['length'] extends Length<B>['length'] ? LexicalAtMost<A, B>
  : Length<B> extends [...Length<A>, ...1[]] ? true
  : false
  : true

type Count<N extends string, T extends readonly 1[] = []> = N extends `${infer D extends Digit}${infer Rest}`
  ? Count<Rest, [...Times<T>['9'], ...T, ...Ones[D]]>
  : T
type Reduce<T extends readonly 1[], By extends readonly 1[]> = T extends readonly [...By, ...infer Rest extends readonly 1[]]
  ? Reduce<Rest, By>
  : T
type Remainder<N extends string, By extends readonly 1[], T extends readonly 1[] = []> = N extends `${infer D extends Digit}${infer Rest}`
  ? Remainder<Rest, By, Reduce<[...Times<T>['9'], ...T, ...Ones[D]], By>>
  : T

/** Whether `By` (a number of ranks) divides N; true when either is unknown or `By` is too large to count here. */
export type Divides<By extends string, N extends string> = [Known<N>, Known<By>] extends [true, true] ? By extends '1' ? true
  : Length<By>['length'] extends 1 | 2 | 3 ? (Remainder<N, Count<By>> extends readonly [] ? true : false)
  : true
  : true
