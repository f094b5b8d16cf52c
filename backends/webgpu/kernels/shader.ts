import { elementsOf, type Kernel } from '#lib/kernel/kernel.ts'
import type { Shape } from '../device.ts'
import type { Shader } from '../emit.ts'
import { attentionShader } from './attention.ts'
import { attentionGradientShader } from './attention_gradient.ts'
import { contractShader } from './contract.ts'
import { gatherShader } from './gather.ts'
import { mapShader } from './map.ts'
import { rowShader } from './row.ts'

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
  }
}

/** A kernel as a compute shader, or null where it has nothing to write. */
export const shaderOf = (kernel: Kernel, shape: Shape): Shader | null => {
  if (positions(kernel) === 0) return null
  switch (kernel.kind) {
    case 'map':
      return mapShader(kernel, shape)
    case 'row':
      return rowShader(kernel, shape)
    case 'contract':
      return contractShader(kernel, shape)
    case 'attention':
      return attentionShader(kernel, shape)
    case 'attention-gradient':
      return attentionGradientShader(kernel)
    case 'gather':
      return gatherShader(kernel)
  }
}
