// An agent of one prompt on the AI SDK: prints the answer as it streams, or the error, and exits 1.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { streamText } from 'ai'

const { BASE_URL: baseURL, API_KEY: apiKey } = process.env
const provider = createOpenAICompatible({ name: 'spillway', baseURL, apiKey })
const { textStream } = streamText({
  model: provider('fake-model'),
  prompt: process.argv[2],
  onError({ error }) {
    console.error(error)
    process.exitCode = 1
  },
})
for await (const part of textStream) process.stdout.write(part)
