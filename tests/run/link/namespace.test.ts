import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as t from 'io-ts'
import { decodeWith } from '#lib/codec.ts'
import { right } from './links.ts'

/**
 * A network of our own, where the kernel itself limits the rate: a namespace with nothing but a loopback device, whose packets
 * are of Ethernet's size, because the limiter drops those that are larger than its burst. All that ranks send to each other
 * shares the one rate.
 */
const rate = 12.5e6
const burst = 64 * 1024
const network = 'ip link set lo mtu 1500 up'
const limited = `${network} && tc qdisc add dev lo root tbf rate ${8 * rate}bit burst ${burst}b latency 1s`

const inNamespace = (command: string) => spawnSync('unshare', ['-Urn', 'sh', '-c', command], { encoding: 'utf8' })

/** Why there can be no such network here, or false. */
const unavailable = (): string | false => {
  const { status, error, stderr } = inNamespace(limited)
  return status === 0 ? false : `no network namespace with a limited rate: ${error?.message ?? stderr.trim()}`
}

const Crossing = t.strict({ bytes: t.number, milliseconds: t.readonlyArray(t.number) })
const start = process.versions['deno'] === undefined ? ['--import', 'tsx'] : ['run', '--allow-all', '--quiet', '--no-check']

/** What two ranks in a namespace sent each other, and how long the quickest of three runs took for that. */
const cross = (network: string, ...words: readonly string[]): { readonly bytes: number; readonly milliseconds: number } => {
  const quoted = [process.execPath, ...start, fileURLToPath(new URL('./crossing.ts', import.meta.url)), ...words].map((word) => `'${word}'`)
  const { stdout, stderr, status } = inNamespace(`${network} && exec ${quoted.join(' ')}`)
  assert.equal(status, 0, stderr)
  const { bytes, milliseconds } = right(decodeWith('crossing', Crossing, JSON.parse(stdout)))
  return { bytes, milliseconds: Math.min(...milliseconds) }
}

test("ranks over TCP are held to the network's rate, and our own throttle to the same", { skip: unavailable() }, () => {
  const free = cross(network)
  const byKernel = cross(limited)
  // The two ranks send at the same time, over a line each.
  const byUs = cross(network, `${rate / 2e6}MB/s 0us`)
  assert.equal(free.bytes, 2 * 4 * 256 * 1024)
  assert.equal(byKernel.bytes, free.bytes)
  assert.ok(byKernel.milliseconds >= 1000 * (free.bytes - 2 * burst) / rate)
  assert.ok(byUs.milliseconds >= 1000 * free.bytes / rate)
  assert.ok(byKernel.milliseconds > 3 * free.milliseconds, `${byKernel.milliseconds} ms with and ${free.milliseconds} ms without limit`)
  const ratio = byUs.milliseconds / byKernel.milliseconds
  assert.ok(ratio > 0.5 && ratio < 2, `${byUs.milliseconds} ms by our throttle, ${byKernel.milliseconds} ms by the kernel's`)
})
