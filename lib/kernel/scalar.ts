import type { DType } from '../dtype.ts'

/**
 * The scalar functions an expression may call. Each is written twice side by side, for float64 in
 * TypeScript (its meaning) and for WGSL, and nowhere else.
 *
 * `wgsl` receives the already generated argument texts. `types` gives the result's type from the arguments'.
 */
interface Scalar {
  readonly evaluate: (...a: number[]) => number
  readonly wgsl: (...a: string[]) => string
  readonly type: (...a: DType[]) => DType
}

const same = (...a: DType[]): DType => a[0]!
const real = (): DType => 'f32'
const truth = (): DType => 'bool'
const integer = (): DType => 'i32'

/** Error function in float64: Maclaurin series for |x| < 3, continued fraction beyond (Abramowitz & Stegun 7.1.6, 7.1.14). */
export const erf = (x: number): number => {
  const z = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (z > 6) return Math.sign(x)
  if (z < 3) {
    let term = z
    let sum = z
    for (let n = 1; n < 100 && Math.abs(term) > 1e-18 * sum; n++) {
      term *= (2 * z * z) / (2 * n + 1)
      sum += term
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-z * z) * sum
  }
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction)
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction))
}

/** Threefry-2x32, 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 4.2). */
export const threefry = (key: number, counter: number): number => {
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const
  const keys = [key | 0, 0, (0x1bd11bda ^ key) | 0]
  let x = (counter + keys[0]!) | 0
  let y = keys[1]!
  for (let round = 0; round < 20; round++) {
    x = (x + y) | 0
    const r = rotations[round % 8]!
    y = ((y << r) | (y >>> (32 - r))) ^ x
    if (round % 4 === 3) {
      const s = (round >> 2) + 1
      x = (x + keys[s % 3]!) | 0
      y = (y + keys[(s + 1) % 3]! + s) | 0
    }
  }
  return x >>> 0
}

export const scalars = {
  add: { evaluate: (a, b) => a! + b!, wgsl: (a, b) => `(${a} + ${b})`, type: same },
  subtract: { evaluate: (a, b) => a! - b!, wgsl: (a, b) => `(${a} - ${b})`, type: same },
  multiply: { evaluate: (a, b) => a! * b!, wgsl: (a, b) => `(${a} * ${b})`, type: same },
  divide: { evaluate: (a, b) => a! / b!, wgsl: (a, b) => `(${a} / ${b})`, type: same },
  negate: { evaluate: (a) => -a!, wgsl: (a) => `(-${a})`, type: same },
  absolute: { evaluate: (a) => Math.abs(a!), wgsl: (a) => `abs(${a})`, type: same },
  maximum: {
    evaluate: (a, b) => (Number.isNaN(a!) ? a! : Number.isNaN(b!) ? b! : Math.max(a!, b!)),
    wgsl: (a, b) => `maximum_(${a}, ${b})`,
    type: same,
  },
  minimum: {
    evaluate: (a, b) => (Number.isNaN(a!) ? a! : Number.isNaN(b!) ? b! : Math.min(a!, b!)),
    wgsl: (a, b) => `minimum_(${a}, ${b})`,
    type: same,
  },
  power: { evaluate: (a, b) => (a === 1 ? 1 : Math.pow(a!, b!)), wgsl: (a, b) => `power_(${a}, ${b})`, type: real },
  exponential: { evaluate: (a) => Math.exp(a!), wgsl: (a) => `exponential_(${a})`, type: real },
  logarithm: { evaluate: (a) => Math.log(a!), wgsl: (a) => `logarithm_(${a})`, type: real },
  logarithmOfOnePlus: { evaluate: (a) => Math.log1p(a!), wgsl: (a) => `logarithm_of_one_plus_(${a})`, type: real },
  squareRoot: { evaluate: (a) => Math.sqrt(a!), wgsl: (a) => `sqrt(${a})`, type: real },
  reciprocalSquareRoot: { evaluate: (a) => 1 / Math.sqrt(a!), wgsl: (a) => `inverseSqrt(${a})`, type: real },
  sine: { evaluate: (a) => Math.sin(a!), wgsl: (a) => `sine_(${a})`, type: real },
  cosine: { evaluate: (a) => Math.cos(a!), wgsl: (a) => `cosine_(${a})`, type: real },
  hyperbolicTangent: { evaluate: (a) => Math.tanh(a!), wgsl: (a) => `hyperbolic_tangent_(${a})`, type: real },
  errorFunction: { evaluate: (a) => erf(a!), wgsl: (a) => `error_function_(${a})`, type: real },
  floor: { evaluate: (a) => Math.floor(a!), wgsl: (a) => `floor(${a})`, type: real },
  less: { evaluate: (a, b) => +(a! < b!), wgsl: (a, b) => `(${a} < ${b})`, type: truth },
  lessOrEqual: { evaluate: (a, b) => +(a! <= b!), wgsl: (a, b) => `(${a} <= ${b})`, type: truth },
  equal: { evaluate: (a, b) => +(a! === b!), wgsl: (a, b) => `(${a} == ${b})`, type: truth },
  and: { evaluate: (a, b) => +(a! !== 0 && b! !== 0), wgsl: (a, b) => `(${a} && ${b})`, type: truth },
  or: { evaluate: (a, b) => +(a! !== 0 || b! !== 0), wgsl: (a, b) => `(${a} || ${b})`, type: truth },
  not: { evaluate: (a) => +(a! === 0), wgsl: (a) => `(!${a})`, type: truth },
  /** select(condition, whenTrue, whenFalse) */
  select: { evaluate: (c, a, b) => (c! !== 0 ? a! : b!), wgsl: (c, a, b) => `select(${b}, ${a}, ${c})`, type: (_c, a) => a! },
  isFinite: { evaluate: (a) => +Number.isFinite(Math.fround(a!)), wgsl: (a) => `is_finite_(${a})`, type: truth },
  /** The nearest float32: on the reference backend too. */
  single: { evaluate: (a) => Math.fround(a!), wgsl: (a) => `${a}`, type: real },
  toReal: { evaluate: (a) => a!, wgsl: (a) => `f32(${a})`, type: real },
  toInteger: { evaluate: (a) => Math.trunc(a!), wgsl: (a) => `i32(${a})`, type: integer },
  toTruth: { evaluate: (a) => +(a! !== 0), wgsl: (a) => `bool(${a})`, type: truth },
  /** uniform(key, counter): one number in [0, 1) from 24 random bits; the same for every layout and backend. */
  uniform: {
    evaluate: (key, counter) => (threefry(key!, counter!) >>> 8) * 2 ** -24,
    wgsl: (key, counter) => `uniform_(u32(${key}), u32(${counter}))`,
    type: real,
  },
} as const satisfies Record<string, Scalar>

export type ScalarName = keyof typeof scalars

export const isScalarName = (name: string): name is ScalarName => Object.hasOwn(scalars, name)

/**
 * WGSL functions the texts above call; an emitter puts them before the kernel. WGSL's own transcendental functions may
 * be off by 2^-11 and may turn a NaN into a number, and on some drivers they do both; these are good to a few units in
 * the last place and keep NaN. Names end in `_`, so that an emitter can tell whether it needs them.
 */
export const wgslPrelude = /* wgsl */ `
fn is_nan_(x: f32) -> bool { let b = bitcast<u32>(x) & 0x7fffffffu; return b > 0x7f800000u; }
fn is_finite_(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }
fn times_zero_(x: f32) -> f32 { return bitcast<f32>(select(0x7fc00000u, bitcast<u32>(x) & 0x80000000u, is_finite_(x))); }
fn maximum_(a: f32, b: f32) -> f32 { return select(select(max(a, b), b, is_nan_(b)), a, is_nan_(a)); }
fn minimum_(a: f32, b: f32) -> f32 { return select(select(min(a, b), b, is_nan_(b)), a, is_nan_(a)); }
fn exponential_(x: f32) -> f32 { return select(exp(x), x, is_nan_(x)); }
fn not_a_number_(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u); }
fn logarithm_(x: f32) -> f32 {
  if (is_nan_(x) || x < 0.0) { return not_a_number_(x); }
  if (x == 0.0) { return bitcast<f32>(bitcast<u32>(x) | 0xff800000u); }
  return log(x);
}
// With s = x / (2 + x), log(1 + x) is 2 artanh(s) (Abramowitz & Stegun 4.1.27): near 0 by its series in s, which keeps all digits.
fn logarithm_of_one_plus_(x: f32) -> f32 {
  if (x < -0.5 || x > 1.0 || is_nan_(x)) { return logarithm_(1.0 + x); }
  let s = x / (2.0 + x);
  let q = s * s;
  return s * (2.0 + q * (0.6666667 + q * (0.4 + q * (0.2857143 + q * (0.22222222 + q * (0.18181819 + q * 0.15384616))))));
}
fn power_(a: f32, b: f32) -> f32 {
  if (b == 0.0 || a == 1.0) { return 1.0; }
  if (is_nan_(a) || is_nan_(b)) { return a + b; }
  let odd = floor(b) == b && floor(b * 0.5) * 2.0 != b;
  let infinity = bitcast<f32>((bitcast<u32>(b) & 0u) | 0x7f800000u);
  let size = select(pow(abs(a), b), select(infinity, 0.0, b > 0.0), a == 0.0);
  let negative = bitcast<u32>(a) >= 0x80000000u;
  if (negative && a != 0.0 && floor(b) != b && a != -infinity) { return not_a_number_(a); }
  return select(size, -size, negative && odd);
}
// Sine and cosine (Moshier, Cephes): less whole quarter turns, in three parts (Cody and Waite), then polynomials.
fn quarter_turns_(x: f32) -> vec2<f32> {
  let turns = round(x * 0.6366197723675814);
  let rest = ((x - turns * 1.5703125) - turns * 4.837512969970703125e-4) - turns * 7.54978995489188216e-8;
  return vec2<f32>(rest, turns);
}
fn sine_near_0_(x: f32) -> f32 {
  let s = x * x;
  return x + x * s * (-1.6666654611e-1 + s * (8.3321608736e-3 - s * 1.9515295891e-4));
}
fn cosine_near_0_(x: f32) -> f32 {
  let s = x * x;
  return 1.0 - 0.5 * s + s * s * (4.166664568298827e-2 + s * (-1.388731625493765e-3 + s * 2.443315711809948e-5));
}
fn sine_of_quarter_(x: f32, add: u32) -> f32 {
  let parts = quarter_turns_(x);
  let quarter = u32(i32(parts.y)) + add;
  let size = select(sine_near_0_(parts.x), cosine_near_0_(parts.x), (quarter & 1u) == 1u);
  return select(size, -size, (quarter & 2u) == 2u);
}
fn sine_(x: f32) -> f32 { if (abs(x) > 65536.0) { return sin(x) + (x - x); } return sine_of_quarter_(x, 0u); }
fn cosine_(x: f32) -> f32 { if (abs(x) > 65536.0) { return cos(x) + (x - x); } return sine_of_quarter_(x, 1u); }
fn hyperbolic_tangent_(x: f32) -> f32 {
  let z = abs(x);
  if (z < 0.625) {
    let s = x * x;
    return x + x * s * (-3.33332819422e-1 + s * (1.33314422036e-1 + s * (-5.37397155531e-2 + s * (2.06390887954e-2 - s * 5.70498872745e-3))));
  }
  let size = 1.0 - 2.0 / (exponential_(2.0 * z) + 1.0);
  return select(size, -size, x < 0.0);
}
// Complementary error function by Chebyshev fit (Numerical Recipes 6.2.2, relative error < 1.2e-7); a Maclaurin series near 0.
fn error_function_(x: f32) -> f32 {
  let z = abs(x);
  if (z < 0.5) {
    let s = x * x;
    return x * (1.1283791670955126 + s * (-0.3761263890318375 + s * (0.11283791670955126 + s * (-0.026866170645131252 + s * 0.005223977625442187))));
  }
  let t = 1.0 / (1.0 + 0.5 * z);
  let p = -z * z - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 +
    t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let r = 1.0 - t * exponential_(p);
  return select(-r, r, x >= 0.0);
}
fn uniform_(key: u32, counter: u32) -> f32 {
  var rotations = array<u32, 8>(13u, 15u, 26u, 6u, 17u, 29u, 16u, 24u);
  var keys = array<u32, 3>(key, 0u, 0x1bd11bdau ^ key);
  var x = counter + keys[0];
  var y = keys[1];
  for (var round = 0u; round < 20u; round++) {
    x = x + y;
    let r = rotations[round % 8u];
    y = ((y << r) | (y >> (32u - r))) ^ x;
    if (round % 4u == 3u) {
      let s = (round >> 2u) + 1u;
      x = x + keys[s % 3u];
      y = y + keys[(s + 1u) % 3u] + s;
    }
  }
  return f32(x >> 8u) * 5.9604644775390625e-8;
}
`
