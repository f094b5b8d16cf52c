import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { bundledDriver, type Driver, systemHasVulkan } from '#backends/webgpu/driver.ts'

const folder = mkdtempSync(join(tmpdir(), 'shardwise-test-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const root = fileURLToPath(new URL('../../', import.meta.url))
const supported = process.platform === 'linux' && process.arch === 'x64'

const unpacked = async (caches: readonly string[]): Promise<Driver> => {
  const driver = await bundledDriver(caches)
  if (E.isLeft(driver)) assert.fail(JSON.stringify(driver.left))
  return driver.right
}

test('many who unpack the driver at once end with one copy of it', { skip: !supported }, async () => {
  const cache = join(folder, 'together')
  const drivers = await Promise.all([1, 2, 3, 4].map(() => unpacked([cache])))
  for (const driver of drivers) assert.deepEqual(driver, drivers[0])
  assert.equal(readdirSync(cache).length, 1)
  assert.deepEqual(readdirSync(dirname(drivers[0]!.loader)).sort(), ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'])
})

test('where a cache folder cannot be used the next one is', { skip: !supported }, async () => {
  const blocked = join(folder, 'blocked')
  writeFileSync(blocked, 'a file, not a folder')
  const driver = await unpacked([join(blocked, 'below'), join(folder, 'second')])
  assert.ok(driver.loader.startsWith(join(folder, 'second')))
})

/** Opens WebGPU in a process of its own, with an environment of nothing but what is given. */
const openIn = (
  environment: Record<string, string>,
): Promise<{ readonly out: string; readonly err: string; readonly code: number | null }> => {
  const script = join(root, 'tests', 'backends', 'programs', 'open.ts')
  const runtime = 'Deno' in globalThis ? ['run', '-A', '--no-check', script] : ['--import', 'tsx', script]
  const env = { PATH: '/usr/bin:/bin', DENO_DIR: join(folder, 'deno'), ...environment }
  return new Promise((resolve) => {
    const child = spawn(process.execPath, runtime, { cwd: root, env })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => {
      out += String(chunk)
    })
    child.stderr.on('data', (chunk) => {
      err += String(chunk)
    })
    child.on('close', (code) => resolve({ out: out.trim(), err: err.trim(), code }))
  })
}

test(
  'an adapter is found with an empty home and a driver list that leads nowhere, without a word on stderr',
  { skip: !supported },
  async () => {
    const home = join(folder, 'home')
    mkdirSync(home)
    const { out, err, code } = await openIn({ HOME: home, VK_ICD_FILENAMES: '/nowhere.json' })
    assert.equal(code, 0, err)
    assert.match(out, /\w/)
    if (!systemHasVulkan()) assert.equal(err, '')
    assert.deepEqual(readdirSync(home), [])
  },
)

test('two processes that start at the same time both find an adapter', { skip: !supported }, async () => {
  const found = await Promise.all([openIn({}), openIn({})])
  for (const { code, err } of found) assert.equal(code, 0, err)
  assert.equal(found[0]!.out, found[1]!.out)
})
