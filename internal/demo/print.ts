import { styleText } from 'node:util'

/** Whether stdout shows colours and lines that are written again. */
export const isTerminal = process.stdout.isTTY === true && !process.env.NO_COLOR

export const paint = (style: Parameters<typeof styleText>[0], text: string) =>
  isTerminal ? styleText(style, text) : text

export const say = (text: string) => process.stdout.write(`${text}\n`)

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
