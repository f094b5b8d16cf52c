import { type ContractKernel, elementsOf, type Kernel, type ScatterKernel } from '#lib/kernel/kernel.ts'
import type { Shape } from '../device.ts'
import type { Shader, WithScratch } from '../emit.ts'
import { attentionShaders } from './attention.ts'
import { attentionGradientShader } from './attention_gradient.ts'
import { contractShaders } from './contract.ts'
import { gatherShader } from './gather.ts'
import { mapShader } from './map.ts'
import { rowShader } from './row.ts'
import { scatterShaders } from './scatter.ts'

/** Positions a kernel writes at; none means that there is nothing to do. */
const positions = (kernel: Kernel): number => {
  switch (kernel.kind) {
    case 'map':
    case 'gather':
      return elementsOf(kernel.sizes)
    case 'row':
      return elementsOf(kernel.outer) * (kernel.per === 'element' ? elementsOf(kernel.inner) : 1)
    case 'contract':
      return elementsOf(kernel.batch) * elementsOf(kernel.rows) * elementsOf(kernel.columns)
    case 'attention':
    case 'attention-gradient':
      return elementsOf(kernel.rows) * kernel.features
    case 'scatter':
      return elementsOf(kernel.batch) * kernel.rows * elementsOf(kernel.rest)
  }
}

/** A kernel as compute shaders, none where it has nothing to write; what they need of scratch lies in the buffer of that number. */
export const shadersOf = (kernel: Kernel, shape: Shape, scratch: number): WithScratch => {
  if (positions(kernel) === 0) return { shaders: [], scratch: 0 }
  if (kernel.kind === 'scatter') return scatterShaders(kernel, scratch, shape)
  if (kernel.kind === 'contract') return contractShaders(kernel, shape, scratch)
  return { shaders: plainShadersOf(kernel, shape), scratch: 0 }
}

const plainShadersOf = (kernel: Exclude<Kernel, ScatterKernel | ContractKernel>, shape: Shape): readonly Shader[] => {
  switch (kernel.kind) {
    case 'map':
      return [mapShader(kernel, shape)]
    case 'row':
      return [rowShader(kernel, shape)]
    case 'attention':
      return attentionShaders(kernel, shape)
    case 'attention-gradient':
      return [attentionGradientShader(kernel, shape)]
    case 'gather':
      return [gatherShader(kernel)]
  }
}
