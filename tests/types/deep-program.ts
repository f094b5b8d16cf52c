import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inFolder } from './compilers.ts'

/**
 * Programs of many ops, written to files: what the cost of checking types is measured on. A block has 25 ops of every
 * family that transformers use, in two layouts.
 */
export const opsPerBlock = 25

const head = `import { pipe } from 'fp-ts/lib/function.js'
import { layout, residual, seq, type Tensor } from '#lib/mod.ts'
import { add, gelu, layerNorm, linear, merge, multiply, selfAttention, split } from '#ops/mod.ts'

declare const vector: Tensor<'b:2 e:384', '', 'sp=4'>
`

/** The same imports and nothing else. */
const empty = `${head}export { add, gelu, layerNorm, layout, linear, merge, multiply, pipe, residual, selfAttention, seq, split, vector }
`

/** One block for a width of 16 · features. */
const block = (i: number, features: number): string => {
  const width = 16 * features
  return `
declare const w${i}: {
  readonly vector: Tensor<'b:2 e:${width}', '', 'sp=4'>
  readonly qkv: Tensor<'f:${3 * width} e:${width}', '', 'sp=4'>
  readonly out: Tensor<'e:${width} f:${width}', '', 'sp=4'>
  readonly up: Tensor<'f:${4 * width} e:${width}', '', 'sp=4'>
  readonly down: Tensor<'e:${width} f:${4 * width}', '', 'sp=4'>
}
const attend${i} = <const Over extends 's' | 't'>(over: Over) => [
  linear(w${i}.qkv, 'e'), split('f', 'part:3 h:16 d:${features}'),
  selfAttention({ parts: 'part', over, heads: 'h', features: 'd' }), merge('h d', 'f'), linear(w${i}.out, 'f'),
] as const
`
}

const steps = (i: number, from: string): string => `pipe(${from},
  residual(layerNorm('e'), multiply(w${i}.vector), add(w${i}.vector), seq(...attend${i}('s')), multiply(w${i}.vector)),
  layout('s@sp'),
  residual(...attend${i}('t'), multiply(w${i}.vector)),
  layout('t@sp'),
  residual(layerNorm('e'), linear(w${i}.up, 'e'), gelu, linear(w${i}.down, 'f'), multiply(w${i}.vector)))`

/** A chain of equal blocks. */
const chain = (blocks: number): string =>
  `${head}${block(0, 24)}declare const x0: Tensor<'b:2 t:16@sp s:1024 e:384', '', 'sp=4'>\n` +
  Array.from({ length: blocks }, (_, i) => `const x${i + 1} = ${steps(0, `x${i}`)}`).join('\n') +
  `\nexport const result: Tensor<'b:2 t:16@sp s:1024 e:384', '', 'sp=4'> = x${blocks}\n`

/** As many blocks, each of a width of its own. */
const variety = (blocks: number): string =>
  head + Array.from({ length: blocks }, (_, i) =>
    `${block(i, 8 + i)}declare const x${i}: Tensor<'b:2 t:16@sp s:1024 e:${16 * (8 + i)}', '', 'sp=4'>\n` +
    `export const y${i}: Tensor<'b:2 t:16@sp s:1024 e:${16 * (8 + i)}', '', 'sp=4'> = ${steps(i, `x${i}`)}`).join('\n')

/** Options on a command line that mean what tsconfig.json says; a compiler that is given a file does not read that. */
export const plainOptions = [
  ...['--strict', '--skipLibCheck', '--allowImportingTsExtensions', '--target', 'es2022', '--lib', 'es2023', '--module', 'nodenext'],
  ...['--types', 'node,@webgpu/types', '--ignoreConfig'],
]

/** Writes the programs for the time of a test or benchmark, inside the project so that their imports mean something. */
export const withDeepPrograms = <A>(
  sources: Readonly<Record<string, 'empty' | { readonly chain: number } | { readonly variety: number }>>,
  use: (files: Readonly<Record<string, string>>) => A | Promise<A>,
): Promise<A> =>
  inFolder((folder) => use(Object.fromEntries(Object.entries(sources).map(([name, source]) => {
    const path = join(folder, `${name}.ts`)
    writeFileSync(path, source === 'empty' ? empty : 'chain' in source ? chain(source.chain) : variety(source.variety))
    return [name, path]
  }))))
