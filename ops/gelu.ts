import { call, real } from '#lib/kernel/expression.ts'
import { nonlinear, plus, scaled } from '#lib/language/define.ts'

/**
 * The Gaussian error linear unit x Φ(x), element by element, with Φ approximated by
 * ½ (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks & Gimpel 2016, section 2). Derivative: Φ(x) + x φ(x).
 */
export const gelu = nonlinear('gelu', (x) => {
  const cubic = call('multiply', call('multiply', x, x), scaled(x, 0.044715))
  const inner = scaled(call('add', x, cubic), Math.sqrt(2 / Math.PI))
  return call('multiply', scaled(x, 0.5), plus(call('hyperbolicTangent', inner), 1))
})

/** The Gaussian error linear unit x Φ(x), element by element, with the exact Φ(x) = ½ (1 + erf(x / √2)). */
export const geluErf = nonlinear(
  'geluErf',
  (x) => call('multiply', scaled(x, 0.5), call('add', real(1), call('errorFunction', scaled(x, Math.SQRT1_2)))),
)
