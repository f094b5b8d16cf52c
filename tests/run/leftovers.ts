import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What a session may leave behind, as the system sees it (Linux; elsewhere nothing is seen). */

const read = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

const isLinux = existsSync('/proc/self/stat')

/** Processes that this one has started and that have not ended, by the text in their command line. */
export const childrenWith = (text: string): readonly number[] =>
  !isLinux ? [] : readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    const status = read(`/proc/${pid}/stat`)
    const [state, parent] = status.slice(status.lastIndexOf(')') + 2).split(' ')
    return Number(parent) === process.pid && state !== 'Z' && read(`/proc/${pid}/cmdline`).includes(text)
  })

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !isLinux || !/\) Z/.test(read(`/proc/${pid}/stat`))
  } catch {
    return false
  }
}

/** Where a rank's process was told to meet its launcher. */
export const addressOf = (pid: number): string =>
  read(`/proc/${pid}/cmdline`).split('\0').find((word) => word.startsWith('@shardwise-')) ?? '@shardwise-unknown'

export const isListenedAt = (address: string): boolean => read('/proc/net/unix').includes(address)

/** Shared memory and sockets of sessions that this process still holds, and those of the given ranks that live. */
export const leftovers = (pids: readonly number[]): readonly string[] => {
  const left = pids.filter(isAlive).map((pid) => `process ${pid}`)
  if (!isLinux) return left
  const ours = new Set(
    read('/proc/net/unix').split('\n').filter((line) => line.includes('@shardwise-')).map((line) => line.trim().split(/\s+/)[6]),
  )
  for (const fd of readdirSync('/proc/self/fd')) {
    let target = ''
    try {
      target = readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      continue
    }
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
    if (target.includes('memfd:shardwise') || (inode !== undefined && ours.has(inode))) left.push(target)
  }
  if (read('/proc/self/maps').includes('memfd:shardwise')) left.push('mapped memory')
  return left
}

/** Shared memory in use on the whole machine, in bytes. */
export const sharedMemory = (): number => 1024 * Number(/^Shmem:\s+(\d+)/m.exec(read('/proc/meminfo'))?.[1] ?? 0)
