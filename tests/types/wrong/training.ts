/** What a parameter becomes, and what gradients are taken of. */
import { pipe } from 'fp-ts/lib/function.js'
import { becomes, input, layout, mesh, parameter, program } from '#lib/mod.ts'
import { add, cast, contract, multiply } from '#ops/mod.ts'

export const becomesElsewhere = program('wrong', mesh('sp=4'), { w: parameter('t:16@sp s:8') }, ({ w }) =>
  // ✗ becomes: the parameter is t:16@sp s:8 but its next value is t:16 s:8@sp; fix: layout('t@sp') before it
  pipe(w, multiply(0.5), layout('s@sp'), becomes(w)))

export const becomesOther = program('wrong', mesh('sp=4'), { w: parameter('t:16'), x: input('t:16 s:8') }, ({ w, x }) =>
  // ✗ becomes: the parameter is t:16 but its next value is t:16 s:8
  pipe(x, add(w), becomes(w)))

export const becomesPending = program('wrong', mesh('sp=4'), { w: parameter('f:4'), x: input('e:8@sp'), v: input('e:8@sp f:4') }, ({ w, x, v }) =>
  // ✗ becomes: the next value is a pending sum over 'sp'; fix: layout('') before it
  pipe(x, contract(v, 'e'), becomes(w)))

export const becomesInteger = program('wrong', mesh('sp=4'), { w: parameter('t:16') }, ({ w }) =>
  // ✗ becomes: the parameter is f32 but its next value is i32; fix: cast('f32') before it
  pipe(w, cast('i32'), becomes(w)))
