/** attention and selfAttention. */
import { pipe } from 'fp-ts/lib/function.js'
import { input, mesh, program } from '#lib/mod.ts'
import { attention, selfAttention } from '#ops/mod.ts'

const over = { over: 's', heads: 'h', features: 'd' } as const
const round = { ...over, ring: 'sp' } as const

export const cutKeys = program('wrong', mesh('sp=4'), { x: input('b:2 s:16@sp h:4 d:8') }, ({ x }) =>
  pipe(
    x,
    // ✗ attention needs dim 's' whole, but it is @sp on the key; fix: layout('') on the key and layout('') on the value before it
    attention(over)(x, x),
  ))

export const cutKeysAlone = program('wrong', mesh('sp=4'), {
  x: input('b:2 t:16 h:4 d:8'),
  k: input('b:2 s:16@sp h:4 d:8'),
  v: input('b:2 s:16 h:4 d:8'),
}, ({ x, k, v }) =>
  pipe(
    x,
    // ✗ attention needs dim 's' whole, but it is @sp on the key; fix: layout('h@sp') on the key before it (or 'b@sp')
    attention(over)(k, v),
  ))

export const cutFeatures = program('wrong', mesh('sp=4'), { x: input('t:16 h:4 d:8@sp'), k: input('s:16 h:4 d:8') }, ({ x, k }) =>
  pipe(
    x,
    // ✗ attention needs dim 'd' whole, but it is @sp on the query; fix: layout('t@sp') on the query before it (or 'h@sp')
    attention(over)(k, k),
  ))

export const headsDiffer = program('wrong', mesh('sp=4'), { x: input('t:16 h:4 d:8'), k: input('s:16 h:2 d:8') }, ({ x, k }) =>
  pipe(
    x,
    // ✗ attention: dim 'h' is 4 on the query but 2 on the key
    attention(over)(k, k),
  ))

export const valuesDiffer = program(
  'wrong',
  mesh('sp=4'),
  { x: input('t:16 h:4 d:8'), k: input('s:16 h:4 d:8'), v: input('s:17 h:4 d:8') },
  ({ x, k, v }) =>
    pipe(
      x,
      // ✗ attention: dim 's' is 16 on the key but 17 on the value
      attention(over)(k, v),
    ),
)

export const noKeys = program('wrong', mesh('sp=4'), { x: input('t:16 h:4 d:8'), k: input('l:16 h:4 d:8') }, ({ x, k }) =>
  pipe(
    x,
    // ✗ attention: no dim 's' on the key; dims are: l, h, d
    attention(over)(k, k),
  ))

export const foreignKeys = program('wrong', mesh('sp=4'), { x: input('t:16 h:4 d:8'), k: input('b:2 s:16 h:4 d:8') }, ({ x, k }) =>
  pipe(
    x,
    // ✗ attention: no dim 'b' on the query; dims are: t, h, d
    attention(over)(k, k),
  ))

export const batchCuts = program(
  'wrong',
  mesh('sp=2 tp=2'),
  { x: input('t:16 h:4@sp d:8'), k: input('s:16 h:4@tp d:8') },
  ({ x, k }) =>
    pipe(
      x,
      // ✗ attention: dim 'h' is @sp on the query but @tp on the key; fix: layout('h@sp') on the key before it
      attention(over)(k, k),
    ),
)

export const axisTwice = program('wrong', mesh('sp=2'), {
  x: input('t:16@sp h:4 d:8'),
  k: input('s:16 h:4@sp d:8'),
  v: input('s:16 h:4 d:8'),
}, ({ x, k, v }) =>
  pipe(
    x,
    // ✗ attention: mesh axis 'sp' would cut both 't' and 'h'; fix: layout('') on the key before it
    attention(over)(k, v),
  ))

export const maskSize = program('wrong', mesh('sp=2'), {
  x: input('t:16 h:4 d:8'),
  k: input('s:16 h:4 d:8'),
  m: input('t:16 s:15', 'bool'),
}, ({ x, k, m }) =>
  pipe(
    x,
    // ✗ attention: dim 's' is 16 on the key but 15 on the mask
    attention({ ...over, mask: m })(k, k),
  ))

export const maskDim = program(
  'wrong',
  mesh('sp=2'),
  { x: input('t:16 h:4 d:8'), k: input('s:16 h:4 d:8'), m: input('t:16 l:16', 'bool') },
  ({ x, k, m }) =>
    pipe(
      x,
      // ✗ attention: no dim 's' on the mask; dims are: t, l
      attention({ ...over, mask: m })(k, k),
    ),
)

export const maskFeatures = program('wrong', mesh('sp=2'), {
  x: input('t:16 h:4 d:8'),
  k: input('s:16 h:4 d:8'),
  m: input('s:16 d:8', 'bool'),
}, ({ x, k, m }) =>
  pipe(
    x,
    // ✗ attention: no dim 'd' on the scores; dims are: t, h
    attention({ ...over, mask: m })(k, k),
  ))

export const maskCut = program('wrong', mesh('sp=2'), {
  x: input('t:16 h:4 d:8'),
  k: input('s:16 h:4 d:8'),
  m: input('t:16 s:16@sp', 'bool'),
}, ({ x, k, m }) =>
  pipe(
    x,
    // ✗ attention needs dim 's' whole, but it is @sp on the mask; fix: layout('t@sp') on the mask before it
    attention({ ...over, mask: m })(k, k),
  ))

export const maskType = program(
  'wrong',
  mesh('sp=2'),
  { x: input('t:16 h:4 d:8'), k: input('s:16 h:4 d:8'), m: input('t:16 s:16', 'i32') },
  ({ x, k, m }) =>
    pipe(
      x,
      // ✗ attention needs f32 or bool, but its mask is i32; fix: cast('f32') on the mask before it
      attention({ ...over, mask: m })(k, k),
    ),
)

export const selfCut = program('wrong', mesh('sp=4'), { x: input('t:16 s:16@sp part:3 h:4 d:8') }, ({ x }) =>
  pipe(
    x,
    // ✗ selfAttention needs dim 's' whole, but it is @sp; fix: layout('h@sp') before it (or 't@sp')
    selfAttention({ parts: 'part', ...over }),
  ))

export const selfParts = program('wrong', mesh('sp=4'), { x: input('t:16 s:16 part:2 h:4 d:8') }, ({ x }) =>
  pipe(
    x,
    // ✗ selfAttention needs 3 positions of 'part', but there are 2
    selfAttention({ parts: 'part', ...over }),
  ))

export const selfMissing = program('wrong', mesh('sp=4'), { x: input('t:16 l:16 part:3 h:4 d:8') }, ({ x }) =>
  pipe(
    x,
    // ✗ selfAttention: no dim 's'; dims are: t, l, part, h, d
    selfAttention({ parts: 'part', ...over }),
  ))

export const ringKeyWhole = program('wrong', mesh('sp=4'), { x: input('b:2 s:16@sp h:4 d:8'), k: input('b:2 s:16 h:4 d:8'), v: input('b:2 s:16@sp h:4 d:8') }, ({ x, k, v }) =>
  pipe(
    x,
    // ✗ attention: a ring over 'sp' needs dim 's' @sp, but it is whole on the key; fix: layout('s@sp') on the key before it
    attention(round)(k, v),
  ))

export const ringValueWhole = program('wrong', mesh('sp=4'), { x: input('s:16@sp h:4 d:8'), k: input('s:16@sp h:4 d:8'), v: input('s:16 h:4@sp d:8') }, ({ x, k, v }) =>
  pipe(
    x,
    // ✗ attention: a ring over 'sp' needs dim 's' @sp, but it is whole on the value; fix: layout('s@sp') on the value before it
    attention(round)(k, v),
  ))

export const ringBothWhole = program('wrong', mesh('sp=4'), { x: input('s:16@sp h:4 d:8'), k: input('s:16 h:4 d:8') }, ({ x, k }) =>
  pipe(
    x,
    // ✗ attention: a ring over 'sp' needs dim 's' @sp, but it is whole on the key; fix: layout('s@sp') on the key before it
    attention(round)(k, k),
  ))

export const ringQueryWhole = program('wrong', mesh('sp=4'), { x: input('s:16 h:4 d:8'), k: input('s:12@sp h:4 d:8') }, ({ x, k }) =>
  pipe(
    x,
    // ✗ attention: a ring over 'sp' needs dim 's' @sp, but it is whole on the query; fix: layout('s@sp') on the query before it
    attention(round)(k, k),
  ))

export const ringQueryHeads = program('wrong', mesh('sp=4'), { x: input('s:16 h:4@sp d:8'), k: input('s:12@sp h:4 d:8') }, ({ x, k }) =>
  pipe(
    x,
    // ✗ attention: a ring over 'sp' needs dim 's' @sp, but it is whole on the query; fix: layout('s@sp') on the query before it
    attention(round)(k, k),
  ))

export const ringQueryElsewhere = program('wrong', mesh('sp=4 tp=2'), { x: input('s:16@tp h:4 d:8'), k: input('s:12@sp h:4 d:8') }, ({ x, k }) =>
  pipe(
    x,
    // ✗ attention: a ring over 'sp' needs dim 's' @sp, but it is @tp on the query; fix: layout('s@sp') on the query before it
    attention(round)(k, k),
  ))

export const ringKeyElsewhere = program('wrong', mesh('dp=2 sp=4 tp=2'), { x: input('b:2@dp s:16@sp h:4 d:8'), k: input('b:2@dp s:16@tp h:4 d:8') }, ({ x, k }) =>
  pipe(
    x,
    // ✗ attention: a ring over 'sp' needs dim 's' @sp, but it is @tp on the key; fix: layout('b@dp s@sp') on the key before it
    attention(round)(k, k),
  ))

export const ringKeyByMore = program('wrong', mesh('sp=4 tp=2'), { x: input('s:16@sp h:4 d:8'), k: input('s:16@sp+tp h:4 d:8') }, ({ x, k }) =>
  pipe(
    x,
    // ✗ attention: a ring over 'sp' needs dim 's' @sp, but it is @sp+tp on the key; fix: layout('s@sp') on the key before it
    attention(round)(k, k),
  ))

export const ringNoAxis = program('wrong', mesh('sp=4'), { x: input('s:16@sp h:4 d:8') }, ({ x }) =>
  pipe(
    x,
    // ✗ attention: no mesh axis 'up'; the mesh has: sp
    attention({ ...over, ring: 'up' })(x, x),
  ))

export const ringAlone = program('wrong', mesh('sp=4 tp=2'), { x: input('t:16@tp h:4 d:8'), k: input('s:12@sp h:4 d:8') }, ({ x, k }) =>
  pipe(
    x,
    // ✗ attention: a ring over 'sp' needs a dim of the query cut over it, or each rank does all the work
    attention(round)(k, k),
  ))

export const ringMaskCut = program('wrong', mesh('sp=4'), { x: input('t:16@sp h:4 d:8'), k: input('s:12@sp h:4 d:8'), m: input('t:16 s:12@sp', 'bool') }, ({ x, k, m }) =>
  pipe(
    x,
    // ✗ attention needs dim 's' whole, but it is @sp on the mask; fix: layout('') on the mask before it
    attention({ ...round, mask: m })(k, k),
  ))

export const ringFeatures = program('wrong', mesh('sp=4 tp=2'), { x: input('s:16@sp h:4 d:8'), k: input('s:16@sp h:4 d:8@tp') }, ({ x, k }) =>
  pipe(
    x,
    // ✗ attention needs dim 'd' whole, but it is @tp on the key; fix: layout('s@sp') on the key and layout('s@sp') on the value before it
    attention(round)(k, k),
  ))

export const selfRingWhole = program('wrong', mesh('sp=4'), { x: input('t:16 s:16 part:3 h:4 d:8') }, ({ x }) =>
  pipe(
    x,
    // ✗ selfAttention: a ring over 'sp' needs dim 's' @sp, but it is whole; fix: layout('s@sp') before it
    selfAttention({ parts: 'part', ...round }),
  ))

export const selfRingElsewhere = program('wrong', mesh('sp=4 tp=2'), { x: input('t:16@sp s:16@tp part:3 h:4 d:8') }, ({ x }) =>
  pipe(
    x,
    // ✗ selfAttention: a ring over 'sp' needs dim 's' @sp, but it is @tp; fix: layout('s@sp') before it
    selfAttention({ parts: 'part', ...round }),
  ))

export const selfRingHeads = program('wrong', mesh('sp=4'), { x: input('t:16 s:16 part:3 h:4@sp d:8') }, ({ x }) =>
  pipe(
    x,
    // ✗ selfAttention: a ring over 'sp' needs dim 's' @sp, but it is whole; fix: layout('s@sp') before it
    selfAttention({ parts: 'part', ...round }),
  ))

export const selfRingParts = program('wrong', mesh('sp=4'), { x: input('t:16 s:16 part:3@sp h:4 d:8') }, ({ x }) =>
  pipe(
    x,
    // ✗ selfAttention needs dim 'part' whole, but it is @sp; fix: layout('h@sp') before it (or 't@sp')
    selfAttention({ parts: 'part', ...round }),
  ))

export const selfRingNoAxis = program('wrong', mesh('sp=4'), { x: input('s:16@sp part:3 h:4 d:8') }, ({ x }) =>
  pipe(
    x,
    // ✗ selfAttention: no mesh axis 'up'; the mesh has: sp
    selfAttention({ parts: 'part', ...over, ring: 'up' }),
  ))
