/**
 * e^x and what is made of it. The argument is reduced to r = x - n ln 2 with |r| ≤ ½ ln 2 in two parts (Cody and Waite,
 * "Software Manual for the Elementary Functions", 1980, chapter 6), where e^r - 1 = r + r² q(r) with a minimax polynomial q,
 * of relative error 2^-26.
 *
 * tanh |x| = m / (m + 2) with m = e^(2|x|) - 1 = 2^n (e^r - 1) + (2^n - 1), which keeps its digits near 0.
 * erf |x| = 1 - e^(-|x| g(|x|)), with a minimax polynomial g for -log(erfc x) / x on [0, 3.95], of relative error 2^-27 in
 * erf; beyond, erf is 1 in float32.
 */
export const exponential = /* wgsl */ `
fn power_of_two_(n: i32) -> f32 { return bitcast<f32>((n + 127) * 8388608); }
// x · 2^n, in two steps: neither leaves the range of normal numbers unless the result does.
fn times_power_of_two_(x: f32, n: i32) -> f32 {
  let half = n / 2;
  return x * power_of_two_(half) * power_of_two_(n - half);
}
// The nearest integer to a number within ±2^22: adding 1.5 · 2^23 leaves it in the last bits.
fn nearest_integer_(x: f32) -> i32 { return bitcast<i32>(x + 12582912.0) - 0x4b400000; }
fn octaves_of_e_to_(x: f32) -> i32 { return nearest_integer_(x * 1.44269504); }
// e^(x - n ln 2) - 1.
fn exponential_rest_(x: f32, n: f32) -> f32 {
  let r = (x - n * 0.693359375) + n * 2.1219444e-4;
  return r + r * r * (0.49999997 + r * (0.16666542 + r * (0.041667204 + r * (0.0083667105 + r * 0.0013882485))));
}
// Beyond these ends it is infinite, or so small that it is 0 or subnormal: then it is 0.
fn exponential_(x: f32) -> f32 {
  let n = octaves_of_e_to_(x);
  let y = bitcast<f32>(bitcast<i32>(1.0 + exponential_rest_(x, f32(n))) + n * 8388608);
  let infinite = bitcast<f32>((bitcast<i32>(x) & 0) | 0x7f800000);
  return select(select(select(y, 0.0, x < -87.33654), infinite, x > 88.72283), x, is_nan_(x));
}
// e^x - 1 for x within ±80.
fn exponential_minus_one_(x: f32) -> f32 {
  let n = octaves_of_e_to_(x);
  let scale = power_of_two_(n);
  return scale * exponential_rest_(x, f32(n)) + (scale - 1.0);
}
fn hyperbolic_tangent_(x: f32) -> f32 {
  let size = size_bits_(x);
  let m = exponential_minus_one_(2.0 * min(abs(x), 10.0));
  return select(with_sign_of_(m / (m + 2.0), x), x, (size < 0x39800000) | (size > 0x7f800000));
}
fn error_function_(x: f32) -> f32 {
  let z = min(abs(x), 3.95);
  let g = 1.1283792 + z * (0.6366194 + z * (0.10277783 + z * (-0.019153064 + z * (-0.00016039611 +
    z * (0.0016670275 + z * (-0.00063283689 + z * (0.00011764128 - z * 0.000009256266)))))));
  return select(with_sign_of_(exponential_minus_one_(-z * g), x), x, is_nan_(x));
}
`
