import { call, type Expression, real } from '#lib/kernel/expression.ts'
import { finiteLimit, nonlinear, plus, scaled } from '#lib/language/define.ts'

/** √(2/π) (x + 0.044715 x³) */
const inner = (x: Expression): Expression =>
  scaled(call('add', x, call('multiply', call('multiply', x, x), scaled(x, 0.044715))), Math.sqrt(2 / Math.PI))

/**
 * The Gaussian error linear unit x Φ(x), element by element, with Φ approximated by ½ (1 + t) where
 * t = tanh(√(2/π) (x + 0.044715 x³)) (Hendrycks & Gimpel 2016, section 2); NaN at -∞, as ∞ · 0 is. Derivative:
 * ½ (1 + t) + ½ x (1 - t²) √(2/π) (1 + 0.134145 x²), which is 0 at -∞ and 1 at ∞.
 */
export const gelu = nonlinear(
  'gelu',
  (x) => call('multiply', scaled(x, 0.5), plus(call('hyperbolicTangent', inner(x)), 1)),
  (x) => {
    const t = call('hyperbolicTangent', inner(x))
    const slope = call('subtract', real(1), call('multiply', t, t))
    const growth = scaled(plus(scaled(call('multiply', x, x), 3 * 0.044715), 1), Math.sqrt(1 / (2 * Math.PI)))
    return call('add', scaled(plus(t, 1), 0.5), finiteLimit(slope, call('multiply', x, growth)))
  },
)

/**
 * The Gaussian error linear unit x Φ(x), element by element, with the exact Φ(x) = ½ (1 + erf(x / √2)); NaN at -∞, as ∞ · 0 is.
 * Derivative: Φ(x) + x e^(-x²/2) / √(2π), which is 0 at -∞ and 1 at ∞.
 */
export const geluErf = nonlinear(
  'geluErf',
  (x) => call('multiply', scaled(x, 0.5), call('add', real(1), call('errorFunction', scaled(x, Math.SQRT1_2)))),
  (x) => {
    const distribution = scaled(plus(call('errorFunction', scaled(x, Math.SQRT1_2)), 1), 0.5)
    const density = scaled(call('exponential', scaled(call('multiply', x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
    return call('add', distribution, finiteLimit(density, x))
  },
)
