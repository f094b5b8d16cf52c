/**
 * Every sentence a person reads about a program that doesn't fit, twice side by side: as a type, for the editor, and as
 * a function, for trace time. The wrong programs of the tests are held against both.
 */

export type NoDim<Op extends string, D extends string, Names extends string> = `${Op}: no dim '${D}'; dims are: ${Names}`
export const noDim = (op: string, d: string, names: string): string => `${op}: no dim '${d}'; dims are: ${names}`

export type NoDimOn<Op extends string, D extends string, Side extends string, Names extends string> =
  `${Op}: no dim '${D}' on the ${Side}; dims are: ${Names}`
export const noDimOn = (op: string, d: string, side: string, names: string): string =>
  `${op}: no dim '${d}' on the ${side}; dims are: ${names}`

export type DimExists<Op extends string, D extends string, Names extends string> = `${Op}: there is a dim '${D}' already; dims are: ${Names}`
export const dimExists = (op: string, d: string, names: string): string => `${op}: there is a dim '${d}' already; dims are: ${names}`

export type NeedsWhole<Op extends string, D extends string, Axes extends string, Fix extends string> =
  `${Op} needs dim '${D}' whole, but it is @${Axes}; fix: ${Fix}`
export const needsWhole = (op: string, d: string, axes: string, fix: string): string =>
  `${op} needs dim '${d}' whole, but it is @${axes}; fix: ${fix}`

export type NotLinear<Op extends string, Kind extends string, Axis extends string, Fix extends string> =
  `${Op} is not linear: its input is a pending ${Kind} over '${Axis}'; fix: ${Fix} before it`
export const notLinear = (op: string, kind: string, axis: string, fix: string): string =>
  `${op} is not linear: its input is a pending ${kind} over '${axis}'; fix: ${fix} before it`

export type PendingOnOneSide<Op extends string, Side extends string, Kind extends string, Axis extends string, Fix extends string> =
  `${Op}: the ${Side} side is a pending ${Kind} over '${Axis}' but the other is not; fix: ${Fix} on the ${Side} before it`
export const pendingOnOneSide = (op: string, side: string, kind: string, axis: string, fix: string): string =>
  `${op}: the ${side} side is a pending ${kind} over '${axis}' but the other is not; fix: ${fix} on the ${side} before it`

export type PendingOnBothSides<Op extends string, Axis extends string> =
  `${Op}: both sides are pending over '${Axis}'; fix: sumOver('${Axis}') on one side before it`
export const pendingOnBothSides = (op: string, axis: string): string =>
  `${op}: both sides are pending over '${axis}'; fix: sumOver('${axis}') on one side before it`

export type PendingMeetsCut<Op extends string, Axis extends string, D extends string> =
  `${Op}: mesh axis '${Axis}' is pending on one side but cuts '${D}' on the other; fix: sumOver('${Axis}') before it`
export const pendingMeetsCut = (op: string, axis: string, d: string): string =>
  `${op}: mesh axis '${axis}' is pending on one side but cuts '${d}' on the other; fix: sumOver('${axis}') before it`

export type BiasOnPending<Op extends string, Axis extends string, Ds extends string> =
  `${Op}: a bias cannot be added to a pending sum over '${Axis}'; fix: contract(weight, '${Ds}'), then sumOver('${Axis}'), then add(bias)`
export const biasOnPending = (op: string, axis: string, ds: string): string =>
  `${op}: a bias cannot be added to a pending sum over '${axis}'; fix: contract(weight, '${ds}'), then sumOver('${axis}'), then add(bias)`

export type SizesDiffer<Op extends string, D extends string, A extends string, B extends string> =
  `${Op}: dim '${D}' is ${A} on the left but ${B} on the right`
export const sizesDiffer = (op: string, d: string, a: number | string, b: number | string): string =>
  `${op}: dim '${d}' is ${a} on the left but ${b} on the right`

export type CutsDiffer<Op extends string, D extends string, A extends string, B extends string> =
  `${Op}: dim '${D}' is @${A} on the left but @${B} on the right; fix: layout('${D}@${A}') on the right before it`
export const cutsDiffer = (op: string, d: string, a: string, b: string): string =>
  `${op}: dim '${d}' is @${a} on the left but @${b} on the right; fix: layout('${d}@${a}') on the right before it`

export type CutOnOneSide<Op extends string, D extends string, A extends string, Side extends string> =
  `${Op}: dim '${D}' is @${A} on the ${Side} but whole on the other side; fix: layout('${D}@${A}') on the other side before it (free: a slice)`
export const cutOnOneSide = (op: string, d: string, a: string, side: string): string =>
  `${op}: dim '${d}' is @${a} on the ${side} but whole on the other side; fix: layout('${d}@${a}') on the other side before it (free: a slice)`

export type CutsTwo<Op extends string, A extends string, D1 extends string, D2 extends string> =
  `${Op}: mesh axis '${A}' would cut both '${D1}' and '${D2}'`
export const cutsTwo = (op: string, a: string, d1: string, d2: string): string =>
  `${op}: mesh axis '${a}' would cut both '${d1}' and '${d2}'`

export type AxisRepeated<Op extends string, A extends string, D extends string> = `${Op}: mesh axis '${A}' cuts '${D}' twice`
export const axisRepeated = (op: string, a: string, d: string): string => `${op}: mesh axis '${a}' cuts '${d}' twice`

export type NoAxis<Op extends string, A extends string, Axes extends string> = `${Op}: no mesh axis '${A}'; the mesh has: ${Axes}`
export const noAxis = (op: string, a: string, axes: string): string => `${op}: no mesh axis '${a}'; the mesh has: ${axes}`

export type NotPending<Op extends string, A extends string> = `${Op}: nothing is pending over '${A}'`
export const notPending = (op: string, a: string): string => `${op}: nothing is pending over '${a}'`

export type TypesDiffer<Op extends string, A extends string, B extends string> =
  `${Op}: the left is ${A} but the right is ${B}; fix: cast('${A}') on the right before it`
export const typesDiffer = (op: string, a: string, b: string): string =>
  `${op}: the left is ${a} but the right is ${b}; fix: cast('${a}') on the right before it`

export type NeedsType<Op extends string, T extends string, Got extends string> = `${Op} needs ${T}, but its input is ${Got}; fix: cast('${T}') before it`
export const needsType = (op: string, type: string, got: string): string => `${op} needs ${type}, but its input is ${got}; fix: cast('${type}') before it`

export type SplitSize<Op extends string, D extends string, N extends string, Parts extends string, Product extends string> =
  `${Op}: ${Parts} = ${Product}, but '${D}' is ${N}`
export const splitSize = (op: string, d: string, n: number, parts: string, product: number): string =>
  `${op}: ${parts} = ${product}, but '${d}' is ${n}`

export type CutAcross<Op extends string, D extends string, A extends string, N extends string, Major extends string, MajorSize extends string> =
  `${Op}: '${D}' is @${A} (${N} ranks), which cannot be cut along '${Major}:${MajorSize}'; fix: layout another dim @${A} before it`
export const cutAcross = (op: string, d: string, a: string, n: number | string, major: string, majorSize: number | string): string =>
  `${op}: '${d}' is @${a} (${n} ranks), which cannot be cut along '${major}:${majorSize}'; fix: layout another dim @${a} before it`

export type OutOfRange<Op extends string, D extends string, N extends string, What extends string> = `${Op}: ${What} is outside '${D}', which is ${N}`
export const outOfRange = (op: string, d: string, n: number, what: string): string => `${op}: ${what} is outside '${d}', which is ${n}`

export type Declared<Direction extends string, Name extends string, Want extends string, Got extends string, Fix extends string> =
  `${Direction} '${Name}' is declared ${Want} but the body gives ${Got}${Fix}`
export const declared = (direction: string, name: string, want: string, got: string, fix: string): string =>
  `${direction} '${name}' is declared ${want} but the body gives ${got}${fix}`

export type Unexpected<Want extends string, Got extends string> = `expect: the tensor is ${Got}, not ${Want}`
export const unexpected = (want: string, got: string): string => `expect: the tensor is ${got}, not ${want}`
