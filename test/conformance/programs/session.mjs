// The hook functions of the module that is named first, as a program that answers many calls: mode = "session".
import process from 'node:process'
import { createInterface } from 'node:readline'

const { default: hooks } = await import(process.argv[2])

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, hook, ...context } = JSON.parse(line)
  process.stdout.write(`${JSON.stringify({ id, ...(await answer(hook, context)) })}\n`)
})

async function answer(hook, context) {
  const member = hook
    .split('.')
    .at(-1)
    .replace(/-./g, (dash) => dash[1].toUpperCase())
  try {
    const value = await hooks[member](context)
    return value === 'decline' ? { status: 'decline' } : { status: 'yes', ...value }
  } catch (error) {
    return { status: 'failed', message: error.message }
  }
}
