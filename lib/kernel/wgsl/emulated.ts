/**
 * Other forms of the functions beside, where a GPU is emulated. There arithmetic is the processor's own: comparisons and divisions are
 * right for NaN, infinities and zeros of both signs, and so are roots; but it counts subnormal numbers as 0. Roots take those from their
 * bits: put behind a larger exponent, of which then only that exponent's own power of two must be taken away.
 */
export const emulated = /* wgsl */ `
fn less_(a: f32, b: f32) -> bool { return (order_(a) < order_(b)) & (a <= b); }
fn less_or_equal_(a: f32, b: f32) -> bool { return (order_(a) <= order_(b)) & (a <= b); }
fn equal_(a: f32, b: f32) -> bool { return (order_(a) == order_(b)) & (a == b); }
fn divide_(a: f32, b: f32) -> f32 { return a / b; }
fn exponential_(x: f32) -> f32 {
  let n = octaves_of_e_to_(x);
  let y = bitcast<f32>(bitcast<i32>(1.0 + exponential_rest_(x, f32(n))) + n * 8388608);
  return select(select(x * 3.4e38, y, x <= 88.72283), 0.0, x < -87.33654);
}
fn is_subnormal_(x: f32) -> bool { return (size_bits_(x) > 0) & (size_bits_(x) < 0x00800000); }
// A subnormal number times 2^24; something below 0 for a negative one.
fn enlarged_(x: f32) -> f32 { return bitcast<f32>(bitcast<i32>(x) | 0x0c800000) - 0x1p-102; }
fn square_root_(x: f32) -> f32 {
  let subnormal = is_subnormal_(x);
  return sqrt(select(x, enlarged_(x), subnormal)) * select(1.0, 0x1p-12, subnormal);
}
fn reciprocal_square_root_(x: f32) -> f32 {
  let subnormal = is_subnormal_(x);
  return inverseSqrt(select(x, enlarged_(x), subnormal)) * select(1.0, 0x1p12, subnormal);
}
`
