/**
 * Sine and cosine, right for every finite number. Below 8192 whole quarter turns are taken away in four parts of π/2 (Cody
 * and Waite 1980, chapter 8); beyond, 96 bits of 2/π from where whole turns end are multiplied by the significand in
 * integers (Payne and Hanek, "Radian reduction for trigonometric functions", SIGNUM Newsletter 1983). Then come minimax
 * polynomials on ±π/4, of relative error 2^-28.
 */
export const trigonometric = /* wgsl */ `
// What is left of x, and how many quarter turns were taken away (modulo 4 where there are many).
fn quarter_near_(x: f32) -> vec2<f32> {
  let n = f32(nearest_integer_(x * 0.63661977));
  let rest = (((x - n * 1.5703125) - n * 4.837512969970703125e-4) - n * 7.549533620476722717e-8) - n * 2.5633442e-12;
  return vec2<f32>(rest, n);
}
fn upper_half_of_product_(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u);
}
// 32 bits of 2/π, word by word; the first word is 0. An array to be indexed would be copied for each call.
fn two_over_pi_(word: u32) -> u32 {
  let first = select(select(0u, 0xa2f9836eu, word == 1u), select(0x4e441529u, 0xfc2757d1u, word == 3u), word >= 2u);
  let last = select(select(0xf534ddc0u, 0xdb629599u, word == 5u), select(0x3c439041u, 0xfe5163abu, word == 7u), word >= 6u);
  return select(first, last, word >= 4u);
}
// 32 bits of two words, from some bit of the first one on.
fn window_(first: u32, second: u32, shift: u32) -> u32 { return (first << shift) | ((second >> 1u) >> (31u - shift)); }
fn quarter_far_(x: f32) -> vec2<f32> {
  let b = bitcast<i32>(x);
  let significand = bitcast<u32>((b & 0x007fffff) | 0x00800000);
  // x = ± significand · 2^(exponent - 150): bits of 2/π that make whole turns of it are left out.
  let skipped = bitcast<u32>(nearest_integer_(f32(b & 0x7f800000) * 0x1p-23) - 120);
  let word = skipped / 32u;
  let shift = skipped & 31u;
  // Quarter turns modulo 4: two bits before the point in the upper word, 62 behind it, and those of the carry.
  var upper = 0u;
  var lower = 0u;
  var carry = 0u;
  for (var n = 3u; n > 0u; n--) {
    let window = window_(two_over_pi_(word + n - 1u), two_over_pi_(word + n), shift);
    lower = upper;
    upper = significand * window + carry;
    carry = upper_half_of_product_(significand, window) + select(0u, 1u, upper < carry);
  }
  let number = bitcast<i32>(upper + 0x20000000u) & -1073741824;
  let rest = bitcast<i32>(upper) - number;
  let below = rest < 0;
  let high = select(rest, select(~rest, -rest, lower == 0u), below);
  let low = select(lower, ~lower + 1u, below);
  let size = (f32(high) * 0x1p-30 + f32(low) * 0x1p-62) * 1.5707964;
  let turned = select(0x1p-30, -0x1p-30, b < 0);
  return vec2<f32>(select(size, -size, below != (b < 0)), f32(number) * turned);
}
fn sine_near_0_(r: f32) -> f32 {
  let s = r * r;
  return r + r * s * (-0.16666655 + s * (0.008332178 - s * 0.00019517273));
}
fn cosine_near_0_(r: f32) -> f32 {
  let s = r * r;
  return 1.0 - (0.5 * s - s * s * (0.041666646 + s * (-0.0013887368 + s * 0.000024438423)));
}
fn sine_of_quarter_(x: f32, add: i32) -> f32 {
  var quarter = quarter_near_(x);
  let size = size_bits_(x);
  if (size >= 0x46000000) { quarter = quarter_far_(x); }
  let number = i32(quarter.y) + add;
  let y = select(sine_near_0_(quarter.x), cosine_near_0_(quarter.x), (number & 1) == 1);
  let signed = bitcast<f32>(bitcast<i32>(y) ^ ((number & 2) * 1073741824));
  return select(signed, not_a_number_(x), size >= 0x7f800000);
}
fn sine_(x: f32) -> f32 { return select(sine_of_quarter_(x, 0), x, size_bits_(x) < 0x39000000); }
fn cosine_(x: f32) -> f32 { return sine_of_quarter_(x, 1); }
`
