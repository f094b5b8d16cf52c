/** What comes in and what goes out. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, layout, mesh, output, parameter, program } from '#lib/mod.ts'
import { cast, contract, gelu, max } from '#ops/mod.ts'

export const inputAxis = program('wrong', mesh('sp=4'), {
  // ✗ input 'x': no mesh axis 'tp'; the mesh has: sp
  x: input('t:16@tp s:8'),
}, ({ x }) => pipe(x, gelu))

export const inputAxisTwice = program('wrong', mesh('sp=4'), {
  // ✗ input 'x': mesh axis 'sp' would cut both 't' and 's'
  x: input('t:16@sp s:8@sp'),
}, ({ x }) => pipe(x, gelu))

export const inputAxisRepeated = program('wrong', mesh('sp=4'), {
  // ✗ input 'x': mesh axis 'sp' cuts 't' twice
  x: input('t:16@sp+sp s:8'),
}, ({ x }) => pipe(x, gelu))

export const inputForm = program('wrong', mesh('sp=4'), {
  // ✗ input 'x': 's8' is not of the form dim:size or dim:size@axis
  x: input('t:16@sp s8'),
}, ({ x }) => pipe(x, gelu))

export const inputSize = program('wrong', mesh('sp=4'), {
  // ✗ input 'x': 't:-16' is not of the form dim:size or dim:size@axis
  x: input('t:-16'),
}, ({ x }) => pipe(x, gelu))

export const inputDimTwice = program('wrong', mesh('sp=4'), {
  // ✗ input 'x': dim 't' is given twice
  x: input('t:16@sp s:8 t:4'),
}, ({ x }) => pipe(x, gelu))

export const nestedParameter = program('wrong', mesh('sp=4'), {
  x: input('t:16@sp s:8'),
  layers: [{
    // ✗ input 'w': no mesh axis 'tp'; the mesh has: sp
    w: parameter('s:8 f:8@tp'),
  }],
}, ({ x }) => pipe(x, gelu))

export const outputLayout = program('wrong', mesh('sp=4'), { x: input('t:16@sp s:1024') }, { y: output('t:16@sp s:1024') }, ({ x }) => ({
  // ✗ output 'y' is declared t:16@sp s:1024 but the body gives t:16 s:1024@sp; fix: layout('t@sp') at the end
  y: pipe(x, layout('s@sp'), gelu),
}))

export const outputDims = program('wrong', mesh('sp=4'), { x: input('t:16@sp s:1024') }, { y: output('t:16@sp s:1000') }, ({ x }) => ({
  // ✗ output 'y' is declared t:16@sp s:1000 but the body gives t:16@sp s:1024
  y: pipe(x, gelu),
}))

export const outputPending = program('wrong', mesh('sp=4'), { x: input('t:16@sp s:4'), w: input('t:16@sp f:8') }, { y: output('s:4 f:8') }, ({ x, w }) => ({
  // ✗ output 'y' is declared s:4 f:8 but the body gives a pending sum over 'sp'; fix: layout('') at the end
  y: pipe(x, contract(w, 't')),
}))

export const outputPendingMax = program('wrong', mesh('sp=4'), { x: input('t:16@sp s:4') }, { y: output('s:4@sp') }, ({ x }) => ({
  // ✗ output 'y' is declared s:4@sp but the body gives a pending max over 'sp'; fix: layout('s@sp') at the end
  y: pipe(x, max('t')),
}))

export const outputType = program('wrong', mesh('sp=4'), { x: input('t:16@sp') }, { y: output('t:16@sp') }, ({ x }) => ({
  // ✗ output 'y' is declared f32 but the body gives i32; fix: cast('f32') at the end
  y: pipe(x, cast('i32')),
}))

export const outputAxis = program('wrong', mesh('sp=4'), { x: input('t:16@sp') }, {
  // ✗ output 'y': no mesh axis 'tp'; the mesh has: sp
  y: output('t:16@tp'),
}, ({ x }) => ({ y: pipe(x, gelu) }))

export const outputMissing = program('wrong', mesh('sp=4'), { x: input('t:16@sp') }, { y: output('t:16@sp') },
  // ✗ output 'y' is declared t:16@sp but the body does not give it
  ({ x }) => ({ z: pipe(x, gelu) }))
