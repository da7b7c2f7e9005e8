const place = /(?:^|\/)(?:models?|tunedModels|deployments|engines)\/([^/:?#]+)/

/** The model that a request names in its path, as Gemini, Azure and Bedrock want it, else in its body (`inBody`); null where neither does. */
export function modelAsked(path: string, inBody: string | null): string | null {
  const plain = path.includes('%') ? path.replace(/%2f/gi, '/').replace(/%3a/gi, ':') : path
  return place.exec(plain)?.[1] ?? inBody?.replace(/^models\//, '') ?? null
}
