/**
 * Loaded before a program (`--import`): tells on stderr of every event of a socket that has no listener for errors at that
 * moment, which is when an error of it would end the process.
 */
import { Socket } from 'node:net'

const { emit } = Socket.prototype

Socket.prototype.emit = function (event, ...what) {
  const isBookkeeping = event === 'newListener' || event === 'removeListener'
  if (!isBookkeeping && this.listenerCount('error') === 0) {
    process.stderr.write(
      `unguarded: ${this.constructor.name} ${String(event)} ${new Error().stack?.split('\n').slice(2, 6).join(' ')}\n`,
    )
  }
  return emit.call(this, event, ...what)
}
