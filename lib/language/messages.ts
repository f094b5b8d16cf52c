/**
 * Every sentence a person reads about a program that doesn't fit, twice side by side: as a type, for the editor, and as
 * a function, for trace time. The wrong programs of the tests are held against both.
 *
 * An operand is named by the part it plays: `input` where there is one, else `left` and `right`, or what the op calls it.
 */

/** ' on the right', nothing for the only input. */
export type On<Side extends string> = Side extends 'input' ? '' : ` on the ${Side}`
export const on = (side: string): string => side === 'input' ? '' : ` on the ${side}`

// ---- dims ----------------------------------------------------------------------------------------------------------

export type NoDim<Op extends string, D extends string, Side extends string, Names extends string> = `${Op}: no dim '${D}'${On<
  Side
>}; dims are: ${Names}`
export const noDim = (op: string, d: string, side: string, names: string): string => `${op}: no dim '${d}'${on(side)}; dims are: ${names}`

export type DimExists<Op extends string, D extends string, Side extends string, Names extends string> =
  `${Op}: there is a dim '${D}' already${On<Side>}; dims are: ${Names}`
export const dimExists = (op: string, d: string, side: string, names: string): string =>
  `${op}: there is a dim '${d}' already${on(side)}; dims are: ${names}`

export type DimTwice<Op extends string, D extends string> = `${Op}: dim '${D}' is given twice`
export const dimTwice = (op: string, d: string): string => `${op}: dim '${d}' is given twice`

export type DimMissing<Op extends string, D extends string, Ds extends string> = `${Op}: dim '${D}' is missing in '${Ds}'`
export const dimMissing = (op: string, d: string, ds: string): string => `${op}: dim '${d}' is missing in '${ds}'`

export type DimsChange<Op extends string, A extends string, B extends string> = `${Op}: the stages turn dims ${A} into ${B}`
export const dimsChange = (op: string, a: string, b: string): string => `${op}: the stages turn dims ${a} into ${b}`

export type NotOfForm<Op extends string, Text extends string, Form extends string> = `${Op}: '${Text}' is not of the form ${Form}`
export const notOfForm = (op: string, text: string, form: string): string => `${op}: '${text}' is not of the form ${form}`

// ---- sizes and types -----------------------------------------------------------------------------------------------

export type SizesDiffer<
  Op extends string,
  D extends string,
  A extends string,
  SideA extends string,
  B extends string,
  SideB extends string,
> = `${Op}: dim '${D}' is ${A} on the ${SideA} but ${B} on the ${SideB}`
export const sizesDiffer = (op: string, d: string, a: number, sideA: string, b: number, sideB: string): string =>
  `${op}: dim '${d}' is ${a} on the ${sideA} but ${b} on the ${sideB}`

export type SplitSize<D extends string, N extends string, Parts extends string, Product extends string> =
  `split: ${Parts} = ${Product}, but '${D}' is ${N}`
export const splitSize = (d: string, n: number, parts: string, product: number): string =>
  `split: ${parts} = ${product}, but '${d}' is ${n}`

export type PartsCount<Op extends string, D extends string, Want extends string, N extends string> =
  `${Op} needs ${Want} positions of '${D}', but there are ${N}`
export const partsCount = (op: string, d: string, want: number, n: number): string =>
  `${op} needs ${want} positions of '${d}', but there are ${n}`

export type OutOfRange<Op extends string, D extends string, N extends string, What extends string> =
  `${Op}: ${What} is outside '${D}', which is ${N}`
export const outOfRange = (op: string, d: string, n: number, what: string): string => `${op}: ${what} is outside '${d}', which is ${n}`

export type NotCount<Op extends string, What extends string, N extends string> = `${Op}: '${What}' is ${N}, not a number of positions`
export const notCount = (op: string, what: string, n: number): string => `${op}: '${what}' is ${n}, not a number of positions`

export type TypesDiffer<Op extends string, A extends string, SideA extends string, B extends string, SideB extends string> =
  `${Op}: the ${SideA} is ${A} but the ${SideB} is ${B}; fix: cast('${A}') on the ${SideB} before it`
export const typesDiffer = (op: string, a: string, sideA: string, b: string, sideB: string): string =>
  `${op}: the ${sideA} is ${a} but the ${sideB} is ${b}; fix: cast('${a}') on the ${sideB} before it`

export type NeedsType<Op extends string, Types extends string, Side extends string, Got extends string, To extends string> =
  `${Op} needs ${Types}, but its ${Side} is ${Got}; fix: cast('${To}')${On<Side>} before it`
export const needsType = (op: string, types: string, side: string, got: string, to: string): string =>
  `${op} needs ${types}, but its ${side} is ${got}; fix: cast('${to}')${on(side)} before it`

export type NotWhole<Op extends string, N extends string> =
  `${Op}: ${N} is not a whole number, but the input is i32; fix: cast('f32') before it`
export const notWhole = (op: string, n: number): string =>
  `${op}: ${n} is not a whole number, but the input is i32; fix: cast('f32') before it`

export type OutsideInteger<Op extends string, N extends string> =
  `${Op}: ${N} is outside i32 (-2147483648 to 2147483647), but the input is i32; fix: cast('f32') before it`
export const outsideInteger = (op: string, n: number): string =>
  `${op}: ${n} is outside i32 (-2147483648 to 2147483647), but the input is i32; fix: cast('f32') before it`

export type NotTruth<Op extends string, N extends string> = `${Op}: ${N} is not 0 or 1, but the input is bool; fix: cast('f32') before it`
export const notTruth = (op: string, n: number): string => `${op}: ${n} is not 0 or 1, but the input is bool; fix: cast('f32') before it`

export type NotNumber<Op extends string, N extends string, Type extends string> = `${Op}: ${N} is not a number, but the input is ${Type}`
export const notNumber = (op: string, n: string, type: string): string => `${op}: ${n} is not a number, but the input is ${type}`

export type DividedByZero<Op extends string> = `${Op}: an i32 has no value when divided by 0; fix: cast('f32') before it`
export const dividedByZero = (op: string): string => `${op}: an i32 has no value when divided by 0; fix: cast('f32') before it`

// ---- options -------------------------------------------------------------------------------------------------------

export type NoOption<Op extends string, Name extends string, Known extends string> = `${Op}: no option '${Name}'; options are: ${Known}`
export const noOption = (op: string, name: string, known: string): string => `${op}: no option '${name}'; options are: ${known}`

export type OptionIs<Op extends string, Name extends string, Value extends string, Wanted extends string> =
  `${Op}: '${Name}' is ${Value}, not ${Wanted}`
export const optionIs = (op: string, name: string, value: number | string, wanted: string): string =>
  `${op}: '${name}' is ${value}, not ${wanted}`

// ---- cuts ----------------------------------------------------------------------------------------------------------

export type NeedsWhole<Op extends string, D extends string, Axes extends string, Side extends string, Fix extends string> =
  `${Op} needs dim '${D}' whole, but it is @${Axes}${On<Side>}; fix: ${Fix}`
export const needsWhole = (op: string, d: string, axes: string, side: string, fix: string): string =>
  `${op} needs dim '${d}' whole, but it is @${axes}${on(side)}; fix: ${fix}`

/** A and B are `@sp`, or `whole`. */
export type CutsDiffer<
  Op extends string,
  D extends string,
  A extends string,
  SideA extends string,
  B extends string,
  SideB extends string,
  Fix extends string,
> = `${Op}: dim '${D}' is ${A} on the ${SideA} but ${B} on the ${SideB}; fix: ${Fix} before it`
export const cutsDiffer = (op: string, d: string, a: string, sideA: string, b: string, sideB: string, fix: string): string =>
  `${op}: dim '${d}' is ${a} on the ${sideA} but ${b} on the ${sideB}; fix: ${fix} before it`

/** Got is `@tp`, or `whole`. */
export type RingNeeds<Op extends string, A extends string, D extends string, Got extends string, Side extends string, Fix extends string> =
  `${Op}: a ring over '${A}' needs dim '${D}' @${A}, but it is ${Got}${On<Side>}; fix: ${Fix}${On<Side>} before it`
export const ringNeeds = (op: string, a: string, d: string, got: string, side: string, fix: string): string =>
  `${op}: a ring over '${a}' needs dim '${d}' @${a}, but it is ${got}${on(side)}; fix: ${fix}${on(side)} before it`

export type RingAlone<Op extends string, A extends string, Side extends string> =
  `${Op}: a ring over '${A}' needs a dim of the ${Side} cut over it, or each rank does all the work`
export const ringAlone = (op: string, a: string, side: string): string =>
  `${op}: a ring over '${a}' needs a dim of the ${side} cut over it, or each rank does all the work`

/** `Fix` is '' where there is one operand only. */
export type CutsTwo<Op extends string, A extends string, D1 extends string, D2 extends string, Fix extends string> =
  `${Op}: mesh axis '${A}' would cut both '${D1}' and '${D2}'${Fix}`
export const cutsTwo = (op: string, a: string, d1: string, d2: string, fix: string): string =>
  `${op}: mesh axis '${a}' would cut both '${d1}' and '${d2}'${fix}`

export type CutAcross<
  Op extends string,
  D extends string,
  A extends string,
  N extends string,
  Major extends string,
  Size extends string,
  Fix extends string,
> = `${Op}: '${D}' is @${A}, but its ${N} ranks do not divide '${Major}:${Size}'; fix: ${Fix}`
export const cutAcross = (op: string, d: string, a: string, n: number, major: string, size: number, fix: string): string =>
  `${op}: '${d}' is @${a}, but its ${n} ranks do not divide '${major}:${size}'; fix: ${fix}`

export type AxisRepeated<Op extends string, A extends string, D extends string> = `${Op}: mesh axis '${A}' cuts '${D}' twice`
export const axisRepeated = (op: string, a: string, d: string): string => `${op}: mesh axis '${a}' cuts '${d}' twice`

export type NoAxis<Op extends string, A extends string, Axes extends string> = `${Op}: no mesh axis '${A}'; the mesh has: ${Axes}`
export const noAxis = (op: string, a: string, axes: string): string => `${op}: no mesh axis '${a}'; the mesh has: ${axes}`

// ---- pending reductions --------------------------------------------------------------------------------------------

export type NotLinear<Op extends string, Side extends string, Axes extends string, Fix extends string> =
  `${Op} is not linear: its ${Side} is a pending sum over '${Axes}'; fix: ${Fix}${On<Side>} before it`
export const notLinear = (op: string, side: string, axes: string, fix: string): string =>
  `${op} is not linear: its ${side} is a pending sum over '${axes}'; fix: ${fix}${on(side)} before it`

export type NotFinished<Op extends string, Side extends string, Kind extends string, Axes extends string, Fix extends string> =
  `${Op}: its ${Side} is a pending ${Kind} over '${Axes}', to be finished first; fix: ${Fix}${On<Side>} before it`
export const notFinished = (op: string, side: string, kind: string, axes: string, fix: string): string =>
  `${op}: its ${side} is a pending ${kind} over '${axes}', to be finished first; fix: ${fix}${on(side)} before it`

export type PendingOnOneSide<Op extends string, Side extends string, Axes extends string, Other extends string, Fix extends string> =
  `${Op}: its ${Side} is a pending sum over '${Axes}' but its ${Other} is not; fix: ${Fix} on the ${Side} before it`
export const pendingOnOneSide = (op: string, side: string, axes: string, other: string, fix: string): string =>
  `${op}: its ${side} is a pending sum over '${axes}' but its ${other} is not; fix: ${fix} on the ${side} before it`

export type PendingApart<
  Op extends string,
  A extends string,
  AxesA extends string,
  FixA extends string,
  B extends string,
  AxesB extends string,
  FixB extends string,
> =
  `${Op}: its ${A} is a pending sum over '${AxesA}' but its ${B} over '${AxesB}'; fix: ${FixA} on the ${A} and ${FixB} on the ${B} before it`
export const pendingApart = (op: string, a: string, axesA: string, fixA: string, b: string, axesB: string, fixB: string): string =>
  `${op}: its ${a} is a pending sum over '${axesA}' but its ${b} over '${axesB}'; fix: ${fixA} on the ${a} and ${fixB} on the ${b} before it`

export type PendingOnBothSides<
  Op extends string,
  A extends string,
  AxesA extends string,
  B extends string,
  AxesB extends string,
  Fix extends string,
> = `${Op}: its ${A} is a pending sum over '${AxesA}' and its ${B} over '${AxesB}'; fix: ${Fix} on the ${B} before it`
export const pendingOnBothSides = (op: string, a: string, axesA: string, b: string, axesB: string, fix: string): string =>
  `${op}: its ${a} is a pending sum over '${axesA}' and its ${b} over '${axesB}'; fix: ${fix} on the ${b} before it`

export type PendingMeetsCut<Op extends string, Side extends string, Axis extends string, D extends string, Other extends string> =
  `${Op}: its ${Side} is a pending sum over '${Axis}', which cuts '${D}' on the ${Other}; fix: sumOver('${Axis}') on the ${Side} before it`
export const pendingMeetsCut = (op: string, side: string, axis: string, d: string, other: string): string =>
  `${op}: its ${side} is a pending sum over '${axis}', which cuts '${d}' on the ${other}; fix: sumOver('${axis}') on the ${side} before it`

export type BiasOnPending<Op extends string, Axes extends string, Ds extends string, Fix extends string> =
  `${Op}: a bias cannot be added to a pending sum over '${Axes}'; fix: contract(weight, '${Ds}'), then ${Fix}, then add(bias)`
export const biasOnPending = (op: string, axes: string, ds: string, fix: string): string =>
  `${op}: a bias cannot be added to a pending sum over '${axes}'; fix: contract(weight, '${ds}'), then ${fix}, then add(bias)`

export type NotPending<Op extends string, A extends string> = `${Op}: no sum is pending over '${A}'`
export const notPending = (op: string, a: string): string => `${op}: no sum is pending over '${a}'`

// ---- options and random numbers ------------------------------------------------------------------------------------

/** Got is a number as it was given, or `f32`, `'t:4'`, `a pending sum over 'sp'` of a tensor. */
export type NotSeed<Op extends string, Got extends string> =
  `${Op}: a seed is a whole number within ±2^53 or an i32 tensor without dims, but it is ${Got}`
export const notSeed = (op: string, got: string): string =>
  `${op}: a seed is a whole number within ±2^53 or an i32 tensor without dims, but it is ${got}`

/** Where no tensor can be the seed. */
export const notSeedNumber = (what: string, got: string): string => `${what}: a seed is a whole number within ±2^53, but it is ${got}`

export type NotStream<Op extends string, Got extends string> = `${Op}: a stream is a whole number from 0 to below 2^29, but it is ${Got}`
export const notStream = (op: string, got: string): string => `${op}: a stream is a whole number from 0 to below 2^29, but it is ${got}`

export type NotRate<Op extends string, Got extends string> = `${Op}: a rate is a number from 0 to below 1, but it is ${Got}`
export const notRate = (op: string, got: string): string => `${op}: a rate is a number from 0 to below 1, but it is ${got}`

export const tooManyNumbers = (op: string, spec: string, count: number): string =>
  `${op}: '${spec}' has ${count} elements, but a stream has 2^32 numbers; fix: parts that take a stream each`

// ---- programs ------------------------------------------------------------------------------------------------------

export type Declared<Name extends string, Want extends string, Got extends string, Fix extends string> =
  `output '${Name}' is declared ${Want} but the body gives ${Got}${Fix}`
export const declared = (name: string, want: string, got: string, fix: string): string =>
  `output '${name}' is declared ${want} but the body gives ${got}${fix}`

export type NotGiven<Name extends string, Want extends string> = `output '${Name}' is declared ${Want} but the body does not give it`
export const notGiven = (name: string, want: string): string => `output '${name}' is declared ${want} but the body does not give it`

export type ScalarOnly<S extends string, Fix extends string> = `grad needs a single number, but the value is ${S}${Fix}`
export const scalarOnly = (s: string, fix: string): string => `grad needs a single number, but the value is ${s}${fix}`

export type BecomesOther<Want extends string, Got extends string, Fix extends string> =
  `becomes: the parameter is ${Want} but its next value is ${Got}${Fix}`
export const becomesOther = (want: string, got: string, fix: string): string =>
  `becomes: the parameter is ${want} but its next value is ${got}${fix}`

export type BecomesPending<Kind extends string, Axes extends string, Fix extends string> =
  `becomes: the next value is a pending ${Kind} over '${Axes}'; fix: ${Fix} before it`
export const becomesPending = (kind: string, axes: string, fix: string): string =>
  `becomes: the next value is a pending ${kind} over '${axes}'; fix: ${fix} before it`

export const nameTwice = (what: string, name: string, place: string, other: string): string =>
  `${what} '${name}': ${place} and ${other} would both have this name; fix: another key for one of them`

export type Unexpected<Want extends string, Got extends string> = `expect: the tensor is ${Got}, not ${Want}`
export const unexpected = (want: string, got: string): string => `expect: the tensor is ${got}, not ${want}`

// ---- training ------------------------------------------------------------------------------------------------------

export const numberOutside = (op: string, option: string, value: string, wanted: string, fix?: string): string =>
  `${optionIs(op, option, value, wanted)}${fix === undefined ? '' : `; ${fix}`}`

export const notTrainable = (name: string, type: string): string =>
  `trainStep: parameter '${name}' is ${type} and cannot be trained; fix: parameter(…, { trained: false })`

export const nothingLearned =
  'trainStep: no gradient of the loss reaches a parameter that is trained; fix: use one in the loss, not behind stopGradient'

export const groupOfNone = (op: string, pattern: string, names: string): string =>
  `${op}: group '${pattern}' is the name of no parameter that is trained; they are: ${names}`

/** Why several batches in one step would not give the numbers of one batch that holds them all. */
export const notOneBatch = (batches: number, why: string, fix: string): string =>
  `trainStep: accumulate: ${batches} would not give what one batch of all gives: ${why}; fix: accumulate: 1, or ${fix}`
