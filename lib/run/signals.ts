import process from 'node:process'

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'
const signals: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Ends something when this process is asked to end: on a signal `stop` first, then the signal takes its usual course,
 * unless the program listens to it as well; and when the process exits, whyever, `kill` at once. Gives the way back.
 */
export const onSignals = (stop: (signal: Signal) => Promise<void>, kill: () => void): () => void => {
  const listeners = signals.map((signal) => {
    const listener = async (): Promise<void> => {
      const isOurs = process.listenerCount(signal) === 1
      await stop(signal)
      if (isOurs) process.kill(process.pid, signal)
    }
    process.on(signal, listener)
    return { signal, listener }
  })
  process.on('exit', kill)
  return () => {
    for (const { signal, listener } of listeners) process.removeListener(signal, listener)
    process.removeListener('exit', kill)
  }
}
