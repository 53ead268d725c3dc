import { fileURLToPath } from 'node:url';
import autoload from '@fastify/autoload';
import cookie from '@fastify/cookie';
import swagger from '@fastify/swagger';
import view from '@fastify/view';
import Fastify from 'fastify';
import handlebars from 'handlebars';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

async function build(options) {
  const app = Fastify({ logger: { level: 'warn' }, ...options });
  await app.register(swagger);
  await app.register(cookie);
  await app.register(view, { engine: { handlebars }, root: here('views'), layout: 'layout.hbs' });
  await app.register(autoload, { dir: here('plugins') });
  app.get('/', (request, reply) => page('index', request, reply));
  app.get('/page/:name', (request, reply) => page(request.params.name, request, reply));
  app.get('/docs.json', () => app.swagger());
  app.get('/about', (request, reply) => reply.view('about.hbs', { version: process.version }));
  app.setNotFoundHandler((request, reply) => reply.code(404).view('missing.hbs', { url: request.url }));
  return app;
}

// page renders a component that is imported when it is first asked for.
async function page(name, request, reply) {
  const [{ h }, { default: render }] = await Promise.all([import('preact'), import('preact-render-to-string')]);
  let component;
  try {
    component = await import(new URL(`./pages/${encodeURIComponent(name)}.mjs`, import.meta.url));
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return reply.callNotFound();
  }
  return reply.type('text/html').send('<!doctype html>' + render(h(component.default, request.query)));
}

const plain = await build();
await plain.listen({ host: '0.0.0.0', port: 3000 });
const { certificate } = await import('./tls.mjs');
const secure = await build({ https: certificate(), http2: true });
await secure.listen({ host: '0.0.0.0', port: 3443 });
process.on('SIGTERM', async () => {
  await Promise.all([plain.close(), secure.close()]);
  process.exit(0);
});
