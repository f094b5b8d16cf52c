#!/usr/bin/env node
import process from 'node:process'

/** The installed command: programs are TypeScript, which Deno reads by itself and Node through tsx. */
if (process.versions['deno'] === undefined) {
  const { register } = await import('tsx/esm/api')
  register()
}
await import('./main.ts')
