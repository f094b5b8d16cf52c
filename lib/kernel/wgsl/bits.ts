/**
 * What must not depend on a compiler's mood. A WGSL compiler may assume that NaN and infinities never occur, and an adapter may
 * take subnormal numbers for 0, so signs, comparisons, extremes and conversions are decided by the bits of float32 (IEEE 754).
 *
 * Emulated GPUs are slow at branches, at shifts, at unsigned comparisons and at rounding: here and in the files beside, signed
 * integers are compared, conditions joined by & and |, shifts are products, and only what is rare stands behind an `if`.
 */
export const bits = /* wgsl */ `
fn size_bits_(x: f32) -> i32 { return bitcast<i32>(x) & 0x7fffffff; }
fn is_nan_(x: f32) -> bool { return size_bits_(x) > 0x7f800000; }
fn is_finite_(x: f32) -> bool { return size_bits_(x) < 0x7f800000; }
fn is_true_(x: f32) -> bool { return size_bits_(x) != 0; }
fn not_a_number_(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u); }
fn negate_(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) ^ 0x80000000u); }
fn absolute_(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0x7fffffffu); }
fn with_sign_of_(size: f32, x: f32) -> f32 {
  return bitcast<f32>((bitcast<u32>(size) & 0x7fffffffu) | (bitcast<u32>(x) & 0x80000000u));
}
fn times_zero_(x: f32) -> f32 { return bitcast<f32>(select(0x7fc00000, bitcast<i32>(x) & -2147483648, is_finite_(x))); }
fn sign_(x: f32) -> f32 { return select(x, with_sign_of_(1.0, x), is_true_(x) & !is_nan_(x)); }
// Integers in the order of the numbers; -0 and 0 are the same one.
fn order_(x: f32) -> i32 {
  let b = bitcast<i32>(x);
  return select(b, -2147483648 - b, b < 0);
}
fn are_numbers_(a: f32, b: f32) -> bool { return max(size_bits_(a), size_bits_(b)) <= 0x7f800000; }
fn less_(a: f32, b: f32) -> bool { return (order_(a) < order_(b)) & are_numbers_(a, b); }
fn less_or_equal_(a: f32, b: f32) -> bool { return (order_(a) <= order_(b)) & are_numbers_(a, b); }
fn equal_(a: f32, b: f32) -> bool { return (order_(a) == order_(b)) & !is_nan_(a); }
// Integers in the order of the numbers, -0 just below 0.
fn total_order_(x: f32) -> i32 {
  let b = bitcast<i32>(x);
  return select(b, b ^ 0x7fffffff, b < 0);
}
fn maximum_(a: f32, b: f32) -> f32 {
  let larger = select(b, a, total_order_(a) >= total_order_(b));
  return select(select(larger, b, is_nan_(b)), a, is_nan_(a));
}
fn minimum_(a: f32, b: f32) -> f32 {
  let smaller = select(b, a, total_order_(a) <= total_order_(b));
  return select(select(smaller, b, is_nan_(b)), a, is_nan_(a));
}
fn floor_(x: f32) -> f32 {
  let b = bitcast<i32>(x);
  return select(floor(x), -1.0, (b > -2147483648) & (b < -2139095040));
}
fn to_integer_(x: f32) -> i32 {
  let size = size_bits_(x);
  let end = select(select(2147483647, -2147483648, bitcast<i32>(x) < 0), 0, size > 0x7f800000);
  return select(i32(x), end, size >= 0x4f000000);
}
`
