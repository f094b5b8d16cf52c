/**
 * Division and roots over the whole range. WGSL promises division's accuracy for divisors within 2^±126 only, and roots
 * of subnormal numbers may be those of 0; both are brought into the ordinary range, exactly, by powers of two and by
 * counting the subnormal's units of 2^-149 as an integer.
 */
export const division = /* wgsl */ `
// How many units of 2^-149 a subnormal number has, with its sign.
fn subnormal_units_(x: f32) -> f32 { return with_sign_of_(f32(bitcast<i32>(x) & 0x007fffff), x); }
fn divide_(a: f32, b: f32) -> f32 {
  let below = size_bits_(b);
  if ((below >= 0x00800000) & (below < 0x7e800000)) { return a / b; }
  return quotient_by_extreme_(a, b);
}
// By a divisor that is 0, subnormal, above 2^126, infinite or NaN.
fn quotient_by_extreme_(a: f32, b: f32) -> f32 {
  let above = size_bits_(a);
  let below = size_bits_(b);
  let tiny = below < 0x00800000;
  let large = below >= 0x7e800000;
  let shrink = select(1.0, 0.0625, large);
  let divisor = select(b * shrink, subnormal_units_(b), tiny);
  let quotient = ((a * select(1.0, 0x1p75, tiny)) / divisor) * select(shrink, 0x1p74, tiny);
  // By 0 it is infinite, by infinity 0, and NaN where both are the same of these.
  let sign = (bitcast<i32>(a) ^ bitcast<i32>(b)) & -2147483648;
  let undefined = (above == below) | (above > 0x7f800000);
  let extreme = select((below ^ 0x7f800000) | sign, 0x7fc00000, undefined);
  return select(quotient, bitcast<f32>(extreme), (below == 0) | (below == 0x7f800000));
}
// As JAX has it on a CPU: x / 0 is -1, and the least integer over -1 is itself.
fn quotient_(a: i32, b: i32) -> i32 {
  let quotient = a / select(b, 1, (b == 0) | (b == -1));
  return select(select(quotient, 0 - a, b == -1), -1, b == 0);
}
fn square_root_(x: f32) -> f32 {
  let b = bitcast<i32>(x);
  let small = b < 0x00800000;
  let root = sqrt(select(x, f32(b * 2), small)) * select(1.0, 0x1p-75, small);
  return select(select(root, not_a_number_(x), b < 0), x, (size_bits_(x) == 0) | (b >= 0x7f800000));
}
fn reciprocal_square_root_(x: f32) -> f32 {
  let b = bitcast<i32>(x);
  let small = b < 0x00800000;
  let root = inverseSqrt(select(x, f32(b * 2), small)) * select(1.0, 0x1p75, small);
  let of_number = select(select(root, not_a_number_(x), (b < 0) | (b > 0x7f800000)), 0.0, b == 0x7f800000);
  return select(of_number, bitcast<f32>(b | 0x7f800000), size_bits_(x) == 0);
}
`
