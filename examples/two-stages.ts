// deno-fmt-ignore-file
import { pipe } from 'fp-ts/lib/function.js'
import { input, layout, mesh, program } from '#lib/mod.ts'
import { softmax } from '#ops/mod.ts'

const T = 16, S = 1024, E = 384
export default program('two stages', mesh('sp=4'),
  { x: input(`t:${T}@sp s:${S} e:${E}`) }, // t is cut over sp; s and e are whole
  ({ x }) => pipe(x,
    softmax('s'),                          // s is whole: local
    layout('s@sp'),                        // from here s is cut and t is whole
    softmax('t')))                         // t is whole: local
