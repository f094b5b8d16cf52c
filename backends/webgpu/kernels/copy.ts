import { input } from '#lib/kernel/expression.ts'
import type { View } from '#lib/kernel/kernel.ts'
import type { Shape } from '../device.ts'
import type { Shader } from '../emit.ts'
import { mapShader } from './map.ts'

/** Copies elements from view to view bit by bit, whatever their type. */
export const copyShader = (sizes: readonly number[], from: View, to: View, shape: Shape): Shader =>
  mapShader({
    kind: 'map',
    sizes,
    origin: sizes.map(() => 0),
    inputs: [{ ...from, type: 'i32' }],
    expression: input(0),
    output: { ...to, type: 'i32' },
  }, shape)
