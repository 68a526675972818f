// What four packages of npm say about who runs a command: prints, as JSON, each environment that they know of with their verdict.
//
//   node tools/actor_environments.mjs DIRECTORY    (with node_modules in it, made by tools/actor_marks.py)
//
// Facts, not code: the names of variables and values that a package's own list or source names, each tried on the package itself.
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const modules = path.join(path.resolve(process.argv[2]), 'node_modules')
const require = createRequire(path.join(modules, 'x.js'))
const text = (...names) => fs.readFileSync(path.join(modules, ...names), 'utf8')
const esm = (...names) => pathToFileURL(path.join(modules, ...names)).href
const one = (key) => ({ [key]: '1' })

const packages = {
  'ci-info': {
    environments: () => [
      ...require('ci-info/vendors.json').flatMap(({ name, env }) => {
        if (Array.isArray(env)) return [[Object.assign({}, ...env.map(one)), name]]
        if (typeof env === 'string') return [[one(env), name]]
        if (env.any) return env.any.map((key) => [one(key), name])
        return [[env.includes ? { [env.env]: env.includes } : env, name]]
      }),
      ...[...text('ci-info', 'index.js').split('exports.isCI')[1].matchAll(/\(?env\.([A-Z_]+) \|\|/g)].map(([, key]) => [one(key), 'any'])
    ],
    verdict: async () => {
      const file = require.resolve('ci-info')
      delete require.cache[file]
      return require(file).isCI ? 'ci' : ''
    }
  },
  'std-env': {
    environments: () => {
      const source = text('std-env', 'dist', 'index.mjs')
      const agents = source.slice(0, source.indexOf('AI_AGENT'))
      const mark = String.raw`"([A-Z][A-Z0-9_]+)"(?:,\/(.+?)\/[,)])?`
      const lists = [...agents.matchAll(new RegExp(String.raw`\["(\w+)",\[(.*?)\]\](?=[,\]])`, 'g'))]
      const known = lists.flatMap(([, name, list]) =>
        [...list.matchAll(new RegExp(mark, 'g'))].map(([, key, pattern]) => [
          { [key]: pattern ? pattern.replaceAll('[\\\\/]', '/').replaceAll('\\', '') : '1' },
          name
        ])
      )
      const providers = [...source.matchAll(/\["([A-Z_-]+)"(?:,"(\w+)")?(?:,\{ci:!\d\})?\]/g)].map(([, name, key]) => [
        one(key ?? name),
        name.toLowerCase()
      ])
      return [[one('AI_AGENT'), 'any'], ...known, ...providers]
    },
    verdict: async () => {
      const found = await import(`${esm('std-env', 'dist', 'index.mjs')}?${Math.random()}`)
      return found.isAgent ? 'agent' : found.isCI ? 'ci' : found.provider ? 'human' : ''
    }
  },
  '@vercel/detect-agent': {
    environments: () => {
      const source = text('@vercel', 'detect-agent', 'dist', 'index.js')
      const names = Object.fromEntries([...source.matchAll(/const (\w+) = "([^"]*)";/g)].map(([, key, name]) => [key, name]))
      return [...source.matchAll(/if \((process\.env.*)\) \{\s*(?:\w+ .*\{\s*)*?return .* name: (\w+)|if \((process\.env.*)\) \{/g)].flatMap(
        ([, condition, constant, other]) =>
          [...(condition ?? other).matchAll(/process\.env\.(\w+)(?: === "([^"]*)")?/g)].map(([, key, value]) => [
            { [key]: value ?? '1' },
            names[constant] ?? (key.startsWith('CLAUDE') ? names.CLAUDE : 'any')
          ])
      )
    },
    verdict: async () => ((await require('@vercel/detect-agent').determineAgent()).isAgent ? 'agent' : '')
  },
  'am-i-vibing': {
    environments: async () => {
      const { providers } = await import(esm('am-i-vibing', 'dist', fs.readdirSync(path.join(modules, 'am-i-vibing', 'dist')).find((name) => /^detector.*\.mjs$/.test(name)))).then(
        (found) => ({ providers: Object.values(found).find(Array.isArray) })
      )
      const pair = (mark) => (Array.isArray(mark) ? { [mark[0]]: mark[1] } : one(mark))
      return providers.flatMap(({ name, envVars = [] }) =>
        envVars.flatMap((group) => {
          if (typeof group === 'string' || Array.isArray(group)) return [[pair(group), name]]
          const all = Object.assign({}, ...(group.all ?? []).map(pair))
          return (group.any ?? [{}]).map((mark) => [{ ...all, ...(group.any ? pair(mark) : {}) }, name])
        })
      )
    },
    verdict: async (env) => {
      const { type } = (await import(esm('am-i-vibing', 'dist', 'index.mjs'))).detectAgenticEnvironment(env)
      return { agent: 'agent', hybrid: 'either', interactive: 'human' }[type] ?? ''
    }
  }
}

const known = new Map()
for (const { environments } of Object.values(packages)) {
  for (const [env, name] of await environments()) {
    const sorted = Object.fromEntries(Object.entries(env).sort())
    const key = JSON.stringify(sorted)
    known.set(key, { name: known.get(key)?.name || name, env: sorted, says: {} })
  }
}
for (const one of known.values()) {
  for (const [name, { verdict }] of Object.entries(packages)) {
    for (const key of Object.keys(process.env)) delete process.env[key]
    Object.assign(process.env, one.env)
    const says = await verdict(one.env)
    if (says) one.says[name] = says
  }
}
const version = (name) => JSON.parse(text(...name.split('/'), 'package.json')).version
const versions = Object.fromEntries(Object.keys(packages).map((name) => [name, version(name)]))
const environments = [...known.values()].filter(({ says }) => Object.keys(says).length)
console.log(JSON.stringify({ versions, environments }))
