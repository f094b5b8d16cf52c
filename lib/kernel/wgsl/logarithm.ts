/**
 * Logarithms: x = 2^k m with m in [√½, √2), whose logarithm is f - f²/2 + f³ p(f) with f = m - 1 and a minimax polynomial p of
 * relative error 2^-27; k ln 2 is added in two parts (Cody and Waite 1980, chapter 5). Exponents are taken from the bits, a
 * subnormal's after its units of 2^-149 are made a float. log(1 + x) takes f = x itself where 1 + x is in [√½, √2): no digit of
 * a small x is lost.
 */
export const logarithm = /* wgsl */ `
// The bits of a positive number as if exponents had no least one.
fn unbounded_bits_(x: f32) -> i32 {
  let b = bitcast<i32>(x);
  return select(b, bitcast<i32>(f32(b)) - 1249902592, b < 0x00800000);
}
// By how many powers of two such bits are off [√½, √2), times 2^23.
fn octave_bits_(b: i32) -> i32 { return (b - 0x3f3504f3) & -8388608; }
fn logarithm_of_parts_(f: f32, octave_bits: i32) -> f32 {
  let k = f32(octave_bits) * 0x1p-23;
  let p = 0.33333331 + f * (-0.25000823 + f * (0.20001227 + f * (-0.16623354 + f * (0.14201744 +
    f * (-0.13160208 + f * (0.127617 - f * 0.076345861))))));
  return (f + (f * f * (f * p - 0.5) - k * 2.1219444e-4)) + k * 0.693359375;
}
fn logarithm_of_bits_(b: i32) -> f32 {
  let k = octave_bits_(b);
  return logarithm_of_parts_(bitcast<f32>(b - k) - 1.0, k);
}
fn logarithm_(x: f32) -> f32 {
  let b = bitcast<i32>(x);
  let of_positive = select(logarithm_of_bits_(unbounded_bits_(x)), x, b >= 0x7f800000);
  return select(select(of_positive, not_a_number_(x), b < 0), bitcast<f32>(b | -8388608), size_bits_(x) == 0);
}
fn logarithm_of_one_plus_(x: f32) -> f32 {
  let b = bitcast<i32>(x);
  let size = size_bits_(x);
  let near = (x > -0.2928932) & (x < 0.41421356);
  let whole = bitcast<i32>(1.0 + x);
  let k = select(octave_bits_(whole), 0, near);
  let y = logarithm_of_parts_(select(bitcast<f32>(whole - k) - 1.0, x, near), k);
  let of_number = select(y, select(not_a_number_(x), bitcast<f32>(b | 0x7f800000), size == 0x3f800000), (b < 0) & (size >= 0x3f800000));
  return select(of_number, x, (size < 0x33000000) | (b >= 0x7f800000));
}
`
