import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { compilerOf, diagnose } from '../types/compilers.ts'

/** A baseline without one of its layouts is refused by the compiler, in one sentence that says what is missing. */
const at = (name: string): string => fileURLToPath(new URL(`../../examples/baselines/${name}.ts`, import.meta.url))

const missing = [
  ['dsp', "layout('s@sp'),\n", '', "selfAttention needs dim 't' whole, but it is @sp; fix: layout('s@sp') before it"],
  ['dsp', "layout('t@sp'),\n", '', "is not assignable to type 'Stream'"],
  ['dsp-branch', "layout('s@sp'), ", '', "selfAttention needs dim 't' whole, but it is @sp; fix: layout('s@sp') before it"],
  ['dsp-branch', "layout('t@sp'), ", '', "residual: mesh axis 'sp' would cut both 't' and 's'"],
  ['ulysses-frames', "layout('h@sp'), ", '', "selfAttention needs dim 't' whole, but it is @sp"],
  ['ulysses-frames', ", layout('t@sp')]", ']', "contract: dim 'h' is @sp on the left but whole on the right"],
  ['ulysses-patches', "layout('h@sp'), ", '', "selfAttention needs dim 's' whole, but it is @sp"],
  ['ring-frames', "attendRound('t', 'sp')", "attend('t')", "selfAttention needs dim 't' whole, but it is @sp"],
  ['megatron-tp', "'h d', whole)", "'h d')", "add: its left is a pending sum over 'sp' but its right is not"],
  ['megatron-sp', 'residual(gather, ', 'residual(', "linear: mesh axis 'sp' would cut both 't' and 'h'"],
] as const

it('a baseline without one of its layouts does not compile', () => {
  const texts = new Map(missing.map(([name, text, instead], i) => {
    const whole = readFileSync(at(name), 'utf8')
    const from = whole.indexOf(text, whole.indexOf('const block'))
    assert.ok(from >= 0, `${name} has ${text}`)
    return [at(`without-${i}`), `${whole.slice(0, from)}${instead}${whole.slice(from + text.length)}`]
  }))
  const compiler = compilerOf([], texts)
  for (const [i, [name, text, , said]] of missing.entries()) {
    const messages = diagnose(compiler, [at(`without-${i}`)]).map((one) => one.text)
    assert.ok(messages.some((message) => message.includes(said)), `${name} without ${text}: ${messages.join('\n')}`)
  }
})
