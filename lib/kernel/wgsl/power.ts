/**
 * x^y = 2^(y log₂|x|), with log₂ to about 2^-32 of itself in two parts. With |x| = 2^k m, m in [√½, √2), and s = (m - 1)/(m + 1),
 * log₂ m = (2 / ln 2) (s + s³ a(s²)) where s is a quotient in two parts (Cody and Waite 1980, chapter 7). Upper parts are
 * cut out by masks, so that their products are exact and no compiler can take the sums for something simpler. Special values
 * are those of C99, F.9.4.4: x^0 = 1^y = 1 whatever the other is, (-1)^±∞ = 1, NaN for a negative x and a fractional y.
 */
export const power = /* wgsl */ `
fn upper_part_(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }
// log₂ of a positive number, as the sum of two: the first has 12 bits.
fn logarithm_to_base_2_(x: f32) -> vec2<f32> {
  let whole = unbounded_bits_(x);
  let octave_bits = octave_bits_(whole);
  let k = f32(octave_bits) * 0x1p-23;
  let m = bitcast<f32>(whole - octave_bits);
  let above = m - 1.0;
  let below = m + 1.0;
  let below_upper = upper_part_(below);
  let below_lower = m - (below_upper - 1.0);
  let s = above / below;
  let upper = upper_part_(s);
  let lower = ((above - upper * below_upper) - upper * below_lower) / below;
  let z = s * s;
  let rest = lower + s * z * (0.33333331 + z * (0.20000167 + z * (0.1426864 + z * 0.11791383)));
  let main = upper * 2.884765625;
  let small = upper * 0.000624456778 + rest * 2.88539008;
  let first = upper_part_((main + small) + k);
  return vec2<f32>(first, small - ((first - k) - main));
}
// 2^(p + q) for p a product without error and q small beside it.
fn two_to_the_(p: f32, q: f32) -> f32 {
  let whole = p + q;
  let n = nearest_integer_(clamp(whole, -160.0, 160.0));
  let r = clamp((p - f32(n)) + q, -1.0, 1.0);
  let y = 1.0 + r * (0.69314718 + r * (0.24022648 + r * (0.055503324 + r * (0.0096184369 + r * (0.0013398874 + r * 0.00015353362)))));
  return times_power_of_two_(y, n);
}
fn positive_power_(x: f32, y: f32) -> f32 {
  let logarithm = logarithm_to_base_2_(x);
  let exponent = clamp(y, -0x1p32, 0x1p32);
  let upper = upper_part_(exponent);
  return two_to_the_(upper * logarithm.x, (exponent - upper) * logarithm.x + exponent * logarithm.y);
}
// 0 for a number that is not whole, 1 for an odd one, 2 for an even one: the bit that counts ones is the last from 2^23 on, the last
// but one from 2^22 on, and below it is found by adding; from 2^24 on all numbers are even.
fn parity_(y: f32) -> i32 {
  let b = bitcast<i32>(y);
  let size = b & 0x7fffffff;
  let n = nearest_integer_(y);
  let ones = select(select(select(n, b / 2, size >= 0x4a800000), b, size >= 0x4b000000), 0, size >= 0x4b800000);
  let whole = select(f32(n) == y, (b & 1) == 0, size >= 0x4a800000) | (size >= 0x4b000000);
  return select(0, 2 - (ones & 1), whole);
}
fn power_(x: f32, y: f32) -> f32 {
  var value = positive_power_(absolute_(x), y);
  let b = bitcast<i32>(x);
  if ((b <= 0) | (b >= 0x7f800000) | (size_bits_(y) >= 0x7f800000)) { value = power_at_edge_(x, y, value); }
  return value;
}
// With a base that is negative, 0, infinite or NaN, or an exponent that is infinite or NaN; size is |x|^y where that is ordinary.
fn power_at_edge_(x: f32, y: f32, size: f32) -> f32 {
  let x_size = size_bits_(x);
  let y_size = size_bits_(y);
  let parity = parity_(y);
  let sign = select(0, bitcast<i32>(x) & -2147483648, parity == 1);
  let grows = (x_size > 0x3f800000) == (bitcast<i32>(y) >= 0);
  let extreme = bitcast<f32>(select(0, 0x7f800000, grows) | sign);
  let ordinary = select(bitcast<f32>(bitcast<i32>(size) | sign), not_a_number_(x), (bitcast<i32>(x) < 0) & (parity == 0));
  let of_number = select(ordinary, extreme, (x_size == 0) | (x_size == 0x7f800000) | (y_size == 0x7f800000));
  let of_one = select(of_number, 1.0, (x_size == 0x3f800000) & (y_size == 0x7f800000));
  let of_any = select(select(of_one, y, y_size > 0x7f800000), x, x_size > 0x7f800000);
  return select(of_any, 1.0, (y_size == 0) | (bitcast<i32>(x) == 0x3f800000));
}
`
